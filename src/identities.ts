import { setTimeout as sleep } from 'node:timers/promises'
import { LRUCache } from 'lru-cache'
import type { Pool } from 'pg'
import type { Log } from './platform/log.ts'

/** What was found of a credential or of a project. */
export type Identity<Found = unknown> = {
  found: Found
  /** What an event names that changes it: the project, and the key, or the user and their session. */
  ids: readonly string[]
  expiresAt: Date | null
}

/** Who callers are, as this node found them: never older than `leaseMs`, as docs/decisions/0009 shows. */
export type Identities = {
  /** What is known under this name, or what `read` finds. Only what is `worth` it is kept. */
  find: <Found>(name: string, now: Date, read: () => Promise<Identity<Found>>) => Promise<Identity<Found>>
  /** Drops what is known of these ids, and keeps nothing whose reading began before. */
  forget: (ids: Iterable<string>) => void
  close: () => Promise<void>
}

const most = 10_000
/** A hard limit, should a change ever come without an event. */
const maxAgeMs = 30_000
/** How long after it was begun a look at the events vouches for what is known. */
const leaseMs = 750
const lookEveryMs = 200
/** A node that nobody asks does not look. */
const idleMs = 5_000

/** Events that may change who a caller is, or what a function runs with; nobody is known yet who has just been created. */
const isAboutCallers = /^(variables\.|(users|sessions|keys|members|projects|functions)\.(?!created$|schema-changed$))/

export function namesCallers(type: string): boolean {
  return isAboutCallers.test(type)
}

/** What an event names: the parts of its path, and its payload's values. */
export function namedBy(aggregate: string, payload: unknown): string[] {
  return [...aggregate.split('.'), ...Object.values(payload ?? {}).filter((value) => typeof value === 'string')]
}

/**
 * Reads who callers are once, and again after a change. A change is in the outbox from the moment of its commit, and later in
 * the log, so one statement that looks at both sees it without relay or Redis; while that statement fails, nothing is known.
 */
export function createIdentities({ sql, log }: { sql: Pool; log: Log }): Identities {
  const known = createKnown()
  const stopping = new AbortController()
  let seq: string | null = null
  let leaseUntil = 0
  let askedAt = 0
  let watching: Promise<void> | null = null
  const reading = new Map<string, { generation: number; begun: number; identity: Promise<Identity> }>()

  const look = async () => {
    const begun = performance.now()
    // What happened in a long silence is not looked up.
    if (begun > leaseUntil + maxAgeMs) seq = null
    const { rows } = await sql.query<Row>({ name: 'identities', text: changesQuery, values: [seq] })
    // Changes up to here are not told, so neither what is known nor what is being read may stay.
    if (seq === null) known.clear()
    for (const { head, aggregate, payload } of rows) {
      if (head !== null) seq = head
      else if (aggregate !== null) known.forget(namedBy(aggregate, payload))
    }
    leaseUntil = begun + leaseMs
  }
  const watch = async () => {
    while (!stopping.signal.aborted && performance.now() - askedAt < idleMs) {
      await look().catch((error) => log.warn({ err: error }, 'changes of callers could not be read'))
      await sleep(lookEveryMs, undefined, { ref: false, signal: stopping.signal }).catch(() => {})
    }
    watching = null
  }
  return {
    find: async <Found>(name: string, now: Date, read: () => Promise<Identity<Found>>) => {
      askedAt = performance.now()
      watching ??= watch()
      const found = askedAt < leaseUntil ? known.get(name, now) : undefined
      if (found) return found as Identity<Found>
      const generation = known.generation()
      const asked = reading.get(name)
      // Many who come at once with one credential wait for one answer, if nothing was heard since it was asked for.
      if (asked?.generation === generation && askedAt - asked.begun < lookEveryMs)
        return (await asked.identity) as Identity<Found>
      const identity = read()
      const mine = { generation, begun: askedAt, identity }
      reading.set(name, mine)
      try {
        const found = await identity
        if (generation === known.generation() && found.ids.length > 0) known.put(name, found)
        return found
      } finally {
        if (reading.get(name) === mine) reading.delete(name)
      }
    },
    forget: known.forget,
    close: async () => {
      stopping.abort()
      await watching
    },
  }
}

type Row = { head: string | null; aggregate: string | null; payload: unknown }

/** The first half is the condition of the index `outbox_remembered`: however much waits in the outbox, little of it is read. */
const aboutCallers = `type ~ '^(users|sessions|keys|members|projects|functions|variables)\\.'
  and type !~ '^(users|sessions|keys|members|projects|functions)\\.(created|schema-changed)$'`

/** One snapshot of both: an event that moves from the outbox to the log is seen in one of them. */
export const changesQuery = `
  select seq::text as head, null as aggregate, null::jsonb as payload from events.head
  union all
  select null, aggregate, payload from events.outbox where ${aboutCallers}
  union all
  select null, aggregate, payload from events.log where seq > $1::bigint and ${aboutCallers}`

type Kept = Identity & { keptAt: number }

function createKnown() {
  const byId = new Map<string, Set<string>>()
  const kept = new LRUCache<string, Kept>({ max: most, dispose: ({ ids }, name) => unlink(ids, name) })
  let generation = 0

  const unlink = (ids: readonly string[], name: string) => {
    for (const id of ids) {
      const names = byId.get(id)
      names?.delete(name)
      if (names?.size === 0) byId.delete(id)
    }
  }
  return {
    generation: () => generation,
    get: (name: string, now: Date): Identity | undefined => {
      const identity = kept.get(name)
      if (!identity) return undefined
      const isOver = identity.expiresAt !== null && identity.expiresAt <= now
      if (!isOver && performance.now() - identity.keptAt < maxAgeMs) return identity
      kept.delete(name)
      return undefined
    },
    put: (name: string, identity: Identity) => {
      // Deleted first: the old value's ids are unlinked before the new one's are linked.
      kept.delete(name)
      kept.set(name, { ...identity, keptAt: performance.now() })
      for (const id of identity.ids) byId.set(id, (byId.get(id) ?? new Set()).add(name))
    },
    forget: (ids: Iterable<string>) => {
      generation += 1
      for (const id of ids) for (const name of [...(byId.get(id) ?? [])]) kept.delete(name)
    },
    clear: () => {
      generation += 1
      kept.clear()
    },
  }
}
