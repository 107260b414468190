import type { Pool } from 'pg'
import { ResyncRequired, Unavailable } from './errors.ts'
import type { LoggedEvent } from './logged-event.ts'
import type { Log as Logger } from './platform/log.ts'
import { channelsOf, createPubsub } from './platform/pubsub.ts'
import { createListener, type Limits } from './tail/listener.ts'
import { createLogReader } from './tail/log.ts'
import type { Reader, Watcher } from './tail/reader.ts'
import { createReaders } from './tail/readers.ts'

export { TooSlow } from './tail/listener.ts'

/** The node's readers of the event log: one for each project that somebody here listens to. */
export type Tails = {
  /** Names the log. A cursor of another one cannot be resumed. */
  epoch: string
  /**
   * A project's events in the order of the log, each once, from the one after `after` on (null: from now on). By the time
   * the promise resolves nothing that is committed later can be missed. `return()` leaves. Throws ResyncRequired when
   * `after` is no longer in the log. A listener that does not keep up is ended with TooSlow.
   */
  listen: (projectId: string, after: bigint | null) => Promise<AsyncIterableIterator<LoggedEvent>>
  /** The same for those who keep their own place in the stream, as many as they are. */
  open: (projectId: string) => Promise<Stream>
  /** The seq of the project's last event in the log. Read before a snapshot, it is where the stream that follows begins. */
  head: (projectId: string) => Promise<bigint>
  close: () => Promise<void>
}

/** A project's events as the node holds them. */
export type Stream = {
  /** The seq of the last event that is here. */
  last: () => bigint
  /** Resolves when the event of a cursor is here, which may come from a node that is ahead. Throws ResyncRequired where there is none. */
  reach: (seq: bigint) => Promise<void>
  page: Reader['page']
  /** Calls for each event from now on, in the order of the log. Answers how to stop. */
  watch: (watcher: Watcher) => () => void
  release: () => void
}

/** `lingerMs`: how long a reader outlives its last listener, so that a client that comes back finds its events in memory. */
type Options = { sql: Pool; redisUrl: string; prefix: string; log: Logger; limits?: Limits; lingerMs?: number }

/** What a listener may hold before it is cut, as docs/decisions/0002 explains. */
const defaultLimits: Limits = { items: 256, bytes: 1_000_000, catchUpMs: 2_000 }

export async function createTails(options: Options): Promise<Tails> {
  const { sql, redisUrl, prefix, log, limits = defaultLimits, lingerMs = 10_000 } = options
  const { rows } = await sql.query<{ epoch: string }>('select epoch from events.head')
  const epoch = rows[0]?.epoch
  if (!epoch) throw new Error('The database has no event log: it is not migrated.')
  const source = createLogReader(sql)
  const pubsub = createPubsub(redisUrl, log)
  const readers = createReaders({ source, pubsub, log, channels: channelsOf(prefix), lingerMs })
  await readers.ready

  const reach = async (projectId: string, { ring, current }: Reader, seq: bigint) => {
    if (seq <= ring.last()) return
    await readers.check([projectId])
    await current()
    if (seq > ring.last()) throw new ResyncRequired('The cursor is ahead of the log.')
  }
  const listen = async (projectId: string, after: bigint | null) => {
    const { reader, release } = await readers.acquire(projectId)
    try {
      if (after !== null) await reach(projectId, reader, after)
      return await createListener({ reader, after: after ?? reader.ring.last(), limits, release })
    } catch (error) {
      release()
      throw error
    }
  }
  const open = async (projectId: string): Promise<Stream> => {
    const { reader, release } = await readers.acquire(projectId)
    const watch = (watcher: Watcher) => {
      if (reader.isClosed()) throw new Unavailable('The stream was interrupted. Subscribe again from the last cursor.')
      reader.watchers.add(watcher)
      return () => void reader.watchers.delete(watcher)
    }
    return { last: reader.ring.last, reach: (seq) => reach(projectId, reader, seq), page: reader.page, watch, release }
  }
  const head = async (projectId: string) => (await source.heads([projectId])).get(projectId) ?? 0n
  const close = async () => {
    readers.close()
    pubsub.close()
  }
  return { epoch, listen, open, head, close }
}
