import { setTimeout as sleep } from 'node:timers/promises'
import { ResyncRequired, Unavailable } from '../errors.ts'
import type { Queue } from '../lib/queue.ts'
import type { Log as Logger } from '../platform/log.ts'
import { type Entry, hasHole, type Log, type Message, toEntry } from './log.ts'
import { createPages } from './pages.ts'
import { createRing, type Ring } from './ring.ts'

/** Where a reader puts events, and whom it tells when it has let go of one that was full. */
export type Live = { queue: Queue<Entry>; overflowed: () => void }

/** Who is told of each event as it comes, and of the end; it must not take long. */
export type Watcher = { onEvent: (entry: Entry) => void; onEnd: (error: Error) => void }

/** A project's events, read once for all of a node's listeners. */
export type Reader = {
  ring: Ring
  live: Set<Live>
  watchers: Set<Watcher>
  /**
   * The next events after a place, out of the ring or of the log: none that is not in the ring yet. Throws ResyncRequired
   * where the log no longer holds them.
   */
  page: (after: bigint) => readonly Entry[] | Promise<readonly Entry[]>
  onMessage: (message: Message) => void
  /** Says how far the log is known to go; what is missing up to there is read from it. */
  onHead: (seq: bigint) => void
  /** Resolves when everything up to the head that is known is here. */
  current: () => Promise<void>
  isClosed: () => boolean
  close: () => void
}

const pageSize = 200
/** Messages that came while the log was being read, kept so that reading it comes to an end under load. */
const maxEarly = 1_000
const ringLimits = { items: 1_000, bytes: 4_000_000 }

export function createReader(options: { projectId: string; head: bigint; source: Log; log: Logger }): Reader {
  const { projectId, source, log } = options
  const ring = createRing(options.head, ringLimits)
  const live = new Set<Live>()
  const watchers = new Set<Watcher>()
  const pages = createPages(source, projectId)
  const early = new Map<bigint, Message>()
  let target = options.head
  let filling: Promise<void> | null = null
  let closed = false

  const deliver = (entry: Entry, crowded: number) => {
    ring.append(entry)
    for (const watcher of watchers) watcher.onEvent(entry)
    offer(live, entry, crowded)
  }
  const drainEarly = () => {
    for (let next = early.get(ring.last()); next; next = early.get(ring.last())) deliver(toEntry(next, next.bytes), 1)
    for (const prev of early.keys()) if (prev < ring.last()) early.delete(prev)
  }
  const fillPage = async () => {
    const from = ring.last()
    const page = await source.page(projectId, from, pageSize)
    if (hasHole(page, from)) throw new ResyncRequired('Events that were not read yet are no longer in the log.')
    // A page comes at once, so queues are let go of early rather than overrun by it.
    for (const entry of page) if (!closed) deliver(entry, 0.5)
    drainEarly()
  }
  const fill = () =>
    persist(
      fillPage,
      () => !closed && ring.last() < target,
      (error) => {
        if (error instanceof ResyncRequired) fail(error)
        else log.warn({ err: error, projectId }, 'the event log could not be read')
      },
    )
  const fail = (error: Error) => {
    closed = true
    for (const listener of live) listener.queue.end(error)
    live.clear()
    for (const watcher of watchers) watcher.onEnd(error)
    watchers.clear()
  }
  const onHead = (seq: bigint) => {
    if (seq > target) target = seq
    if (ring.last() >= target || filling || closed) return
    filling = fill().finally(() => {
      filling = null
      early.clear()
    })
  }
  const onMessage = (message: Message) => {
    const [seq, prev] = [BigInt(message.seq), BigInt(message.prev)]
    if (seq <= ring.last() || closed) return
    if (prev === ring.last() && message.payload !== undefined && !filling) {
      deliver(toEntry(message, message.bytes), 1)
      if (seq > target) target = seq
      return
    }
    if (message.payload !== undefined && early.size < maxEarly) early.set(prev, message)
    onHead(seq)
  }
  const page = (after: bigint) => {
    if (ring.covers(after)) return ring.after(after, pageSize)
    return after > ring.last() ? [] : pages(after).then((entries) => upTo(entries, ring.last()))
  }
  const close = () => fail(new Unavailable('The server is stopping. Subscribe again from the last cursor.'))
  const current = async () => filling ?? undefined
  return { ring, live, watchers, page, onMessage, onHead, current, isClosed: () => closed, close }
}

function upTo(entries: readonly Entry[], last: bigint): readonly Entry[] {
  return (entries.at(-1)?.event.seq ?? 0n) <= last ? entries : entries.filter(({ event }) => event.seq <= last)
}

/** A queue that is full is let go of: its listener reads on from the log, at its own speed. */
function offer(live: Set<Live>, entry: Entry, crowded: number): void {
  for (const listener of live) {
    if (listener.queue.fill() < crowded && listener.queue.push(entry, entry.bytes)) continue
    live.delete(listener)
    listener.overflowed()
  }
}

/** Does it again as long as it is wanted, and more and more slowly while it fails. */
async function persist(step: () => Promise<void>, isWanted: () => boolean, onError: (error: unknown) => void) {
  for (let wait = 100; isWanted(); ) {
    try {
      await step()
      wait = 100
    } catch (error) {
      onError(error)
      if (isWanted()) await sleep(wait)
      wait = Math.min(wait * 2, 2_000)
    }
  }
}
