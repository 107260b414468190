import type { Writable } from 'node:stream'
import type { Pool, PoolClient } from 'pg'

/** A statement that answers one text. */
export type Read = {
  config: { name?: string; text: string; values: unknown[]; rowMode: 'array' }
  /** How long PostgreSQL is expected to work on it. */
  costMs: number
  /** Told the answer, and how long PostgreSQL worked on it; null for both where it failed. */
  done: (error: Error | null, answer: string | null, tookMs: number | null) => void
}

/** Reads that share connections of a pool. */
export type Pipelines = { ask: (read: Read) => void }

/** A connection that is taken from the pool for as long as there is something to ask on it. */
type Line = {
  client: PoolClient | null
  giveBack: (isWorn: boolean) => void
  /** In the order in which they are asked and answered; those up to `sent` are on their way. */
  reads: Read[]
  sent: number
  /** How long all of them are expected to take. */
  aheadMs: number
  /** Since when PostgreSQL works on the first. */
  since: number
  /** Nothing more is asked on it: the first takes too long, or the connection has to be replaced. */
  isClosed: boolean
  isWorn: boolean
}

export const pipelineLimits = {
  /** How long what a read finds before it on a connection, and itself, may be expected to take: beyond, it gets another. */
  aheadMs: 1,
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
export function createPipelines(
  pool: Pool,
  isWorn: (client: PoolClient, read: Read) => boolean,
  limits = pipelineLimits,
): Pipelines {
  const lines = new Set<Line>()
  /** On which line a read was asked last: an answer from another comes too late. */
  const places = new WeakMap<Read, Line>()
  let isWatched = false

  const ask = (read: Read) => {
    const line = findLine(read.costMs)
    places.set(read, line)
    line.aheadMs += read.costMs
    line.reads.push(read)
    if (line.client && line.reads.length === line.sent + 1) setImmediate(send, line)
  }
  const findLine = (costMs: number) => {
    let least: Line | undefined
    for (const line of lines) if (!line.isClosed && (!least || line.aheadMs < least.aheadMs)) least = line
    return least && least.aheadMs + costMs <= limits.aheadMs ? least : openLine()
  }
  const openLine = () => {
    const line: Line = {
      client: null,
      giveBack: () => {},
      reads: [],
      sent: 0,
      aheadMs: 0,
      since: 0,
      isClosed: false,
      isWorn: false,
    }
    lines.add(line)
    pool.connect((broken, client, giveBack) => {
      line.client = client ?? null
      line.giveBack = giveBack
      if (client) return void setImmediate(send, line)
      lines.delete(line)
      for (const { done } of line.reads) done(broken ?? new Error('The pool gave no connection.'), null, null)
    })
    return line
  }
  const send = (line: Line) => {
    const { client, reads } = line
    if (!client) return
    if (line.sent === 0) line.since = performance.now()
    const { stream } = (client as unknown as { connection: { stream: Writable } }).connection
    stream.cork()
    for (; line.sent < reads.length; line.sent += 1) {
      const read = reads[line.sent]
      if (read) client.query<[string]>(read.config, (error, result) => take(line, client, error, result?.rows[0]?.[0]))
    }
    stream.uncork()
    if (reads.length > 1) watch()
  }
  const take = (line: Line, client: PoolClient, error: Error | null, answer: string | undefined) => {
    const read = line.reads.shift()
    if (!read) return
    const now = performance.now()
    const tookMs = now - line.since
    line.since = now
    line.sent -= 1
    line.aheadMs -= read.costMs
    if (isWorn(client, read)) line.isWorn = line.isClosed = true
    if (line.reads.length === 0) {
      lines.delete(line)
      line.giveBack(line.isWorn)
    }
    if (places.get(read) !== line) return
    // The one before it was to prepare the statement, and could not: alone, this one hears why.
    if (isUnprepared(error)) return ask(Object.assign(read, { costMs: limits.aheadMs }))
    if (error) read.done(error, null, null)
    else read.done(null, answer ?? null, tookMs)
  }
  /** Who waits behind one that takes too long is asked elsewhere: it is a read, and so it may be asked twice. */
  const leaveBehind = (line: Line) => {
    line.isClosed = true
    const [, ...behind] = line.reads.filter((read) => places.get(read) === line)
    line.reads.length = line.sent
    behind.forEach(ask)
  }
  const look = () => {
    isWatched = false
    const late = performance.now() - limits.lateMs
    for (const line of lines) if (line.sent > 1 && line.since < late && !line.isClosed) leaveBehind(line)
    watch()
  }
  const watch = () => {
    if (isWatched || lines.size === 0) return
    isWatched = true
    setTimeout(look, limits.lateMs / 2)
  }
  return { ask }
}

function isUnprepared(error: Error | null): boolean {
  return (error as { code?: unknown } | null)?.code === '26000'
}
