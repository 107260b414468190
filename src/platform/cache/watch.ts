import { LRUCache } from 'lru-cache'
import type { Pool } from 'pg'
import type { Log } from '../log.ts'

/** What of the log is known to have changed: collections, or whole projects, by their ids. */
export type Watch = {
  /** Whether it is known what changed up to half a second ago, as far as that can be found out in a moment. */
  isCurrent: () => Promise<boolean>
  /** How far the log went at the last look: whatever is read from here on has all that. */
  head: () => bigint
  /** Whether nothing about these has changed after this place of the log. */
  isUnchanged: (ids: readonly string[], since: bigint) => boolean
  look: () => Promise<void>
  /** When the last look began. */
  lookedAt: () => number
}

export const watchLimits = {
  /** A look that is older than this is followed by another one. */
  lookAfterMs: 100,
  /** How long after it was begun a look is relied on. */
  trustMs: 500,
  /** How long a read waits for a look where there is none to rely on. */
  waitMs: 50,
  /** So many events are looked through at once. With more, everything counts as changed. */
  waiting: 5_000,
  logged: 20_000,
  /** Of so many collections and projects it is known when they changed. */
  ids: 10_000,
} as const

/** Changes of documents, and of what they look like. */
const isChange = `(type like 'documents.%' or type = 'projects.schema-changed')`
const id = `coalesce(payload ->> 'collectionId', payload ->> 'projectId')`

/**
 * One snapshot of both: an event that moves from the outbox to the log is seen in one of them. The outbox is read in its order, by its
 * index: a scan would go through all the pages that are left empty when much has waited there.
 */
export const lookQuery = `
  with waiting as (select type, payload from events.outbox order by position limit ${watchLimits.waiting + 1})
  select h.seq::text as head, (select count(*)::int from waiting) as waiting,
    (select coalesce(array_agg(distinct ${id}), '{}') from waiting where ${isChange}) as pending,
    (select coalesce(json_object_agg(id, seq), '{}') from (
       select ${id} as id, max(seq)::text as seq from events.log
       where seq > greatest(coalesce($1::bigint, h.seq), h.seq - ${watchLimits.logged}) and ${isChange} group by 1) l
    ) as changed
  from events.head h`

type Row = { head: string; waiting: number; pending: string[]; changed: Record<string, string> }

/** Asks outbox and log themselves, so that it needs neither relay nor Redis. It asks only while it is asked. */
export function createWatch({ sql, log }: { sql: Pool; log: Log }): Watch {
  const changed = new LRUCache<string, bigint>({
    max: watchLimits.ids,
    // What is no longer known has changed, for all that is known.
    dispose: (seq, _id, reason) => {
      if (reason === 'evict' && seq > beginning) beginning = seq
    },
  })
  let pending: ReadonlySet<string> = new Set()
  let overrun = false
  let head: bigint | null = null
  /** What happened before is not known. */
  let beginning = 0n
  let begunAt = -Infinity
  let looking: Promise<void> | null = null

  const look = async () => {
    const begun = performance.now()
    const { rows } = await sql.query<Row>({
      name: 'cache',
      text: lookQuery,
      values: [head === null ? null : `${head}`],
    })
    const [row] = rows
    if (!row || begun < begunAt) return
    const last = BigInt(row.head)
    if (head === null || last - head > watchLimits.logged || last < head) {
      beginning = last
      changed.clear()
    }
    for (const [id, seq] of Object.entries(row.changed)) changed.set(id, BigInt(seq))
    head = last
    pending = new Set(row.pending)
    overrun = row.waiting > watchLimits.waiting
    begunAt = begun
  }
  const lookOnce = () => {
    looking ??= look()
      .catch((error) => log.warn({ err: error }, 'the cache does not know what has changed'))
      .finally(() => {
        looking = null
      })
    return looking
  }
  const isCurrent = async () => {
    const age = () => performance.now() - begunAt
    if (age() > watchLimits.lookAfterMs) void lookOnce()
    if (age() > watchLimits.trustMs) await Promise.race([lookOnce(), wait(watchLimits.waitMs)])
    return age() <= watchLimits.trustMs && !overrun
  }
  const isUnchanged = (ids: readonly string[], since: bigint) =>
    since >= beginning && ids.every((id) => !pending.has(id) && (changed.get(id) ?? 0n) <= since)
  return { isCurrent, head: () => head ?? 0n, isUnchanged, look, lookedAt: () => begunAt }
}

function wait(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms).unref())
}
