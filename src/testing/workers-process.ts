/** A workers process for tests that kill it: `node workers-process.ts webhooks,deletes`. */
import { startWorkers } from '../../workers/start.ts'
import { createApp } from '../app.ts'
import { readEnv } from '../env.ts'

const only = process.argv[2]?.split(',') ?? []
const app = await createApp(readEnv(), 'workers')
// The jobs of a process that dies are taken over at once. Its locks are long enough for machines that are busy.
await startWorkers(app, { only, queue: { lockMs: 10_000, touchEveryMs: 1_000, pollEveryMs: 300 }, sweepEveryMs: 1_000 })
process.stdout.write('ready\n')
// Whoever started it is gone.
process.stdin.on('end', () => process.exit(0)).resume()
