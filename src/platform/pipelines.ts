import type { Pool, PoolClient } from 'pg'
import { createBag } from '../lib/bag.ts'
import { streamOf } from './db.ts'
import { isStatementError } from './statement-error.ts'

/** A statement that answers one text. */
export type Read = {
  config: { name?: string; text: string; values: unknown[]; rowMode: 'array' }
  /** How long PostgreSQL is expected to work on it. */
  costMs: number
  /** Told the answer, or the error, and how long PostgreSQL worked on it: the mean of it and what was sent before it. */
  done: (error: Error | null, answer: string | null, tookMs: number) => void
}

/** Reads that share connections of a pool. */
export type Pipelines = { ask: (read: Read) => void }

type IsWorn = (client: PoolClient, read: Read) => boolean

export const pipelineLimits = {
  /** How long what a read finds before it on a connection, and itself, may be expected to take: beyond, it gets another. */
  aheadMs: 2,
  /** When the first takes longer than this, those behind it are asked elsewhere. */
  lateMs: 20,
}

/**
 * Quick reads are sent on one connection without waiting for the answers to those before them, and what is asked for in
 * one turn of the event loop is sent in one piece: more than half of what such a read costs, here and in PostgreSQL, is
 * the two talking to each other (decision 0027). Nobody waits for a slow one: what is known to be slow is asked for on a
 * connection of its own, and what turns out to be is left behind. `isWorn` says whether a connection that has answered a
 * read is to be replaced. The pool's connections must have `pipeline` set.
 */
export function createPipelines(pool: Pool, isWorn: IsWorn, limits = pipelineLimits): Pipelines {
  const lines = createBag<Line>()
  const repeated = new WeakSet<Read>()
  let isWatched = false

  const ask = (read: Read) => {
    findLine(read.costMs).add(read)
    watch()
  }
  const findLine = (costMs: number) => {
    let least: Line | undefined
    for (const line of lines) if (line.isOpen() && (!least || line.aheadMs() < least.aheadMs())) least = line
    if (least && least.aheadMs() + costMs <= limits.aheadMs) return least
    const line = openLine(pool, isWorn, { again: repeat, over: () => lines.remove(line) })
    lines.add(line)
    return line
  }
  /** Asks once more, on a connection of its own: it is a read, and so it may be asked twice. Not more, or a slow server had more to do. */
  const repeat = (read: Read) => {
    if (repeated.has(read)) return false
    repeated.add(read)
    ask(Object.assign(read, { costMs: limits.aheadMs }))
    return true
  }
  const look = () => {
    isWatched = false
    const late = performance.now() - limits.lateMs
    for (const line of lines) for (const read of line.leaveBehind(late)) repeat(read)
    watch()
  }
  const watch = () => {
    if (isWatched || lines.size() === 0) return
    isWatched = true
    // What has come while this process was at something else is taken first.
    setTimeout(() => setImmediate(look), limits.lateMs / 2)
  }
  return { ask }
}

/** A connection that is taken from the pool for as long as there is something to ask on it. */
type Line = {
  add: (read: Read) => void
  /** How long all that is asked on it is expected to take. */
  aheadMs: () => number
  /** Whether more may be asked on it. */
  isOpen: () => boolean
  /** Ends it once its first read has been worked on since before `late`. Answers those that wait behind that one. */
  leaveBehind: (late: number) => Read[]
}

type Ends = {
  /** Asks a read again elsewhere. False where it has been already. */
  again: (read: Read) => boolean
  /** Told when the connection is given back. */
  over: () => void
}

function openLine(pool: Pool, isWorn: IsWorn, { again, over }: Ends): Line {
  /** In the order in which they are answered. The first `sent` are on their way; of those in `left` nobody wants to know. */
  const reads: Read[] = []
  const left = new Set<Read>()
  let sent = 0
  let aheadMs = 0
  /** Since when PostgreSQL works on the first. */
  let since = 0
  /** Since when it works without a pause, and how many it has answered since. */
  let begun = 0
  let answered = 0
  let isClosed = false
  /** Whether the connection is to be replaced. */
  let isSpent = false
  let connection: { client: PoolClient; giveBack: (isSpent: boolean) => void } | null = null

  const send = ({ client }: { client: PoolClient }) => {
    if (sent === 0) [begun, since, answered] = [performance.now(), performance.now(), 0]
    streamOf(client).cork()
    for (; sent < reads.length; sent += 1) {
      const read = reads[sent]
      if (read) client.query<[string]>(read.config, (error, result) => take(read, error, result?.rows[0]?.[0]))
    }
    streamOf(client).uncork()
  }
  const take = (read: Read, error: Error | null, answer: string | undefined) => {
    if (!connection) return
    // The answers are whose they are, or nobody's.
    if (reads[0] !== read) return end(reads.splice(0), new Error('Answers of PostgreSQL came out of order.'))
    reads.shift()
    since = performance.now()
    answered += 1
    sent -= 1
    aheadMs -= read.costMs
    isSpent ||= isWorn(connection.client, read) || (error !== null && (!isStatementError(error) || isUnprepared(error)))
    isClosed ||= isSpent
    if (reads.length === 0) end([], null)
    if (left.has(read)) return
    // The one before it was to prepare the statement, and could not: alone, this one hears why.
    if (!isUnprepared(error) || !again(read)) read.done(error, answer ?? null, (since - begun) / answered)
  }
  const end = (lost: readonly Read[], error: Error | null) => {
    isClosed = true
    over()
    connection?.giveBack(isSpent || error !== null)
    connection = null
    for (const { done } of lost) done(error, null, 0)
  }
  pool.connect((broken, client, giveBack) => {
    if (client) connection = { client, giveBack }
    // A pool that is ending says so at once, before anything is asked.
    setImmediate(() => {
      if (connection) send(connection)
      else end(reads.splice(0), broken ?? new Error('The pool gave no connection.'))
    })
  })
  return {
    add: (read) => {
      aheadMs += read.costMs
      reads.push(read)
      if (connection && reads.length === sent + 1) setImmediate(send, connection)
    },
    aheadMs: () => aheadMs,
    isOpen: () => !isClosed,
    leaveBehind: (late) => {
      if (isClosed || sent === 0 || since > late) return []
      isClosed = true
      const behind = reads.slice(1)
      for (const read of behind) left.add(read)
      reads.length = sent
      return behind
    },
  }
}

function isUnprepared(error: Error | null): boolean {
  return (error as { code?: unknown } | null)?.code === '26000'
}
