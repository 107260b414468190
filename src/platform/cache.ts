import { hash } from 'node:crypto'
import { LRUCache } from 'lru-cache'
import type { Pool } from 'pg'
import { LimitExceeded } from '../errors.ts'
import { createStore } from './cache/store.ts'
import { createWatch } from './cache/watch.ts'
import type { Log } from './log.ts'

/** A statement on documents whose answer may be kept. */
export type Question = {
  /** Who asks: whoever has just written is answered by the database. Null always is. */
  reader: string | null
  /** Its project and the collections whose rows decide the answer. */
  about: readonly string[]
  seconds: number
  text: string
  values: readonly unknown[]
}

/** Answers about documents, kept in Redis while they are true: docs/decisions/0010 shows how that is known. */
export type Cache = {
  /** The answer that is kept, or the one that `ask` gets from the primary. */
  answer: (question: Question, ask: () => Promise<string | null>) => Promise<string | null>
  wrote: (reader: string) => void
  /** Finds out now what has changed. */
  look: () => Promise<void>
  /** How many questions were answered by what was kept. */
  hits: () => number
  close: () => void
}

export const cacheLimits = {
  /** Most bytes of an answer that is kept. */
  bytes: 1_000_000,
  /** Within this time after one asked, others who ask the same wait for the same answer. */
  joinMs: 200,
  /** Of so many writers it is known that they have just written. */
  writers: 50_000,
} as const

type Flight = { begunAt: number; since: bigint; answer: Promise<string | null> }

/** `sql` is for looks at the log, however busy the pool is. */
export function createCache(options: { sql: Pool; redisUrl: string; prefix: string; log: Log }): Cache {
  const store = createStore(options.redisUrl)
  const watch = createWatch(options)
  const flights = new Map<string, Flight>()
  const writers = new LRUCache<string, number>({ max: cacheLimits.writers })
  let hits = 0

  const hasWritten = (reader: string) => (writers.get(reader) ?? -Infinity) >= watch.lookedAt()
  const findOrAsk = async (key: string, { about, seconds }: Question, ask: () => Promise<string | null>) => {
    const kept = readKept(await store.get(key))
    if (kept && watch.isUnchanged(about, kept.since)) {
      hits += 1
      return kept.answer
    }
    const since = watch.head()
    const answer = await ask()
    const isSmall = answer === null || Buffer.byteLength(answer) <= cacheLimits.bytes
    if (isSmall && watch.isUnchanged(about, since)) store.set(key, `${since} ${answer ?? ''}`, seconds)
    return answer
  }
  const answer = async (question: Question, ask: () => Promise<string | null>) => {
    const { reader, about } = question
    if (reader === null || !(await watch.isCurrent()) || hasWritten(reader)) return ask()
    const since = watch.head()
    if (!watch.isUnchanged(about, since)) return ask()
    const key = options.prefix + keyOf(question)
    const flight = flights.get(key)
    const begunAt = performance.now()
    if (flight && begunAt - flight.begunAt < cacheLimits.joinMs && watch.isUnchanged(about, flight.since)) {
      // Who asked first may have been answered too much already: that is nobody else's limit.
      return flight.answer.catch((error) => (error instanceof LimitExceeded ? ask() : Promise.reject(error)))
    }
    const mine = { begunAt, since, answer: findOrAsk(key, question, ask) }
    flights.set(key, mine)
    return mine.answer.finally(() => {
      if (flights.get(key) === mine) flights.delete(key)
    })
  }
  const wrote = (reader: string) => void writers.set(reader, performance.now())
  return { answer, hits: () => hits, wrote, look: watch.look, close: store.close }
}

type Kept = { since: bigint; answer: string | null }

/** A place in the log and the answer of then: no answer is empty, so that stands for none. */
function readKept(text: string | null): Kept | null {
  const [, since, answer] = text?.match(/^(\d{1,19}) (.*)$/s) ?? []
  return since === undefined ? null : { since: BigInt(since), answer: answer || null }
}

/**
 * Two questions of one key are one question to PostgreSQL: the statement holds the document, the schema and which rights
 * decide; its values hold the variables and, where documents grant rights by themselves, the caller's roles and id.
 */
function keyOf({ seconds, text, values }: Question): string {
  return hash('sha256', JSON.stringify([seconds, text, values], exactly), 'base64url')
}

/** JSON would write all of NaN, Infinity and null as null, and refuses a bigint. */
function exactly(_key: string, value: unknown): unknown {
  return typeof value === 'number' || typeof value === 'bigint' ? `${typeof value} ${value}` : value
}
