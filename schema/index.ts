import './accounts.ts'
import './errors.ts'
import './keys.ts'
import './members.ts'
import './projects.ts'
import './sessions.ts'
import './users.ts'
import { builder } from './builder.ts'

/** Everything but the projects' own types, for every audience: nobody is answered with it untrimmed. */
export const schema = builder.toSchema({ sortSchema: true })
