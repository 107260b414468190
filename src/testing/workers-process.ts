/** A workers process whose locks are short, for tests that kill it: `node workers-process.ts webhooks,deletes`. */
import { startWorkers } from '../../workers/start.ts'
import { createApp } from '../app.ts'
import { readEnv } from '../env.ts'

const only = process.argv[2]?.split(',') ?? []
const app = await createApp(readEnv(), 'workers')
await startWorkers(app, { only, queue: { lockMs: 1_000, touchEveryMs: 200, pollEveryMs: 300 }, sweepEveryMs: 1_000 })
process.stdout.write('ready\n')
// Whoever started it is gone.
process.stdin.on('end', () => process.exit(0)).resume()
