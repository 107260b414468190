/** Tendril's workers, all of them, in a process of their own. */
import { createApp } from '../../src/app.ts'
import { readEnv } from '../../src/env.ts'
import { startSkipping } from '../../src/testing/skipping.ts'
import { startWorkers } from '../../workers/start.ts'
import { beginPart, tell } from '../parts.ts'

const { plantedBug } = beginPart<{ plantedBug: string | null }>()
const app = await createApp(readEnv(), 'workers')
await startWorkers(app)
if (plantedBug === 'skip-events') startSkipping(app.sql)
tell({ url: '' })
