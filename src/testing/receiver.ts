import { once } from 'node:events'
import { createServer, type IncomingHttpHeaders } from 'node:http'
import type { AddressInfo } from 'node:net'

export type Received = { method: string; url: string; headers: IncomingHttpHeaders; body: string; at: number }

type Answer = { status: number; headers?: Record<string, string>; body?: string; afterMs?: number }

/** A real HTTP server that keeps what it receives, and answers what it is told to. */
export async function createReceiver(initial: Answer = { status: 200 }) {
  const received: Received[] = []
  const receiver = { url: '', received, answer: initial, close: () => {} }
  const server = createServer(async (request, response) => {
    const parts: Buffer[] = []
    for await (const part of request) parts.push(part)
    const { method = '', url = '', headers } = request
    received.push({ method, url, headers, body: Buffer.concat(parts).toString(), at: Date.now() })
    const { status, headers: answered = {}, body = '', afterMs = 0 } = receiver.answer
    const late = setTimeout(() => response.writeHead(status, answered).end(body), afterMs)
    response.once('close', () => clearTimeout(late))
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  receiver.url = `http://127.0.0.1:${(server.address() as AddressInfo).port}/`
  receiver.close = () => {
    server.closeAllConnections()
    server.close()
  }
  return receiver
}

/** Checks again and again until it holds. */
export async function eventually<T>(check: () => T | Promise<T>, timeoutMs = 8_000): Promise<T> {
  const end = Date.now() + timeoutMs
  for (;;) {
    try {
      return await check()
    } catch (error) {
      if (Date.now() > end) throw error
      await new Promise((resolve) => setTimeout(resolve, 20))
    }
  }
}
