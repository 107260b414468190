import { LRUCache } from 'lru-cache'
import type { Pool, PoolClient } from 'pg'

/** Statements that are prepared once on each connection. What is asked for but once is not worth it. */
const most = { names: 2_000, onConnection: 500 }

const names = new LRUCache<string, string>({ max: most.names })
const prepared = new WeakMap<PoolClient, Set<string>>()
let count = 0

/**
 * The one text that a statement answers: null where it has no row. A second use of the same statement prepares it. In
 * callbacks, for it is what every read of documents does: pg's own promises are three more turns of the event loop.
 */
export function answerOf(pool: Pool, text: string, values: unknown[]): Promise<string | null> {
  return new Promise((resolve, reject) => {
    pool.connect((broken, client, release) => {
      if (!client) return reject(broken ?? new Error('The pool gave no connection.'))
      const name = nameOf(text)
      const config = name === undefined ? { text, values, rowMode } : { name, text, values, rowMode }
      client.query<[string]>(config, (error, result) => {
        // PostgreSQL keeps a prepared statement for as long as its connection: one that holds too many is replaced.
        release(name !== undefined && isWorn(client, name))
        if (error) reject(error)
        else resolve(result.rows[0]?.[0] ?? null)
      })
    })
  })
}

const rowMode = 'array'

function nameOf(text: string): string | undefined {
  const known = names.get(text)
  if (known !== undefined) return known
  count += 1
  names.set(text, `s${count}`)
  return undefined
}

function isWorn(client: PoolClient, name: string): boolean {
  const known = prepared.get(client) ?? new Set<string>()
  prepared.set(client, known.add(name))
  return known.size > most.onConnection
}
