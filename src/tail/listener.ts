import { LimitExceeded, Unavailable } from '../errors.ts'
import { leavable } from '../lib/leavable.ts'
import { createQueue } from '../lib/queue.ts'
import type { LoggedEvent } from '../logged-event.ts'
import type { Entry } from './log.ts'
import type { Live, Reader } from './reader.ts'

/**
 * A listener that did not keep up was let go. Nothing is lost: it resumes after `seq`, the last event that it took. The
 * transport closes the socket with 4008 and says the cursor.
 */
export class TooSlow extends LimitExceeded {
  readonly seq: bigint
  /** The same as the caller may hold it. Set by `changes`. */
  readonly cursor: string | null

  constructor(seq: bigint, cursor: string | null = null) {
    super('Events came faster than they were taken. Subscribe again from the last cursor.')
    this.seq = seq
    this.cursor = cursor
  }

  override get details() {
    return { ...super.details, cursor: this.cursor }
  }
}

/** What one listener may hold, and how long it may be behind once it has overflowed. */
export type Limits = { items: number; bytes: number; catchUpMs: number }

type Options = { reader: Reader; after: bigint; limits: Limits; release: () => void }

/**
 * Behind, it pulls pages from the ring or the log at its own speed and holds nothing else; once there is little between
 * it and the reader it goes live, and the reader fills its queue. Full, it is behind again, but not for long.
 *
 * Throws ResyncRequired when what follows `after` is no longer in the log.
 */
export async function createListener(options: Options): Promise<AsyncIterableIterator<LoggedEvent>> {
  const { reader, limits } = options
  let position = options.after
  let left = false
  let deadline = Number.POSITIVE_INFINITY
  let queue = createQueue<Entry>(limits)

  /** In one step with the reader, so that nothing falls between what is copied and what comes next. */
  const goLive = (): Live | null => {
    if (reader.isClosed()) throw new Unavailable('The stream was interrupted. Subscribe again from the last cursor.')
    if (!reader.ring.covers(position)) return null
    const missed = reader.ring.after(position, limits.items)
    queue = createQueue<Entry>(limits)
    if (missed.length > limits.items / 2 || !missed.every((entry) => queue.push(entry, entry.bytes))) return null
    deadline = Number.POSITIVE_INFINITY
    const live = { queue, overflowed: () => overflowed(live.queue) }
    reader.live.add(live)
    return live
  }
  const overflowed = (full: typeof queue) => {
    deadline = Date.now() + limits.catchUpMs
    full.finish()
  }
  let current = goLive()
  let first = current ? [] : await reader.page(position)

  async function* events(): AsyncGenerator<LoggedEvent, undefined> {
    while (!left) {
      if (current) for await (const entry of current.queue) yield take(entry)
      else for (const entry of first) yield take(entry)
      if (left) return
      current = goLive()
      first = current ? [] : await reader.page(position)
    }
  }
  const take = ({ event }: Entry) => {
    if (Date.now() > deadline) throw new TooSlow(position)
    position = event.seq
    return event
  }
  return leavable(events(), () => {
    left = true
    if (current) reader.live.delete(current)
    queue.end()
    options.release()
  })
}
