import { once } from 'node:events'
import { setTimeout as sleep } from 'node:timers/promises'
import WebSocket from 'ws'
import type { Peer } from '../client.ts'

export type Socket = {
  /** The payloads that came, whole. */
  received: unknown[]
  /** Why it is of no use any more, null while it is. */
  lost: () => string | null
  /** Whether something came within this time. */
  waitFor: (count: number, ms: number) => Promise<boolean>
  close: () => void
}

/** One subscription on a WebSocket of its own. */
export async function subscribe({ url, authorization = '' }: Peer, query: string): Promise<Socket> {
  const ws = new WebSocket(url.replace('http', 'ws'), 'graphql-transport-ws', { headers: { authorization } })
  await once(ws, 'open')
  const received: unknown[] = []
  let lost: string | null = null
  ws.on('close', (code, reason) => (lost ??= `closed with ${code} ${reason}`))
  ws.on('message', (text) => {
    const { type, payload } = JSON.parse(String(text))
    if (type === 'connection_ack') ws.send(JSON.stringify({ type: 'subscribe', id: '1', payload: { query } }))
    if (type === 'ping') ws.send(JSON.stringify({ type: 'pong' }))
    if (type === 'next' && !payload.errors) received.push(payload)
    if (type === 'error' || type === 'complete' || payload?.errors) lost ??= `${type} ${JSON.stringify(payload)}`
  })
  ws.send(JSON.stringify({ type: 'connection_init' }))
  const waitFor = async (count: number, ms: number) => {
    for (const until = Date.now() + ms; received.length < count && Date.now() < until; ) await sleep(10)
    return received.length >= count
  }
  return { received, lost: () => lost, waitFor, close: () => ws.terminate() }
}
