/** Somebody who listens: follows both collections for ever, over WebSocket or server-sent events, and writes down what comes. */
import { existsSync, openSync, readFileSync, truncateSync, writeSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { createClient } from 'graphql-ws'
import { WebSocket } from 'ws'
import { readEvents } from '../event-stream.ts'

/** What it is told. */
export type Listener = {
  dir: string
  name: string
  urls: readonly string[]
  authorization: string
  transport: 'websocket' | 'sse'
  /** Planted bug: it forgets where it was. */
  forgets: boolean
}

/** One line of its file. `key` names the note or the counter, `n` is what was counted. Or a refusal. */
export type Received = { kind: string; key: string; n: number | null; cursor: string } | { refused: string }

type Field = 'noteChanged' | 'counterChanged'
export const fields: readonly Field[] = ['noteChanged', 'counterChanged']

const queries: Record<Field, string> = {
  noteChanged: 'subscription ($after: String) { noteChanged(after: $after) { cursor kind id node { text } } }',
  counterChanged: 'subscription ($after: String) { counterChanged(after: $after) { cursor kind id node { n } } }',
}

type Change = { cursor: string; kind: string; id: string; node: { text?: string; n?: number } | null }
type Result = { data?: Partial<Record<Field, Change>> | null; errors?: readonly { extensions?: { code?: string } }[] }

/** It drops its connection and resumes about so often, by itself. */
const reconnectMs = 3_000

export const sinkFile = (dir: string, name: string, field: Field) => join(dir, `${name}.${field}`)

/** What a sink has received. A line that a kill has torn was not received. */
export function readSink(path: string): Received[] {
  if (!existsSync(path)) return []
  const text = readFileSync(path, 'utf8')
  const whole = text.slice(0, text.lastIndexOf('\n') + 1)
  if (whole.length < text.length) truncateSync(path, Buffer.byteLength(whole))
  return whole
    .split('\n')
    .filter(Boolean)
    .map((line) => JSON.parse(line))
}

type Connection = {
  listener: Listener
  field: Field
  after: string | null
  onResult: (result: Result) => void
  signal: AbortSignal
}

const any = (urls: readonly string[]) => urls[Math.floor(Math.random() * urls.length)] ?? ''

/** Resolves when the connection is over, however that came. */
async function overWebSocket({ listener, field, after, onResult, signal }: Connection): Promise<void> {
  const client = createClient({
    url: any(listener.urls).replace(/^http/, 'ws'),
    webSocketImpl: WebSocket,
    connectionParams: { authorization: listener.authorization },
    retryAttempts: 0,
  })
  const leave = () => void client.terminate()
  signal.addEventListener('abort', leave)
  await new Promise<void>((resolve) => {
    client.subscribe<Record<string, unknown>>(
      { query: queries[field], variables: { after } },
      {
        next: (result) => onResult(result as Result),
        error: (error) => {
          if (Array.isArray(error)) onResult({ errors: error })
          resolve()
        },
        complete: resolve,
      },
    )
  })
  signal.removeEventListener('abort', leave)
  await client.dispose()
}

async function overEvents({ listener, field, after, onResult, signal }: Connection): Promise<void> {
  const response = await fetch(any(listener.urls), {
    method: 'POST',
    headers: {
      'content-type': 'application/json',
      accept: 'text/event-stream',
      authorization: listener.authorization,
      ...(after !== null && { 'last-event-id': after }),
    },
    body: JSON.stringify({ query: queries[field] }),
    signal,
  })
  if (!response.ok || !response.body) return onResult((await response.json()) as Result)
  for await (const result of readEvents<Result>(response.body)) onResult(result)
}

/** Refusals that go by: the server is not there right now, or this was too slow. */
const passing = new Set(['UNAVAILABLE', 'LIMIT_EXCEEDED'])

async function follow(listener: Listener, field: Field): Promise<never> {
  const path = sinkFile(listener.dir, listener.name, field)
  const last = readSink(path).findLast((line) => 'cursor' in line)
  let after = last && !listener.forgets ? last.cursor : null
  const file = openSync(path, 'a')
  const write = (line: Received) => void writeSync(file, `${JSON.stringify(line)}\n`)
  const onResult = ({ data, errors }: Result) => {
    const change = data?.[field]
    const code = errors?.[0]?.extensions?.code
    if (errors && !passing.has(code ?? '')) write({ refused: code ?? 'none' })
    if (!change) return
    const { cursor, kind, id, node } = change
    write({ kind, key: field === 'noteChanged' ? (node?.text ?? id) : id, n: node?.n ?? null, cursor })
    after = cursor
  }
  for (;;) {
    // Until it has a cursor it stays: on a busy machine it could leave each time before it has heard of anything.
    const leaving =
      after === null
        ? new AbortController().signal
        : AbortSignal.timeout(Math.round(reconnectMs * (0.5 + Math.random())))
    const connect = listener.transport === 'sse' ? overEvents : overWebSocket
    const from = listener.forgets ? null : after
    await connect({ listener, field, after: from, onResult, signal: leaving }).catch(() => {})
    await sleep(50)
  }
}

if (import.meta.main) {
  const listener: Listener = JSON.parse(process.argv[2] ?? '')
  for (const field of fields) void follow(listener, field)
  process.stdout.write('ready\n')
}
