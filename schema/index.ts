import { specifiedDirectives } from 'graphql'
import { cachedDirective } from '../src/documents/keeping.ts'
import { transactionDirective } from '../src/documents/transaction.ts'
import './accounts.ts'
import './attribute-types.ts'
import './attributes.ts'
import './audits.ts'
import './calls.ts'
import './collections.ts'
import './databases.ts'
import './deliveries.ts'
import './domains.ts'
import './errors.ts'
import './events.ts'
import './indexes.ts'
import './keys.ts'
import './mails.ts'
import './members.ts'
import './permissions.ts'
import './projects.ts'
import './schema-versions.ts'
import './senders.ts'
import './sessions.ts'
import './subscriptions.ts'
import './tasks.ts'
import './users.ts'
import './webhooks.ts'
import { builder } from './builder.ts'

/** Everything but the projects' own types, for every audience: nobody is answered with it untrimmed. */
export const schema = builder.toSchema({
  sortSchema: true,
  directives: [...specifiedDirectives, cachedDirective, transactionDirective],
})
