import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import type { Pool } from 'pg'
import { projects } from './part.ts'
import { type Received, readSink, sinkFile } from './sink.ts'

export type Findings = {
  /** Changes that stand in the database. */
  committed: number
  /** Of them, those that every sink received. */
  delivered: number
  /** Committed and not received by some sink, or acknowledged and not in the database. */
  lost: number
  /** Received a second time. */
  duplicated: number
  /** Received before something that came before it: by the number in the log, and by the count of its thing. */
  outOfOrder: number
  /** Received, and never committed. */
  phantom: number
  /** Numbers missing in the log. */
  gaps: number
}

/** Compares what was acknowledged, what is true and what was received. */
export async function check(sql: Pool, dir: string, sinks: readonly string[]): Promise<Findings> {
  const committed = new Set((await sql.query<{ id: string }>('select id from fault_writes')).rows.map((row) => row.id))
  const unacknowledged = readLedgers(dir).filter((id) => !committed.has(id)).length
  const streams = sinks.map((sink) => projects.map((projectId) => readSink(sinkFile(dir, sink, projectId))))
  const received = streams.map((stream) => new Set(stream.flat().map(({ id }) => id)))
  const missing = [...committed].filter((id) => received.some((ids) => !ids.has(id))).length
  const all = streams.flat()
  return {
    committed: committed.size,
    delivered: committed.size - missing,
    lost: missing + unacknowledged,
    duplicated: sum(all.map((stream) => stream.length - new Set(stream.map(({ id }) => id)).size)),
    outOfOrder: sum(all.map(countOutOfOrder)),
    phantom: sum(received.map((ids) => [...ids].filter((id) => !committed.has(id)).length)),
    gaps: await countGaps(sql),
  }
}

export function isClean({ lost, duplicated, outOfOrder, phantom, gaps }: Findings): boolean {
  return lost + duplicated + outOfOrder + phantom + gaps === 0
}

function readLedgers(dir: string): string[] {
  const files = readdirSync(dir).filter((name) => name.endsWith('.ledger'))
  return files.flatMap((name) => {
    const lines = readFileSync(join(dir, name), 'utf8').split('\n')
    // What follows the last line's end is a line that a kill has torn, or nothing.
    return lines.slice(0, -1)
  })
}

function countOutOfOrder(stream: readonly Received[]): number {
  let lastSeq = 0n
  const lastOf = new Map<string, number>()
  let count = 0
  for (const { seq, thing, n } of stream) {
    if (BigInt(seq) < lastSeq || n < (lastOf.get(thing) ?? 0)) count += 1
    lastSeq = BigInt(seq)
    lastOf.set(thing, n)
  }
  return count
}

async function countGaps(sql: Pool): Promise<number> {
  const { rows } = await sql.query<{ gaps: string }>(
    `select coalesce(max(seq), 0) - count(*) + (select count(*) from events.outbox) as gaps from events.log`,
  )
  return Number(rows[0]?.gaps ?? 0)
}

function sum(numbers: readonly number[]): number {
  return numbers.reduce((total, number) => total + number, 0)
}
