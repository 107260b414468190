import { type Context, sqlStatement, sqlTransaction, type TxContext } from '../context.ts'
import { traceparentOf } from '../platform/tracing.ts'
import { bytesLeft, countAnswer, limitedSql } from './answer-size.ts'
import { documentSql } from './document-sql.ts'
import type { Writer } from './input.ts'
import { jsonList } from './json.ts'
import type { CollectionModel, ProjectModel } from './model.ts'
import { type Holder, holderOf } from './permissions.ts'
import { explain, type Sent } from './places.ts'
import type { Plan } from './plan.ts'
import { openScope, type Scope } from './scope.ts'
import { bind } from './slots.ts'
import type { Statement } from './sql.ts'

/** Most documents that one call writes. */
export const bulkLimit = 10_000

/** Where something is written, and what of it is answered. */
export type Place = { model: ProjectModel; collection: CollectionModel; plan: Plan }

/** How a document is changed beside what its input sets. */
export type Terms = {
  apply?: unknown
  ifVersion?: number | null
  /** Whether functions have decided that a document goes along, or that this column of it becomes null: where they do. */
  told?: ((collectionId: string, column: string | null, id: string) => boolean) | undefined
}

/** One statement that writes: who, what, where. */
export type Writing = {
  scope: Scope
  collection: CollectionModel
  holder: Holder
  keys: Writer['keys']
  now: () => Date
  /** Ids of documents by collection that the same call has made, which its other documents may point at. */
  made?: ReadonlyMap<string, readonly string[]>
  /** What `scope` has collected the parameters of. */
  statement: (text: string) => Statement
}

export function openWriting(
  ctx: Pick<Context, 'actor' | 'env' | 'projectId' | 'clock'>,
  { model, collection }: Pick<Place, 'model' | 'collection'>,
): Writing {
  const holder = holderOf(ctx)
  const scope = openScope(model, holder.read)
  const statement = (text: string) => ({ text, values: scope.values })
  return { scope, collection, holder, keys: ctx, now: ctx.clock, statement }
}

/** A statement of a transaction was refused: what it was given says where, once the transaction is undone. */
export class Refused extends Error {
  readonly collection: CollectionModel
  readonly sent: Sent

  constructor(cause: unknown, collection: CollectionModel, sent: Sent) {
    super('', { cause })
    this.collection = collection
    this.sent = sent
  }
}

/** Runs a change of documents; what PostgreSQL refuses becomes an error of ours, with the place of it in what was sent. */
export async function changing<T>(
  ctx: Context,
  { model, collection }: Pick<Place, 'model' | 'collection'>,
  run: (ctx: Context, fn: (tx: TxContext) => Promise<T>) => Promise<T>,
  fn: (tx: TxContext) => Promise<T>,
  sent: Sent | null = null,
): Promise<T> {
  try {
    return await run(ctx, fn)
  } catch (error) {
    if (!(error instanceof Refused)) throw await explain(ctx, { model, collection }, error, sent)
    throw await explain(ctx, { model, collection: error.collection }, error.cause, error.sent)
  }
}

/** Runs a statement of one row whose `answer` is JSON. */
export async function answerOf<T>(tx: TxContext, statement: Statement): Promise<T> {
  return JSON.parse(await answerTextOf(tx, statement))
}

/** The same for documents, which are counted among what the operation is answered. */
async function documentsOf(tx: TxContext, statement: Statement): Promise<unknown[]> {
  const answer = await answerTextOf(tx, statement)
  countAnswer(tx.answered, answer)
  return JSON.parse(answer)
}

async function answerTextOf(tx: TxContext, { text, values }: Statement): Promise<string> {
  const { read, write } = holderOf(tx)
  const roles = write.roles ?? read.roles ?? []
  const given = {
    variables: {},
    roles,
    userId: read.userId,
    actor: tx.actor,
    trace: traceparentOf(tx.span),
    executionId: tx.run?.executionId ?? null,
    left: bytesLeft(tx.answered),
  }
  const [row] = await tx.query<{ answer: string }>(text, bind(values, given))
  tx.emitted.count += 1
  if (!row) throw new Error('A statement that writes has not answered.')
  return row.answer
}

/** What `plan` asks of documents that this transaction has written, whether the caller may read them or not. */
export async function readWritten(tx: TxContext, place: Place, ids: readonly string[]): Promise<unknown[]> {
  const { model, collection, plan } = place
  const scope = openScope(model, holderOf(tx).read)
  const source = `unnest(${scope.param(ids, 'text[]')}) with ordinality as i (id, place) join ${collection.table} t on t."_id" = i.id`
  const text = limitedSql(`select ${jsonList(documentSql(scope, plan, 't'), 'i.place')} as answer from ${source}`)
  const [row] = await tx.query<{ answer: string }>(text, scope.bound())
  countAnswer(tx.answered, row?.answer)
  return row ? JSON.parse(row.answer) : []
}

/**
 * Runs a statement that answers a list of documents. It is a transaction by itself, unless the answer shows more than the
 * written rows and what they point at: a statement does not see what it writes.
 */
export async function writeDocuments(
  ctx: Context,
  place: Place,
  writing: Writing,
  sent: Sent,
  sql: (answer: (alias: string) => string) => string,
): Promise<unknown[]> {
  const { collection, plan } = place
  if (!showsMore(plan, collection.id)) {
    const statement = writing.statement(sql((alias) => documentSql(writing.scope, plan, alias)))
    return changing(ctx, place, sqlStatement, (tx) => documentsOf(tx, statement), sent)
  }
  const statement = writing.statement(sql((alias) => `to_json(${alias}."_id")::text`))
  const write = async (tx: TxContext) => readWritten(tx, place, await answerOf<string[]>(tx, statement))
  return changing(ctx, place, sqlTransaction, write, sent)
}

/** Whether an answer shows rows that the statement itself may be writing. */
export function showsMore(plan: Plan, collectionId: string): boolean {
  return plan.fields.some((field) => {
    if (field.kind === 'many') return true
    return field.kind === 'one' && (field.plan.collectionId === collectionId || showsMore(field.plan, collectionId))
  })
}
