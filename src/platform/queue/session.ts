import { randomInt } from 'node:crypto'
import type { Pool, PoolClient } from 'pg'

/** One half of the advisory lock that a process with a queue holds; its number is the other. */
const classId = 0x71756575

/**
 * SQL: whether the process of this number is gone. PostgreSQL ends the session of a process that dies, and with it the
 * lock; one that is frozen or cut off keeps its session, and its jobs until its leases end.
 */
export const isGone = (worker: string) =>
  `${worker} is not null and not exists (select from pg_locks l where l.locktype = 'advisory' and l.granted and l.objsubid = 2
     and l.classid = ${classId} and l.objid = ${worker}::oid and l.database = (select oid from pg_database where datname = current_database()))`

export type Session = {
  /** Names this process among all with a queue. */
  worker: number
  /** Whether the others know that it lives. */
  isHeld: () => boolean
  /** Fires when they might not any more: whatever runs may be somebody else's from then on. */
  signal: () => AbortSignal
  /** Resolves once it is held. */
  start: () => Promise<void>
  close: () => void
}

/** A session that lasts as long as the process, and is opened again where it is lost. */
export function createSession(sql: Pool, lost: Error, retryMs = 500): Session {
  const worker = randomInt(1, 2 ** 31)
  let closed = false
  let held: PoolClient | null = null
  let ended = new AbortController()
  let timer: NodeJS.Timeout | undefined
  const first = Promise.withResolvers<void>()
  const end = (client: PoolClient) => {
    if (held !== client) return
    held = null
    ended.abort(lost)
    client.release(true)
    if (!closed) timer = setTimeout(() => void open(), retryMs)
  }
  const open = async (): Promise<void> => {
    const client = await sql.connect().catch(() => null)
    const locked = await client
      ?.query('select pg_try_advisory_lock($1, $2) as got', [classId, worker])
      .catch(() => null)
    if (client && locked?.rows[0]?.got && !closed) {
      held = client
      ended = new AbortController()
      client.once('error', () => end(client))
      client.once('end', () => end(client))
      first.resolve()
      return
    }
    client?.release(true)
    if (!closed) timer = setTimeout(() => void open(), retryMs)
  }
  return {
    worker,
    isHeld: () => held !== null,
    signal: () => ended.signal,
    start: () => {
      void open()
      return first.promise
    },
    close: () => {
      closed = true
      clearTimeout(timer)
      if (held) end(held)
      first.resolve()
    },
  }
}
