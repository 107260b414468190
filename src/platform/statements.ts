import { LRUCache } from 'lru-cache'
import type { Pool, PoolClient } from 'pg'
import { createPipelines, type Pipelines, pipelineLimits } from './pipelines.ts'
import { isStatementError } from './statement-error.ts'

/** Statements that are prepared once on each connection. What is asked for but once is not worth it. */
const most = { names: 2_000, onConnection: 500 }

/** `costMs`: how long PostgreSQL worked on it of late. */
type Known = { name: string; costMs: number }

const statements = new LRUCache<string, Known>({ max: most.names })
const prepared = new WeakMap<PoolClient, Set<string>>()
const pipelines = new WeakMap<Pool, Pipelines>()
let count = 0

/**
 * The one text that a statement answers: null where it has no row. It only reads: it is sent along with others on one
 * connection, and may be asked twice. A second use of the same statement prepares it.
 */
export function readAnswer(pool: Pool, text: string, values: unknown[]): Promise<string | null> {
  const known = knownOf(text)
  const config = { ...(known && { name: known.name }), text, values, rowMode } as const
  return new Promise((resolve, reject) => {
    pipelinesOf(pool).ask({
      config,
      costMs: known?.costMs ?? pipelineLimits.aheadMs,
      done: (error, answer, tookMs) => {
        if (error) return reject(error)
        if (known) learn(known, tookMs)
        resolve(answer)
      },
    })
  })
}

/** The same for a statement that writes: it has its connection for itself. */
export function answerOf(pool: Pool, text: string, values: unknown[]): Promise<string | null> {
  return new Promise((resolve, reject) => {
    // In callbacks, for it is what every write of documents does: pg's own promises are three more turns of the event loop.
    pool.connect((broken, client, release) => {
      if (!client) return reject(broken ?? new Error('The pool gave no connection.'))
      const name = knownOf(text)?.name
      const config = name === undefined ? { text, values, rowMode } : { name, text, values, rowMode }
      client.query<[string]>(config, (error, result) => {
        release(isWorn(client, name) || Boolean(error && !isStatementError(error)))
        if (error) reject(error)
        else resolve(result.rows[0]?.[0] ?? null)
      })
    })
  })
}

const rowMode = 'array'

/**
 * What this process takes to come to an answer, when it has much to do, counts as PostgreSQL's time as well: so it is the
 * short ones that tell how long the work is.
 */
function learn(known: Known, tookMs: number): void {
  known.costMs += (tookMs - known.costMs) * (tookMs < known.costMs ? 1 / 2 : 1 / 32)
}

function pipelinesOf(pool: Pool): Pipelines {
  const known = pipelines.get(pool)
  if (known) return known
  const made = createPipelines(pool, (client, { config }) => isWorn(client, config.name))
  pipelines.set(pool, made)
  return made
}

function knownOf(text: string): Known | undefined {
  const known = statements.get(text)
  if (known !== undefined) return known
  count += 1
  statements.set(text, { name: `s${count}`, costMs: pipelineLimits.aheadMs })
  return undefined
}

/** PostgreSQL keeps a prepared statement for as long as its connection: one that holds too many is replaced. */
function isWorn(client: PoolClient, name: string | undefined): boolean {
  if (name === undefined) return false
  const known = prepared.get(client) ?? new Set<string>()
  prepared.set(client, known.add(name))
  return known.size > most.onConnection
}
