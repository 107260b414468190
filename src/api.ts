import { createServer, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { setTimeout as wait } from 'node:timers/promises'
import type { App } from './app.ts'
import { createHealth } from './health.ts'
import { addressReader } from './http/address.ts'
import { createHandler } from './http/handler.ts'
import { limits } from './http/limits.ts'
import { createLoad } from './http/load.ts'
import { allowsOrigin } from './http/origin.ts'
import { limitUpload } from './http/request.ts'
import { createSockets } from './http/sockets.ts'
import { isTransfer } from './http/transfer.ts'
import { createGraphql, type Graphql } from './server.ts'

export type Api = {
  /** Where it listens, on this machine. */
  url: string
  /** Stops taking requests, finishes those in flight and sends sockets elsewhere. Leaves the app open. */
  close: () => Promise<void>
}

/** Opens HOST:PORT. Throws one clear sentence when it is taken. */
export async function startApi(app: App, graphql: Graphql = createGraphql(app)): Promise<Api> {
  const { env } = app
  let leaving = false
  const health = createHealth({ env, sql: app.reserve })
  const load = createLoad(app)
  const parts = {
    app,
    graphql,
    health,
    load,
    allows: allowsOrigin(env),
    addressOf: addressReader(env.TRUSTED_PROXIES),
    isLeaving: () => leaving,
  }
  const handle = createHandler(parts)
  const inFlight = new Set<ServerResponse>()
  const sockets = createSockets(parts)
  const server = createServer(
    { maxHeaderSize: limits.headerBytes, headersTimeout: 15_000, requestTimeout: 0, keepAliveTimeout: 65_000 },
    (req, res) => {
      if (!isTransfer(req.url ?? '')) limitUpload(req)
      inFlight.add(res)
      res.once('close', () => inFlight.delete(res))
      void handle(req, res)
    },
  )
  server.on('upgrade', sockets.upgrade)
  await listen(server, env.HOST, env.PORT)
  const { port } = server.address() as AddressInfo
  return {
    url: `http://${env.HOST === '0.0.0.0' ? '127.0.0.1' : env.HOST}:${port}`,
    close: async () => {
      if (leaving) return
      leaving = true
      const closed = new Promise((resolve) => server.close(resolve))
      graphql.leave()
      // Nobody is to send another request on a connection that is about to close.
      for (const res of inFlight) if (!res.headersSent) res.setHeader('connection', 'close')
      // One whose answer had begun is kept open by Node, for a request that is not to come.
      const idle = setInterval(() => server.closeIdleConnections(), 50)
      await sockets.close()
      await Promise.race([closed, wait(limits.shutdownMs, undefined, { ref: false })])
      clearInterval(idle)
      server.closeAllConnections()
      health.close()
      load.close()
      await graphql.close()
    },
  }
}

function listen(server: ReturnType<typeof createServer>, host: string, port: number): Promise<void> {
  return new Promise((resolve, reject) => {
    server.once('error', (error: NodeJS.ErrnoException) =>
      reject(new Error(reasonOf(error, host, port), { cause: error })),
    )
    server.listen(port, host, resolve)
  })
}

function reasonOf(error: NodeJS.ErrnoException, host: string, port: number): string {
  const variable = 'set PORT or HOST to another'
  if (error.code === 'EADDRINUSE') return `Something already listens on ${host}:${port}; ${variable}.`
  if (error.code === 'EACCES') return `This user may not listen on ${host}:${port}; ${variable}.`
  if (error.code === 'EADDRNOTAVAIL') return `${host} is not an address of this machine; ${variable}.`
  return `Cannot listen on ${host}:${port}: ${error.message}`
}
