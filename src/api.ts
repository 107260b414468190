import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http'
import { type AddressInfo, Server as NetServer } from 'node:net'
import { setImmediate as turnOfLoop, setTimeout as wait } from 'node:timers/promises'
import type { App } from './app.ts'
import { createHealth } from './health.ts'
import { addressReader } from './http/address.ts'
import { createHandler } from './http/handler.ts'
import { limits } from './http/limits.ts'
import { listen } from './http/listen.ts'
import { createLoad } from './http/load.ts'
import { allowsOrigin } from './http/origin.ts'
import { limitUpload, wantsStream } from './http/request.ts'
import { createSockets } from './http/sockets.ts'
import { isTransfer } from './http/transfer.ts'
import { isUpload } from './http/upload.ts'
import { createBag } from './lib/bag.ts'
import { createHosts } from './modules/domains/hosts.ts'
import type { Inbox } from './platform/inbox.ts'
import { createGraphql, type Graphql } from './server.ts'

export type Api = {
  /** Where it listens, on this machine. */
  url: string
  /**
   * Stops taking requests, finishes those in flight and sends sockets elsewhere. Leaves the app open. For `drainMs` requests
   * are still answered, and their connections closed, so that none is sent on a connection that is being closed.
   */
  close: (drainMs?: number) => Promise<void>
}

/** For so long at most it accepts what keeps coming, and waits for the requests of what it has accepted. */
const acceptMs = 1_000
const lastMs = 300

/** Opens HOST:PORT. Throws one clear sentence when it is taken. */
export async function startApi(app: App, graphql: Graphql = createGraphql(app), inbox?: Inbox): Promise<Api> {
  const { env } = app
  let leaving = false
  const health = createHealth({ env, sql: app.reserve, clock: app.clock, sandbox: app.sandbox })
  const load = createLoad(app)
  const parts = {
    app,
    graphql,
    health,
    load,
    allows: allowsOrigin(env),
    addressOf: addressReader(env.TRUSTED_PROXIES),
    hosts: createHosts(app),
    inbox,
    behind: new Set<Promise<unknown>>(),
    isLeaving: () => leaving,
  }
  const handle = createHandler(parts)
  const inFlight = createBag<ServerResponse>()
  const sockets = createSockets(parts)
  const server = createServer(
    { maxHeaderSize: limits.headerBytes, headersTimeout: 15_000, requestTimeout: 0, keepAliveTimeout: 65_000 },
    (req, res) => {
      if (!isTransfer(req.url ?? '') && !isUpload(req)) limitUpload(req)
      inFlight.add(res)
      const begun = performance.now()
      res.once('close', () => {
        inFlight.remove(res)
        app.metrics.requests.observe(
          performance.now() - begun,
          routeOf(req),
          res.writableFinished ? `${res.statusCode}` : 'cut',
        )
      })
      void handle(req, res)
    },
  )
  server.on('upgrade', sockets.upgrade)
  app.metrics.read('tendril_websockets', 'WebSockets that are open.', sockets.count)
  await listen(server, { host: env.HOST, port: env.PORT, variables: 'PORT or HOST' })
  const { port } = server.address() as AddressInfo
  return {
    url: `http://${env.HOST === '0.0.0.0' ? '127.0.0.1' : env.HOST}:${port}`,
    close: async (drainMs = 0) => {
      if (leaving) return
      leaving = true
      graphql.leave()
      // Nobody is to send another request on a connection that is about to close.
      for (const res of inFlight) if (!res.headersSent) res.setHeader('connection', 'close')
      await wait(drainMs)
      await acceptWaiting(server)
      // HTTP's own `close` would end connections whose first request is on its way.
      const closed = new Promise((resolve) => NetServer.prototype.close.call(server, resolve))
      await wait(Math.min(drainMs, lastMs))
      // One whose answer had begun is kept open by Node, for a request that is not to come.
      const idle = setInterval(setImmediate, 50, () => server.closeIdleConnections())
      await sockets.close()
      const ended = closed.then(() => Promise.all(parts.behind))
      await Promise.race([ended, wait(limits.shutdownMs, undefined, { ref: false })])
      clearInterval(idle)
      server.closeAllConnections()
      await health.close()
      load.close()
      await graphql.close()
    },
  }
}

/**
 * Resolves right after the event loop has looked for connections and found none: those that nobody has accepted when the
 * server closes are reset, with the requests that they have brought. It accepts one in each of its turns.
 */
async function acceptWaiting(server: Server): Promise<void> {
  let hasAccepted = true
  const note = () => {
    hasAccepted = true
  }
  server.on('connection', note)
  for (const until = performance.now() + acceptMs; hasAccepted && performance.now() < until; ) {
    hasAccepted = false
    await turnOfLoop()
  }
  server.off('connection', note)
}

/** What a request is for, in a few words. */
function routeOf(req: IncomingMessage): string {
  const url = req.url ?? ''
  if (url.includes('/graphql')) return wantsStream(req) ? 'stream' : 'graphql'
  if (isTransfer(url)) return 'transfer'
  if (url.startsWith('/functions/')) return 'function'
  return url.startsWith('/health') ? 'health' : 'other'
}
