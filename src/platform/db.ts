import type { Duplex } from 'node:stream'
import { PrismaPg } from '@prisma/adapter-pg'
import pg from 'pg'
import { PrismaClient } from '../../prisma/client/client.ts'
import { type QueryArgs, withoutCursors } from './keyset.ts'

export type Db = PrismaClient

export const poolLimits = {
  /** How long whoever needs a connection waits for one. */
  waitMs: 5_000,
  /** How long PostgreSQL works on one statement. */
  statementMs: 15_000,
} as const

/** One pool for everything a process does in PostgreSQL, so that its connections can be budgeted. */
export function createPool(url: string, max: number): pg.Pool {
  const pool = new pg.Pool({
    connectionString: url,
    max,
    // Whoever asks after ten quiet seconds, when pg would close the last, waited 11 to 15 ms for a new one, and not 1.3.
    min: 2,
    connectionTimeoutMillis: poolLimits.waitMs,
    statement_timeout: poolLimits.statementMs,
    application_name: 'tendril',
    // Reads share connections (`pipelines.ts`). Who has one for himself asks one thing after the other all the same.
    pipeline: true,
    // A server that is cut off without a word is noticed some day.
    keepAlive: true,
    // Linux's own is two hours: what is between may have forgotten an idle connection long before.
    keepAliveInitialDelayMillis: 60_000,
    // PostgreSQL's default cost is that of a turning disk: for a few rows by their ids it would read whole tables. And what it computes
    // of a day or a moment is not to depend on where the server stands.
    options: '-c random_page_cost=1.1 -c timezone=UTC -c datestyle=ISO',
  })
  // An idle connection that the server closes would otherwise end the process.
  pool.on('error', () => {})
  // So would one that is in use; its query fails besides, and tells it.
  pool.on('connect', (client) => client.on('error', () => {}))
  return pool
}

/** The socket of a connection, of which pg's types know nothing. */
export function streamOf(client: pg.PoolClient): Duplex {
  return (client as unknown as { connection: { stream: Duplex } }).connection.stream
}

/** Prisma on that pool. It knows Tendril's own tables; documents are read and written through the pool itself. */
export function createDb(pool: pg.Pool): Db {
  const client = new PrismaClient({
    adapter: new PrismaPg(pool, { disposeExternalPool: false }),
    transactionOptions: { maxWait: poolLimits.waitMs, timeout: poolLimits.statementMs },
  })
  const query = { $allModels: { $allOperations: withKeysets } }
  return client.$extends({ query }) as unknown as Db
}

type Operation = { args: unknown; query: (args: never) => Promise<unknown> }

function withKeysets({ args, query }: Operation): Promise<unknown> {
  return query(withoutCursors((args ?? {}) as QueryArgs) as never)
}
