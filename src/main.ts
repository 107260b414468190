/** The api process: `node src/main.ts`. */
import { startApi } from './api.ts'
import { createApp } from './app.ts'
import { readEnv } from './env.ts'
import { serveMetrics } from './metrics.ts'

/** Longer than a load balancer needs to see that `/health/ready` has changed its mind, or a client to ask once more. */
const drainMs = 1_500

async function start(): Promise<void> {
  const app = await createApp(readEnv(), 'api')
  const { log, env } = app
  // What was forgotten to be awaited concerns one request; ending the process would end all of them.
  process.on('unhandledRejection', (error) => log.error({ err: error }, 'a rejection was not handled'))
  const api = await startApi(app).catch(async (error) => {
    await app.close()
    throw error
  })
  await serveMetrics(app)
  log.info(
    `GraphQL at ${env.PUBLIC_URL}/graphql and ${env.PUBLIC_URL}/projects/{project}/graphql, listening at ${api.url}`,
  )

  let stopping = false
  const stop = async (signal: string) => {
    if (stopping) return
    stopping = true
    log.info(`${signal}: finishing what is in flight`)
    await api.close(drainMs)
    await app.close()
    process.exit(0)
  }
  process.on('SIGTERM', stop)
  process.on('SIGINT', stop)
}

start().catch((error: Error) => {
  process.stderr.write(`${error.message}\n`)
  process.exit(1)
})
