/**
 * The subscribers of a run, in a process of their own. Each counts what it gets and adds up the numbers in it, so that what
 * is missing, what comes twice and what is not theirs is known without keeping it.
 */
import { beginPart, tell } from '../parts.ts'
import { openWire, type Wire } from './wire.ts'

/** One socket: whose it is, and what it subscribes to; null where it subscribes to nothing, as to a bare broadcast. */
export type Client = { principal: number; authorization?: string; subscriptions: readonly object[] | null }

export type Command =
  | { do: 'open'; url: string; clients: readonly Client[] }
  | { do: 'reset' }
  | { do: 'report' }
  /** Closes all. */
  | { do: 'leave' }
  /** Connects all again, each from where it was. */
  | { do: 'resume' }
  /** Closes all, for good. */
  | { do: 'forget' }

/** Of each socket: how many came, and the sum of their numbers. `forbidden` named another principal, `disordered` came twice or after a later one. */
export type Report = {
  counts: number[]
  sums: number[]
  forbidden: number
  disordered: number
  errors: string[]
  deliveries: number
  p50Ms: number
  p99Ms: number
  closed: number
}

type Subscriber = Client & { wire: Wire | null; count: number; sum: number; last: number; cursor: string | null }

const title = Buffer.from('"title":"')
const cursorKey = Buffer.from('"cursor":"')
const everybody = -1
/** In steps of a tenth of a millisecond, up to ten seconds. */
const latencies = new Uint32Array(100_000)
const subscribers: Subscriber[] = []
const errors: string[] = []
let url = ''
let forbidden = 0
let disordered = 0
let closed = 0

/** A title is `{number}@{when it was written}@{whose it is}`, the last of them -1 where it is everybody's. */
function take(subscriber: Subscriber, bytes: Buffer, from: number, to: number): void {
  const at = bytes.indexOf(title, from)
  if (at < 0 || at > to) {
    note(subscriber, bytes.toString('utf8', from, to))
    return
  }
  const [number = 0, writtenAt = 0, owner = 0] = readTitle(bytes, at + title.length)
  subscriber.count += 1
  subscriber.sum += number
  if (owner !== everybody && owner !== subscriber.principal) forbidden += 1
  const late = Math.max(0, performance.timeOrigin + performance.now() - writtenAt)
  const step = Math.min(latencies.length - 1, Math.floor(late * 10))
  latencies[step] = (latencies[step] ?? 0) + 1
  const place = bytes.indexOf(cursorKey, from) + cursorKey.length
  if (place >= cursorKey.length && place < to)
    follow(subscriber, bytes.toString('latin1', place, bytes.indexOf(34, place)))
}

/** A cursor begins with its place in the log. Each subscription has an order of its own. */
function follow(subscriber: Subscriber, cursor: string): void {
  const place = Number.parseInt(cursor, 36)
  if (place <= subscriber.last && subscriber.subscriptions?.length === 1) disordered += 1
  subscriber.last = place
  subscriber.cursor = cursor
}

function readTitle(bytes: Buffer, from: number): number[] {
  return bytes.toString('latin1', from, bytes.indexOf(34, from)).split('@').map(Number)
}

/** Who is told to try again does so, as a client is to. */
function note(subscriber: Subscriber, text: string): void {
  const { id, type } = JSON.parse(text) as { id?: string; type: string }
  if (type === 'connection_ack' || type === 'pong') return
  const i = Number(id?.split('-')[1])
  if (type === 'error' && text.includes('"UNAVAILABLE"'))
    setTimeout(() => start(subscriber, i), 200 + Math.random() * 800)
  else if (errors.length < 3) errors.push(text.slice(0, 500))
}

function start({ wire, subscriptions, cursor }: Subscriber, i: number): void {
  const payload = subscriptions?.[i] as { variables?: object } | undefined
  const variables = { ...payload?.variables, after: cursor }
  wire?.send(JSON.stringify({ id: `subscription-${i}`, type: 'subscribe', payload: { ...payload, variables } }))
}

async function openOne(subscriber: Subscriber): Promise<void> {
  const acknowledged = Promise.withResolvers<void>()
  let isReady = false
  const onText = (bytes: Buffer, from: number, to: number) => {
    if (isReady) return take(subscriber, bytes, from, to)
    isReady = true
    acknowledged.resolve()
  }
  const wire = await openWire(url, onText)
  subscriber.wire = wire
  void wire.closed.then(() => (closed += subscriber.wire === wire ? 1 : 0))
  const { subscriptions, authorization } = subscriber
  if (subscriptions === null) {
    isReady = true
    return
  }
  wire.send(JSON.stringify({ type: 'connection_init', payload: authorization ? { authorization } : {} }))
  await acknowledged.promise
  for (const i of subscriptions.keys()) start(subscriber, i)
}

/** Some at a time: a listening socket's queue is bounded. */
async function openAll(): Promise<void> {
  const waiting = [...subscribers]
  const openSome = async () => {
    for (let one = waiting.pop(); one; one = waiting.pop()) await openOne(one)
  }
  await Promise.all(Array.from({ length: 100 }, openSome))
}

function reset(): void {
  latencies.fill(0)
  for (const one of subscribers) Object.assign(one, { count: 0, sum: 0 })
  ;[forbidden, disordered, closed] = [0, 0, 0]
  errors.length = 0
}

function report(): Report {
  const deliveries = subscribers.reduce((sum, { count }) => sum + count, 0)
  const at = (share: number) => {
    let left = latencies.reduce((sum, count) => sum + count, 0) * share
    const step = latencies.findIndex((count) => {
      left -= count
      return count > 0 && left <= 0
    })
    return Math.max(0, step) / 10
  }
  return {
    counts: subscribers.map(({ count }) => count),
    sums: subscribers.map(({ sum }) => sum),
    ...{ forbidden, disordered, errors, deliveries, p50Ms: at(0.5), p99Ms: at(0.99), closed },
  }
}

function leaveAll(): void {
  for (const subscriber of subscribers) {
    const { wire } = subscriber
    subscriber.wire = null
    wire?.close()
  }
}

async function run(command: Command): Promise<object> {
  if (command.do === 'report') return report()
  if (command.do === 'reset') reset()
  else if (command.do === 'open') {
    url = command.url
    subscribers.push(
      ...command.clients.map((one) => ({ ...one, wire: null, count: 0, sum: 0, last: -1, cursor: null })),
    )
    await openAll()
  } else {
    leaveAll()
    if (command.do === 'resume') await openAll()
    if (command.do === 'forget') subscribers.length = 0
  }
  return {}
}

if (import.meta.main) {
  beginPart()
  process.on('message', async (command: Command) => {
    tell(await run(command).catch((error: Error) => ({ failed: error.message })))
  })
  tell({ url: '' })
}
