/** A subscriber over WebSocket or server-sent events, as a client is to be one: it goes on behind its last cursor. */
import { setTimeout as sleep } from 'node:timers/promises'
import { createClient } from 'graphql-ws'
import { WebSocket } from 'ws'
import { readEvents } from '../event-stream.ts'
import { marker, types } from './collections.ts'
import { headersOf } from './stage.ts'
import type { Subscription } from './subscriptions.ts'

export type Delivery = {
  cursor: string
  kind: string
  id: string
  changedFields: readonly string[]
  node: Record<string, unknown> | null
}

export type Listener = {
  subscription: Subscription
  /** What came, but for the marker. Whoever has judged it empties it. */
  deliveries: Delivery[]
  /** What it should not have been told, and the order of the log broken. */
  faults: string[]
  /** The version of the marker that it has seen. */
  seen: () => number
  /** Its connection is cut, and it comes back after a while. */
  cut: (pauseMs: number) => void
  stop: () => Promise<void>
}

type Result = { data?: Record<string, Delivery> | null; errors?: readonly { extensions?: { code?: string } }[] }
type Connection = Pick<Subscription, 'principal' | 'operation' | 'where'> & {
  url: string
  after: string | null
  onResult: (result: Result) => void
  signal: AbortSignal
}

const passing = new Set(['UNAVAILABLE', 'LIMIT_EXCEEDED'])

export function listen(url: string, subscription: Subscription): Listener {
  const field = `${types[subscription.collection].one}Changed`
  const deliveries: Delivery[] = []
  const faults: string[] = []
  let after: string | null = null
  let place = -1
  let seen = 0
  let pauseMs = 0
  let isStopped = false
  let leaving = new AbortController()

  const onResult = ({ data, errors }: Result) => {
    const code = errors?.[0]?.extensions?.code
    if (errors && !passing.has(code ?? '')) faults.push(JSON.stringify(errors))
    const change = data?.[field]
    if (!change) return
    // A cursor begins with its place in the log.
    const next = Number.parseInt(change.cursor, 36)
    if (next <= place) faults.push(`${JSON.stringify(change)} came again, or late`)
    place = next
    after = change.cursor
    if (change.id !== marker) deliveries.push(change)
    else seen = Number(change.node?.version ?? seen)
  }
  const follow = async () => {
    const connect = subscription.transport === 'sse' ? overEvents : overWebSocket
    while (!isStopped) {
      leaving = new AbortController()
      const { principal, operation, where } = subscription
      const mine = leaving
      // Nothing of a connection that was cut counts.
      const ifMine = (result: Result) => (mine.signal.aborted ? undefined : onResult(result))
      await connect({ url, principal, operation, where, after, onResult: ifMine, signal: mine.signal }).catch(() => {})
      await sleep(pauseMs)
      pauseMs = 20
    }
  }
  const over = follow()
  return {
    subscription,
    deliveries,
    faults,
    seen: () => seen,
    cut: (ms) => {
      pauseMs = ms
      leaving.abort()
    },
    stop: async () => {
      isStopped = true
      leaving.abort()
      await over
    },
  }
}

/** Resolves when the connection is over, however that came. */
async function overWebSocket({ url, principal, operation, where, after, onResult, signal }: Connection): Promise<void> {
  const { authorization } = principal
  const client = createClient({
    url: url.replace(/^http/, 'ws'),
    webSocketImpl: WebSocket,
    connectionParams: authorization === null ? {} : { authorization },
    retryAttempts: 0,
  })
  const over = Promise.withResolvers<void>()
  const leave = () => {
    client.terminate()
    over.resolve()
  }
  signal.addEventListener('abort', leave, { once: true })
  client.subscribe<Record<string, unknown>>(
    { query: operation, variables: { where, after } },
    {
      next: (result) => onResult(result as Result),
      error: (error) => {
        if (Array.isArray(error)) onResult({ errors: error })
        over.resolve()
      },
      complete: over.resolve,
    },
  )
  await over.promise
  await client.dispose()
}

async function overEvents({ url, principal, operation, where, after, onResult, signal }: Connection): Promise<void> {
  const response = await fetch(url, {
    method: 'POST',
    headers: {
      ...headersOf(principal),
      accept: 'text/event-stream',
      ...(after !== null && { 'last-event-id': after }),
    },
    body: JSON.stringify({ query: operation, variables: { where } }),
    signal,
  })
  if (!response.ok || !response.body) return onResult((await response.json()) as Result)
  for await (const result of readEvents<Result>(response.body)) onResult(result)
}
