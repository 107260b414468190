import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { collectDefaultMetrics } from 'prom-client'
import type { Services } from './context.ts'
import { listen } from './http/listen.ts'
import type { Metrics } from './platform/metrics.ts'

/** What is known of the connections and answers of a process. */
export function watchApp(
  { read }: Metrics,
  { sql, shares, cache, sandbox }: Pick<Services, 'sql' | 'shares' | 'cache' | 'sandbox'>,
): void {
  const connections = () =>
    new Map([
      ['busy', sql.totalCount - sql.idleCount],
      ['idle', sql.idleCount],
    ])
  read('tendril_pool_connections', 'Connections to PostgreSQL.', connections, 'state')
  read('tendril_pool_waiting', 'Work that waits for a connection.', () => sql.waitingCount)
  read('tendril_shares_waiting', "Work that waits for its project's share.", shares.waiting)
  read('tendril_cache_hits', 'Questions that kept answers have answered.', cache.hits)
  const ready = () => sandbox.executors().filter(({ status }) => status === 'ok').length
  read('tendril_executors_ready', 'Executors of functions that can be asked.', ready)
}

/** Serves metrics where METRICS_PORT says, if it does. */
export async function serveMetrics({
  env,
  metrics,
}: Pick<Services, 'env' | 'metrics'>): Promise<{ port: number; close: () => void } | null> {
  if (env.METRICS_PORT === undefined) return null
  const { registry } = metrics
  collectDefaultMetrics({ register: registry })
  const server = createServer(async (req, res) => {
    if (req.url !== '/metrics') return void res.writeHead(404).end()
    const text = await registry.metrics()
    res.writeHead(200, { 'content-type': registry.contentType }).end(text)
  })
  await listen(server, { host: env.METRICS_HOST, port: env.METRICS_PORT, variables: 'METRICS_PORT or METRICS_HOST' })
  const close = () => {
    server.close()
    server.closeAllConnections()
  }
  return { port: (server.address() as AddressInfo).port, close }
}
