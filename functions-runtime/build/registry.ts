import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import { Readable } from 'node:stream'
import { pipeline } from 'node:stream/promises'
import type { ReadableStream } from 'node:stream/web'

/** Most bytes that one build fetches. */
const fetchedBytes = 512 * 1024 * 1024

/**
 * The configured package registry behind a Unix socket, for one build: it is read there, and nothing else is reached. Login
 * and password may stand in `registry`'s URL.
 */
export async function openRegistry(registry: string, socketPath: string): Promise<{ close: () => void }> {
  const { href, headers } = addressOf(registry)
  const open = new AbortController()
  const { signal } = open
  let fetched = 0
  const answer = async (req: IncomingMessage, res: ServerResponse) => {
    if (req.method !== 'GET' && req.method !== 'HEAD') return void res.writeHead(405).end()
    const url = new URL(href + (req.url ?? '/').replace(/^\/+/, ''))
    // A path must not lead to another place than the registry's.
    if (!url.href.startsWith(href)) return void res.writeHead(404).end()
    const accept = String(req.headers.accept ?? '*/*')
    const asked = { method: req.method, headers: { ...headers, accept }, redirect: 'manual', signal } as const
    const response = await fetch(url, asked)
    const type = response.headers.get('content-type') ?? 'application/octet-stream'
    res.writeHead(response.status >= 300 && response.status < 400 ? 502 : response.status, { 'content-type': type })
    if (!response.body) return void res.end()
    const counted = async function* (source: AsyncIterable<Uint8Array>) {
      for await (const chunk of source) {
        fetched += chunk.length
        if (fetched > fetchedBytes) throw new Error('The packages are too large.')
        yield chunk
      }
    }
    await pipeline(Readable.fromWeb(response.body as ReadableStream), counted, res)
  }
  const server = createServer((req, res) => {
    answer(req, res).catch(() => (res.headersSent ? res.destroy() : res.writeHead(502).end()))
  })
  await new Promise<void>((resolve, reject) => server.once('error', reject).listen(socketPath, resolve))
  return {
    /** What is still being fetched is for nobody any more. */
    close: () => {
      open.abort()
      server.close()
      server.closeAllConnections()
    },
  }
}

function addressOf(registry: string): { href: string; headers: Record<string, string> } {
  const url = new URL(registry)
  const { username, password } = url
  const login = `${decodeURIComponent(username)}:${decodeURIComponent(password)}`
  Object.assign(url, { username: '', password: '', search: '', hash: '' })
  const headers = username === '' ? {} : { authorization: `Basic ${Buffer.from(login).toString('base64')}` }
  return { href: url.href.endsWith('/') ? url.href : `${url.href}/`, headers }
}
