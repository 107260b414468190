import { setTimeout as sleep } from 'node:timers/promises'
import { LRUCache } from 'lru-cache'
import type { Pool } from 'pg'
import { createPool } from './db.ts'
import type { Log } from './log.ts'
import { isStatementError } from './statement-error.ts'

/** Where reads go that may be a little old: to a standby, as long as it is near enough, or to the primary. */
export type Replica = {
  /** Runs a read. `reader` is who asks: whoever has just written reads the primary. Null always does. */
  read: <T>(reader: string | null, run: (sql: Pool) => Promise<T>) => Promise<T>
  wrote: (reader: string) => void
  close: () => Promise<void>
}

export const replicaLimits = {
  /** How old what it answers may be, and so how long those who have written read the primary. */
  lagMs: 5_000,
  lookEveryMs: 500,
  /** A node that nobody asks does not look. */
  idleMs: 5_000,
  /** Of so many writers it is known that they have just written. */
  writers: 50_000,
} as const

type Options = {
  url: string | undefined
  connections: number
  sql: Pool
  /** For looks at the primary, however busy `sql` is. */
  reserve: Pool
  log: Log
  limits?: typeof replicaLimits
}

export function createReplica({ url, connections, sql, reserve, log, limits = replicaLimits }: Options): Replica {
  if (!url) return { read: (_reader, run) => run(sql), wrote: () => {}, close: async () => {} }
  const replica = createPool(url, connections)
  const watch = watchLag({ primary: reserve, standby: createPool(url, 1), log, limits })
  const writers = new LRUCache<string, number>({ max: limits.writers })

  const hasWritten = (reader: string) => performance.now() - (writers.get(reader) ?? -Infinity) < limits.lagMs
  const read = async <T>(reader: string | null, run: (sql: Pool) => Promise<T>): Promise<T> => {
    if (reader === null || !watch.isNear() || hasWritten(reader)) return run(sql)
    try {
      return await run(replica)
    } catch (error) {
      // It may be away, in the middle of a recovery conflict, or not have the newest tables yet. What is wrong with the
      // statement itself the primary says too.
      log.debug({ err: error }, 'a read is repeated on the primary')
      if (!isStatementError(error)) watch.doubt()
      return run(sql)
    }
  }
  return {
    read,
    wrote: (reader) => void writers.set(reader, performance.now()),
    close: async () => {
      await watch.close()
      await replica.end()
    },
  }
}

type Watch = { isNear: () => boolean; doubt: () => void; close: () => Promise<void> }
type Sample = { at: number; lsn: bigint }

const primaryQuery = `select pg_wal_lsn_diff(pg_current_wal_lsn(), '0/0')::text as lsn, epoch::text from events.head`
const standbyQuery = `
  select case when pg_is_in_recovery() then pg_wal_lsn_diff(pg_last_wal_replay_lsn(), '0/0')::text end as lsn, epoch::text
  from events.head`

/**
 * Compares how far the standby has come with where the primary was, and when: the standby's own word on its lag would be
 * wrong while nothing is written, and while it is cut off.
 */
function watchLag(options: { primary: Pool; standby: Pool; log: Log; limits: typeof replicaLimits }): Watch {
  const { primary, standby, log, limits } = options
  const stopping = new AbortController()
  let samples: Sample[] = []
  let upTo = -Infinity
  let askedAt = 0
  let watching: Promise<void> | null = null

  const look = async () => {
    const at = performance.now()
    const [here] = (await primary.query<{ lsn: string; epoch: string }>(primaryQuery)).rows
    if (!here) return
    samples = [...samples.filter((sample) => at - sample.at < limits.lagMs), { at, lsn: BigInt(here.lsn) }]
    const [there] = (await standby.query<{ lsn: string | null; epoch: string }>(standbyQuery)).rows
    if (!there || there.lsn === null || there.epoch !== here.epoch) {
      upTo = -Infinity
      throw new Error('DATABASE_REPLICA_URL is not a standby of DATABASE_URL.')
    }
    const replayed = BigInt(there.lsn)
    upTo = samples.findLast(({ lsn }) => lsn <= replayed)?.at ?? upTo
  }
  const watch = async () => {
    while (!stopping.signal.aborted && performance.now() - askedAt < limits.idleMs) {
      await look().catch((error) => log.warn({ err: error }, 'the replica is not used'))
      await sleep(limits.lookEveryMs, undefined, { ref: false, signal: stopping.signal }).catch(() => {})
    }
    watching = null
  }
  return {
    isNear: () => {
      askedAt = performance.now()
      watching ??= watch()
      return askedAt - upTo < limits.lagMs
    },
    doubt: () => {
      upTo = -Infinity
    },
    close: async () => {
      stopping.abort()
      await watching
      await standby.end()
    },
  }
}
