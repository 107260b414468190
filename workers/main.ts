/** The workers process: all of them, or `--only webhooks,mails`. */
import { parseArgs } from 'node:util'
import { createApp } from '../src/app.ts'
import { readEnv } from '../src/env.ts'
import { serveMetrics } from '../src/metrics.ts'
import { startWorkers } from './start.ts'

async function start(): Promise<void> {
  const { values } = parseArgs({ options: { only: { type: 'string' } } })
  const only = values.only?.split(',').map((name) => name.trim())
  const app = await createApp(readEnv(), 'workers')
  const workers = await startWorkers(app, only ? { only } : {})
  await serveMetrics(app)
  const stop = async () => {
    // A second signal does not wait.
    for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => process.exit(1))
    await workers.stop()
    await app.close()
    process.exit(0)
  }
  for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => void stop())
  // Whoever waits for this line may send a signal at once.
  app.log.info({ only: only ?? 'all' }, 'workers run')
}

start().catch((error: Error) => {
  process.stderr.write(`${error.message}\n`)
  process.exit(1)
})
