/** Tendril's API, as `node src/main.ts` starts it. */
import { startApi } from '../../src/api.ts'
import { createApp } from '../../src/app.ts'
import { readEnv } from '../../src/env.ts'
import { beginPart, tell } from '../parts.ts'

beginPart()
const app = await createApp(readEnv(), 'api')
const { url } = await startApi(app)
tell({ url })
