/** Brings many rows into a collection: some hundred with each statement, as many as come, whatever they are in all. */
import { type Context, sqlTransaction, type TxContext } from '../context.ts'
import { AppError, Conflict, Invalid, Unavailable } from '../errors.ts'
import { translate } from './faults.ts'
import { hooksOf } from './hooked.ts'
import { decideImport } from './import-hooks.ts'
import { type Later, openLater } from './import-later.ts'
import { type Arrived, type Line, RowRefused, tryArrive } from './import-rows.ts'
import { type Counts, type Duplicates, type How, writeRows } from './import-sql.ts'
import type { CollectionModel, ProjectModel } from './model.ts'
import { holderOf } from './permissions.ts'

export type Import = {
  duplicates: Duplicates
  /** All or nothing. */
  transaction: boolean
  /** Values are texts, as CSV has them. */
  textual: boolean
  /** Names the import, so that it can be taken up again; null for one that cannot. */
  token: string | null
  /** The last row of it that is there already. */
  done: number
  /** Told after each batch, with the last row of it. */
  onProgress: (row: number, counts: Counts) => Promise<void>
}

const most = { rows: 500, bytes: 1_000_000 }

/**
 * Imports rows batch by batch. Without a transaction those before the first one that is refused stay, and with a token the
 * same import goes on behind what it has done: exactly once, whatever was lost on the way.
 */
export async function importRows(
  ctx: Context,
  { model, collection }: { model: ProjectModel; collection: CollectionModel },
  lines: AsyncIterable<Line | RowRefused>,
  given: Import,
): Promise<Counts> {
  const { transaction, token, onProgress } = given
  const kind = given.duplicates === 'update' ? 'upsert' : 'create'
  if (transaction && hooksOf(model, collection, kind).length > 0)
    throw new Invalid('Functions decide on what is imported here, some hundred rows at a time: not in one transaction.')
  const totals: Counts = { created: 0, updated: 0, skipped: 0 }
  let { done } = given
  let later: Later | null = null
  const write = async (tx: TxContext, batch: readonly Arrived[]): Promise<RowRefused | null> => {
    const { counts, refused } = await writeBatch(tx, collection, batch, { ...given, later })
    for (const key of ['created', 'updated', 'skipped'] as const) totals[key] += counts[key]
    const last = refused ? refused.row - 1 : (batch.at(-1)?.row ?? 0)
    if (token !== null && !transaction) await keepProgress(tx, collection, token, { from: done, to: last })
    done = last
    return refused
  }
  const run = async (within: <T>(fn: (tx: TxContext) => Promise<T>) => Promise<T>) => {
    for await (const { batch: arrived, refused } of batches(ctx, collection, lines, given.textual)) {
      const batch = await decideImport(ctx, { model, collection, kind }, arrived)
      const failed = batch.length > 0 ? await within((tx) => write(tx, batch)) : null
      if (failed ?? refused) throw failed ?? refused
      await onProgress(batch.at(-1)?.row ?? 0, totals)
    }
  }
  if (transaction) {
    await sqlTransaction(ctx, async (tx) => {
      later = await openLater(tx, collection)
      await run((fn) => fn(tx))
      await later?.settle()
    })
  } else await run((fn) => sqlTransaction(ctx, fn))
  return totals
}

/** Begun where the collection was not kept yet: it is that of whoever goes on. */
const unnamed = ''

/** The last row of this import that is there already, 0 for none. Throws Conflict where the token is that of another. */
export async function progressOf(ctx: Context, { id }: CollectionModel, token: string): Promise<number> {
  const { rows } = await ctx.sql.query<{ hash: string; answer: string }>(
    'select hash, answer from idempotencies where "projectId" = $1 and actor = $2 and key = $3',
    [ctx.projectId, actorOf(ctx), token],
  )
  const [kept] = rows
  if (kept && kept.hash !== unnamed && kept.hash !== id)
    throw new Conflict('This token was given with an import into another collection.', ['token'])
  return Number(kept?.answer ?? 0)
}

/**
 * Keeps how far an import has come, from where it was: one that was taken for broken off, and was taken up again, may
 * be under way still, and would write the same rows once more.
 */
async function keepProgress(
  tx: TxContext,
  { id }: CollectionModel,
  token: string,
  { from, to }: { from: number; to: number },
): Promise<void> {
  const kept = await tx.query(
    `insert into idempotencies as i ("projectId", actor, key, hash, answer) values ($1, $2, $3, $4, $5)
     on conflict ("projectId", actor, key) do update set answer = excluded.answer, "createdAt" = excluded."createdAt",
         hash = excluded.hash
       where i.hash in ($7, excluded.hash) and i.answer = $6
     returning 1`,
    [tx.projectId, actorOf(tx), token, id, String(to), String(from), unnamed],
  )
  if (kept.length === 0) throw new Conflict('This import has been taken up elsewhere.', ['token'])
}

/** Apart from the keys that mutations are given. */
function actorOf({ actor }: Pick<Context, 'actor'>): string {
  return `import:${actor?.kind}:${actor?.id}`
}

type Batch = { batch: Arrived[]; refused: RowRefused | null }

/** Ends with the first line that is refused for itself, with what came before it. */
async function* batches(
  ctx: Context,
  collection: CollectionModel,
  lines: AsyncIterable<Line | RowRefused>,
  textual: boolean,
): AsyncGenerator<Batch> {
  let batch: Arrived[] = []
  let bytes = 0
  for await (const line of lines) {
    const arrived = line instanceof RowRefused ? line : tryArrive(ctx, collection, line, textual)
    if (arrived instanceof RowRefused) return yield { batch, refused: arrived }
    batch.push(arrived)
    bytes += arrived.json.length
    if (batch.length < most.rows && bytes < most.bytes) continue
    yield { batch, refused: null }
    batch = []
    bytes = 0
  }
  if (batch.length > 0) yield { batch, refused: null }
}

type Outcome = { counts: Counts; refused: RowRefused | null }

/**
 * Writes all rows, or those before the first one that PostgreSQL refuses: which one that is, is found by halves, so that
 * a batch that is right takes one statement.
 */
async function writeBatch(
  tx: TxContext,
  collection: CollectionModel,
  batch: readonly Arrived[],
  how: How,
): Promise<Outcome> {
  await tx.query('savepoint batch')
  try {
    const counts = await writeRows(tx, collection, batch, how)
    await tx.query('release savepoint batch')
    return { counts, refused: null }
  } catch (error) {
    const cause = translate(error, collection, holderOf(tx).write.roles)
    if (!(cause instanceof AppError) || cause instanceof Unavailable) throw cause
    await tx.query('rollback to savepoint batch')
    const [first] = batch
    if (batch.length === 1 && first) {
      return { counts: { created: 0, updated: 0, skipped: 0 }, refused: new RowRefused(first.row, cause) }
    }
    return writeHalves(tx, collection, batch, how)
  }
}

async function writeHalves(
  tx: TxContext,
  collection: CollectionModel,
  batch: readonly Arrived[],
  how: How,
): Promise<Outcome> {
  const middle = Math.ceil(batch.length / 2)
  const first = await writeBatch(tx, collection, batch.slice(0, middle), how)
  if (first.refused) return first
  const second = await writeBatch(tx, collection, batch.slice(middle), how)
  const counts = {
    created: first.counts.created + second.counts.created,
    updated: first.counts.updated + second.counts.updated,
    skipped: first.counts.skipped + second.counts.skipped,
  }
  return { counts, refused: second.refused }
}
