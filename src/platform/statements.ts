import { LRUCache } from 'lru-cache'
import type { Pool, PoolClient } from 'pg'

/** Statements that are prepared once on each connection. What is asked for but once is not worth it. */
const most = { names: 2_000, onConnection: 500 }

const names = new LRUCache<string, { name: string; prepared: boolean }>({ max: most.names })
const prepared = new WeakMap<PoolClient, Set<string>>()
let count = 0

/** The one text that a statement answers: null where it has no row. A second use of the same statement prepares it. */
export async function answerOf(pool: Pool, text: string, values: readonly unknown[]): Promise<string | null> {
  const client = await pool.connect()
  let worn = false
  try {
    const name = nameOf(text)
    worn = name !== undefined && isWorn(client, name)
    const { rows } = await client.query<[string]>({
      ...(name ? { name } : {}),
      text,
      values: [...values],
      rowMode: 'array',
    })
    return rows[0]?.[0] ?? null
  } finally {
    // PostgreSQL keeps a prepared statement for as long as its connection: one that holds too many is replaced.
    client.release(worn)
  }
}

function nameOf(text: string): string | undefined {
  const known = names.get(text)
  if (known) {
    known.prepared = true
    return known.name
  }
  count += 1
  names.set(text, { name: `s${count}`, prepared: false })
  return undefined
}

function isWorn(client: PoolClient, name: string): boolean {
  const known = prepared.get(client) ?? new Set<string>()
  prepared.set(client, known.add(name))
  return known.size > most.onConnection
}
