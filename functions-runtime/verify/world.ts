/** The world of the hostile corpus: what must not be reached, what may be, and the API. */
import { once } from 'node:events'
import { createServer, type RequestListener, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { gzipSync } from 'node:zlib'

export type World = {
  canary: string
  outside: string
  apiUrl: string
  /** What nobody may have reached: requests to the canary, and to the API of a project with another's token. */
  reached: string[]
  close: () => void
}

async function listen(host: string, answer: RequestListener, port = 0): Promise<{ server: Server; port: number }> {
  const server = createServer(answer).listen(port, host)
  await once(server, 'listening')
  return { server, port: (server.address() as AddressInfo).port }
}

/** The operator of the executor allows 127.0.0.2: it plays the public network. */
export const outsideHost = '127.0.0.2'

export async function createWorld(): Promise<World> {
  const reached: string[] = []
  const canary = await listen('127.0.0.1', (req, res) => {
    reached.push(`the canary at ${req.url}`)
    res.end('canary')
  })
  const api = await listen('127.0.0.1', (req, res) => {
    const tenant = /^\/projects\/([^/]+)\/graphql$/.exec(req.url ?? '')?.[1]
    const token = /^Bearer run_(.+)$/.exec(req.headers.authorization ?? '')?.[1]
    if (!tenant || tenant !== token) reached.push(`the API at ${req.url} with the token of ${token}`)
    req.resume().on('end', () => res.end(JSON.stringify({ data: { ok: true } })))
  })
  const outside = await listen(outsideHost, answerOutside(`http://127.0.0.1:${canary.port}`))
  // At the canary's port, for a name that moves from here to there.
  const beside = await listen(outsideHost, (_req, res) => res.end('outside'), canary.port)
  return {
    canary: String(canary.port),
    outside: `${outsideHost}:${outside.port}`,
    apiUrl: `http://127.0.0.1:${api.port}`,
    reached,
    close() {
      for (const { server } of [canary, api, outside, beside]) {
        server.closeAllConnections()
        server.close()
      }
    },
  }
}

function answerOutside(canary: string): RequestListener {
  const redirects: Record<string, string> = {
    '/to-canary': canary,
    '/to-metadata': 'http://169.254.169.254/latest/meta-data/',
    '/to-file': 'file:///etc/passwd',
    '/again': '/again',
  }
  return (req, res) => {
    const location = redirects[req.url ?? '']
    if (location) res.writeHead(302, { location }).end()
    else if (req.url === '/large') giveMuch(res)
    else if (req.url === '/bomb') res.writeHead(200, { 'content-encoding': 'gzip' }).end(gzipSync(Buffer.alloc(5e7)))
    else if (req.url === '/drip') drip(res)
    else res.end(JSON.stringify(req.headers))
  }
}

type Answer = Parameters<RequestListener>[1]

function giveMuch(res: Answer): void {
  const piece = Buffer.alloc(1e6)
  let left = 1_000
  const more = () => {
    while (left > 0 && !res.closed) {
      left -= 1
      if (!res.write(piece)) return
    }
    res.end()
  }
  res.on('drain', more)
  more()
}

function drip(res: Answer): void {
  const timer = setInterval(() => res.write('.'), 50)
  res.on('close', () => clearInterval(timer))
}
