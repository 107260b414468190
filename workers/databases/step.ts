import { type Context, sqlTransaction, type TxContext } from '../../src/context.ts'
import type { TableIndex } from '../../src/modules/collections/table-indexes.ts'
import { qualified } from '../../src/modules/collections/tables.ts'

/** Another worker is at this project. */
export class Busy extends Error {}

/** A change waits this long for the writers of a table, and while it waits new writers wait behind it. */
const lockTimeoutMs = 1_000
const statementTimeoutMs = 30_000
/** Writing a table anew blocks its writers; one that takes longer is left as it is. */
export const rewriteTimeoutMs = 5 * 60_000
/** Building an index beside the writers blocks none of them, so it may take long. */
const concurrentTimeoutMs = 30 * 60_000
/** Up to so many documents an index is built, and a constraint checked, within the change's transaction. */
export const smallTable = 10_000

/** A worker that dies takes its statement with it, where the server can tell: else a long one would go on, and be undone. */
const endWithWorker = (scope: 'local' | 'session') =>
  `do $$ begin set ${scope} client_connection_check_interval = 1000; exception when others then null; end $$`

const lockKey = (projectId: string) => `databases:${projectId}`

/** One step of a change: a transaction, the only one of its kind in the project. Throws Busy when there is another. */
export async function step<T>(ctx: Context, fn: (tx: TxContext) => Promise<T>): Promise<T> {
  return sqlTransaction(ctx, async (tx) => {
    const [row] = await tx.query<{ locked: boolean }>(
      'select pg_try_advisory_xact_lock(hashtextextended($1, 0)) as locked',
      [lockKey(ctx.projectId)],
    )
    if (!row?.locked) throw new Busy()
    await tx.query(endWithWorker('local'))
    await tx.query(`set local lock_timeout = ${lockTimeoutMs}`)
    await tx.query(`set local statement_timeout = ${statementTimeoutMs}`)
    return fn(tx)
  })
}

/**
 * Runs statements that cannot stand in a transaction or would hold its locks for too long, on a connection of their own
 * that ends with them, and with it their lock.
 */
export async function aside(
  ctx: Context,
  fn: (query: (text: string) => Promise<unknown>) => Promise<void>,
): Promise<void> {
  const client = await ctx.sql.connect()
  try {
    const { rows } = await client.query('select pg_try_advisory_lock(hashtextextended($1, 0)) as locked', [
      lockKey(ctx.projectId),
    ])
    if (!rows[0]?.locked) throw new Busy()
    await client.query(endWithWorker('session'))
    await client.query(`set lock_timeout = ${concurrentTimeoutMs}`)
    await client.query(`set statement_timeout = ${concurrentTimeoutMs}`)
    await fn((text) => client.query(text))
  } finally {
    client.release(true)
  }
}

/** Builds an index beside the writers. A build that failed or was cut off has left an invalid one, which is cleared away. */
export async function buildConcurrently(ctx: Context, index: TableIndex): Promise<void> {
  const { projectId } = ctx
  const name = qualified(projectId, index.name)
  if ((await indexState(ctx.sql, projectId, index.name)) === 'valid') return
  await aside(ctx, async (query) => {
    await query(`drop index concurrently if exists ${name}`)
    try {
      await query(index.text(true))
    } catch (error) {
      // Should this fail as well, the next run finds the index and drops it.
      await query(`drop index concurrently if exists ${name}`).catch(() => {})
      throw error
    }
  })
}

/** Builds an index within the step. */
export async function buildInside(tx: TxContext, index: TableIndex): Promise<void> {
  const state = await indexState(
    { query: async (text, values) => ({ rows: await tx.query(text, values) }) },
    tx.projectId,
    index.name,
  )
  if (state === 'valid') return
  if (state === 'invalid') await tx.query(`drop index ${qualified(tx.projectId, index.name)}`)
  await tx.query(index.text(false))
}

type Asker = { query: (text: string, values: unknown[]) => Promise<{ rows: { indisvalid?: boolean }[] }> }

async function indexState(sql: Asker, projectId: string, name: string): Promise<'none' | 'valid' | 'invalid'> {
  const { rows } = await sql.query('select indisvalid from pg_index where indexrelid = to_regclass($1)', [
    qualified(projectId, name),
  ])
  if (!rows[0]) return 'none'
  return rows[0].indisvalid ? 'valid' : 'invalid'
}

/** Whether a table is small enough to be looked through while its writers wait. */
export async function isSmall(tx: TxContext, collectionId: string): Promise<boolean> {
  const [row] = await tx.query<{ many: boolean }>(
    `select count(*) > ${smallTable} as many from (select from ${qualified(tx.projectId, collectionId)} limit ${smallTable + 1}) sample`,
  )
  return row?.many === false
}
