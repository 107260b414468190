/**
 * The load of a benchmark, in a process of its own: as many connections as it is told, each of which asks, waits for the
 * answer and asks again. It reads answers with as little work as it can, for it shares the machine with what it measures.
 */
import { connect, type Socket } from 'node:net'
import { beginPart, tell } from './parts.ts'

export type Load = {
  url: string
  authorization?: string
  /** Bodies of requests, sent one after the other, over and over. */
  bodies: readonly string[]
  connections: number
  seconds: number
  /** Requests that are begun in a second by all connections together; as many as come if left out. */
  perSecond?: number
  /** Whether all connections ask at the same moments, and not in turns. */
  together?: boolean
  /** After so many requests it is over, whatever time is left. */
  most?: number
  /** What each answer has to hold. */
  expected?: string
}

export type Measured = {
  requests: number
  rps: number
  p50Ms: number
  p99Ms: number
  latencies: readonly number[]
  failures: readonly string[]
}

type Run = {
  requests: readonly Buffer[]
  sent: number
  until: number
  most: number
  expected: string
  /** From one request of a connection to its next, 0 where that follows the answer. */
  waitMs: number
  latencies: number[]
  failures: string[]
}

const headEnd = Buffer.from('\r\n\r\n')
const errors = Buffer.from('"errors":[')

function requestOf({ host, pathname }: URL, authorization: string | undefined, body: string): Buffer {
  const head = [
    `POST ${pathname} HTTP/1.1`,
    `host: ${host}`,
    'content-type: application/json',
    'accept: application/json',
    `content-length: ${Buffer.byteLength(body)}`,
    ...(authorization ? [`authorization: ${authorization}`] : []),
  ]
  return Buffer.from(`${head.join('\r\n')}\r\n\r\n${body}`)
}

/** The length of the answer that begins here, null while its head is not whole. */
function lengthOf(bytes: Buffer): number | null {
  const end = bytes.indexOf(headEnd)
  if (end < 0) return null
  const head = bytes.toString('latin1', 0, end)
  const length = /\r\ncontent-length: (\d+)/i.exec(head)?.[1]
  if (length === undefined) throw new Error(`An answer says no length: ${head}`)
  return end + headEnd.length + Number(length)
}

function check(answer: Buffer, run: Run): void {
  const isData = answer.toString('latin1', 9, 12) === '200' && !answer.includes(errors)
  if (isData && answer.includes(run.expected)) return
  if (run.failures.length < 3) run.failures.push(answer.toString('utf8', 0, 2000))
}

/** What is to be asked while an answer is still waited for has waited since its time. */
function ask(socket: Socket, run: Run, first: number): Promise<void> {
  return new Promise((resolve, reject) => {
    let parts: Buffer[] = []
    let have = 0
    let whole: number | null = null
    let due = first
    let since = 0
    const send = (from?: number) => {
      if (performance.now() >= run.until || run.sent >= run.most) return resolve()
      const request = run.requests[run.sent++ % run.requests.length]
      since = from ?? performance.now()
      if (request) socket.write(request)
    }
    const next = (now: number) => {
      due += run.waitMs
      if (run.waitMs === 0) send()
      else if (due <= now) send(due)
      else setTimeout(send, due - now)
    }
    socket.on('data', (bytes: Buffer) => {
      parts.push(bytes)
      have += bytes.length
      whole ??= lengthOf(parts.length === 1 ? bytes : Buffer.concat(parts))
      if (whole === null || have < whole) return
      const now = performance.now()
      // However slow the machine is, there is one.
      if (now < run.until || run.latencies.length === 0) run.latencies.push(now - since)
      check(parts.length === 1 ? bytes : Buffer.concat(parts), run)
      parts = []
      have = 0
      whole = null
      next(now)
    })
    socket.on('error', reject)
    socket.on('close', () => reject(new Error('A connection was closed.')))
    setTimeout(send, Math.max(0, first - performance.now()))
  })
}

async function measure(load: Load): Promise<Measured> {
  const { url, authorization, bodies, connections, seconds, perSecond, together = false } = load
  const { most = Number.POSITIVE_INFINITY, expected = '' } = load
  const place = new URL(url)
  const sockets = await Promise.all(Array.from({ length: connections }, () => open(place)))
  const begun = performance.now()
  const run: Run = {
    requests: bodies.map((body) => requestOf(place, authorization, body)),
    sent: 0,
    until: begun + seconds * 1000,
    most,
    expected,
    waitMs: perSecond ? (1000 * connections) / perSecond : 0,
    latencies: [],
    failures: [],
  }
  const apart = together ? 0 : run.waitMs / connections
  await Promise.all(sockets.map((socket, i) => ask(socket, run, begun + i * apart)))
  for (const socket of sockets) socket.removeAllListeners('close').destroy()
  const sorted = run.latencies.sort((a, b) => a - b)
  const at = (share: number) => sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))] ?? 0
  const requests = sorted.length
  const { latencies, failures } = run
  return { requests, rps: requests / seconds, p50Ms: at(0.5), p99Ms: at(0.99), latencies, failures }
}

function open({ hostname, port }: URL): Promise<Socket> {
  return new Promise((resolve, reject) => {
    const socket = connect({ host: hostname, port: Number(port), noDelay: true }, () => resolve(socket))
    socket.once('error', reject)
  })
}

if (import.meta.main) {
  beginPart()
  process.on('message', async (load: Load) => tell(await measure(load)))
  tell({ url: '' })
}
