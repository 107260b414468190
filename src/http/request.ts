import { randomUUID } from 'node:crypto'
import type { IncomingMessage } from 'node:http'
import { consoleProjectId } from '../context.ts'
import { limits } from './limits.ts'
import { Refusal } from './refusal.ts'

/** The project whose API a path is, null for a path that is none. */
export function projectOf(path: string): string | null {
  if (path === '/graphql') return consoleProjectId
  return /^\/projects\/([\w-]{1,64})\/graphql$/.exec(path)?.[1] ?? null
}

const noSearch: URLSearchParams = new URLSearchParams()

/** Path and query string, as they were sent. */
export function splitUrl(req: IncomingMessage): { path: string; search: URLSearchParams } {
  const url = req.url ?? '/'
  if (url.length > limits.urlBytes) throw new Refusal(414, 'LIMIT_EXCEEDED', `A URL may have ${limits.urlBytes} bytes.`)
  const at = url.indexOf('?')
  return at < 0
    ? { path: url, search: noSearch }
    : { path: url.slice(0, at), search: new URLSearchParams(url.slice(at)) }
}

const ours = randomUUID()
let requests = 0

/** The id that a proxy gave a request, if it looks like one; otherwise a new one: that of this process, and a number. */
export function requestIdOf(req: IncomingMessage): string {
  const given = req.headers['x-request-id']
  if (typeof given === 'string' && /^[\w-]{8,64}$/.test(given)) return given
  requests += 1
  return `${ours}-${requests}`
}

export function refuseCompressed({ headers }: IncomingMessage): void {
  if (headers['content-encoding'] !== undefined) throw new Refusal(415, 'INVALID', 'The body may not be compressed.')
}

/**
 * The body. One over the limit is read to its end and thrown away, so that the client hears of it; so is one that `onSize`,
 * told how much has come, throws for.
 */
export async function readBytes(
  req: IncomingMessage,
  most: number = limits.bodyBytes,
  onSize: (size: number) => void = () => {},
): Promise<Buffer> {
  // It ended while it waited for its turn.
  if (req.destroyed) throw new Refusal(400, 'INVALID', 'The body ended early.')
  const tooLarge = () => {
    req.resume()
    return new Refusal(413, 'LIMIT_EXCEEDED', `The body may have ${most} bytes.`)
  }
  if (Number(req.headers['content-length'] ?? 0) > most) throw tooLarge()
  const chunks: Buffer[] = []
  let size = 0
  let isRefused = false
  return new Promise((resolve, reject) => {
    req.on('data', (chunk: Buffer) => {
      if (isRefused) return
      size += chunk.length
      try {
        if (size > most) throw tooLarge()
        onSize(size)
        chunks.push(chunk)
      } catch (error) {
        isRefused = true
        chunks.length = 0
        reject(error)
      }
    })
    req.on('end', () => resolve(Buffer.concat(chunks)))
    req.on('error', reject)
    req.on('close', () => {
      if (!req.complete) reject(new Refusal(400, 'INVALID', 'The body ended early.'))
    })
  })
}

/** Ends a request whose body takes too long, as the server's own `requestTimeout` would, which knows no exceptions. */
export function limitUpload(req: IncomingMessage): void {
  if (req.headers['content-length'] === undefined && req.headers['transfer-encoding'] === undefined) return
  const late = setTimeout(
    () => req.socket.end('HTTP/1.1 408 Request Timeout\r\nconnection: close\r\n\r\n'),
    limits.uploadMs,
  )
  const { socket } = req
  const forget = () => {
    clearTimeout(late)
    req.off('close', forget)
    socket.off('close', forget)
  }
  req.once('close', forget)
  // One that is answered before its body has come is not told that the connection ends.
  socket.once('close', forget)
}

/** Whether it is to come as server-sent events. */
export function wantsEvents({ headers }: IncomingMessage): boolean {
  return headers.accept?.includes('text/event-stream') ?? false
}

/** Whether the answer is to come in parts: the client asks for events or parts, and not for JSON. */
export function wantsStream(req: IncomingMessage): boolean {
  const accept = req.headers.accept ?? ''
  return /text\/event-stream|multipart\/mixed/i.test(accept) && !/json|\*\/\*/i.test(accept)
}

export function isBrowser(req: IncomingMessage): boolean {
  return (req.method === 'GET' || req.method === 'HEAD') && /text\/html/i.test(req.headers.accept ?? '')
}
