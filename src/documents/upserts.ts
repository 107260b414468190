import { type Context, openTransaction, sqlTransaction, type TxContext } from '../context.ts'
import { Conflict, Forbidden, Invalid } from '../errors.ts'
import { givenSql, rowsJson } from './given-sql.ts'
import { changedRow, type Input, isDocumentId, type Path, rowJson, type Settable, settablesOf } from './input.ts'
import { requireFew } from './insert-sql.ts'
import { type CollectionModel, quote } from './model.ts'
import { isNested } from './nested.ts'
import { createNested, idsOf, updateNested, writeRows } from './nested-write.ts'
import { holderOf, mayUse } from './permissions.ts'
import { rowAt } from './places.ts'
import { openScope } from './scope.ts'
import { readable, updateSql } from './update-sql.ts'
import { appliedOf, operationsOf } from './write.ts'
import { changing, openWriting, type Place, readWritten, type Terms } from './writing.ts'

/** How documents are found: by their id, or by the values that no two of them have in common. */
export type By = string | null

type One = { input: Input; at: Path; id: string | null }

/** How often an upsert begins anew where another one has come between. */
const tries = 3

/**
 * Changes those that are there and creates the others, all or none; answers them in the order of the inputs. Where
 * somebody else creates one of them in between, all begins anew, and finds it.
 */
export async function upsertDocuments(
  ctx: Context,
  place: Place,
  inputs: readonly Input[],
  { by = null, ...terms }: Terms & { by?: By },
  at: (i: number) => Path,
): Promise<unknown[]> {
  requireFew(inputs)
  const keys = keysOf(ctx, place.collection, by)
  const rows = inputs.map((input, i) => keyRow(ctx, place.collection, keys, input, at(i)))
  requireDistinct(rows, at)
  for (let tried = 1; ; tried += 1) {
    try {
      return await openTransaction(ctx, {}, (inner) => upsertOnce(inner, place, inputs, { keys, rows }, terms, at))
    } catch (error) {
      if (!(error instanceof Raced)) throw error
      if (tried === tries) throw error.cause
    }
  }
}

/** Something was created in between, or stands in the way of what is created. */
class Raced extends Error {
  override readonly cause: Conflict

  constructor(cause: Conflict) {
    super(cause.message)
    this.cause = cause
  }
}

type Keys = { keys: readonly Pick<Settable, 'key' | 'name' | 'type'>[]; rows: readonly string[] }

async function upsertOnce(
  ctx: Context,
  place: Place,
  inputs: readonly Input[],
  given: Keys,
  terms: Terms,
  at: (i: number) => Path,
): Promise<unknown[]> {
  const { model, collection } = place
  const { found, hidden }: Found = await changing(ctx, place, sqlTransaction, (tx) => find(tx, place, given))
  const all = inputs.map((input, i): One => ({ input, at: at(i), id: found.get(i) ?? null }))
  const inner = { ...place, plan: { collectionId: collection.id, fields: [] } }
  const fresh = all.filter(({ id }) => id === null)
  const made = fresh.length === 0 ? [] : await createAll(ctx, inner, fresh, hidden)
  const there = all.filter((one) => one.id !== null)
  for (const [, some] of Map.groupBy(there, ({ input }) => Object.keys(input).sort().join())) {
    await updateAll(ctx, inner, some, terms)
  }
  for (const [i, one] of fresh.entries()) one.id = made[i] ?? null
  return changing(ctx, place, sqlTransaction, (tx) =>
    readWritten(
      tx,
      { ...place, model },
      all.flatMap(({ id }) => id ?? []),
    ),
  )
}

async function createAll(ctx: Context, place: Place, fresh: readonly One[], hidden: boolean): Promise<string[]> {
  const id = place.collection.columns.get('id')
  const plan = { ...place.plan, fields: id ? [{ key: 'id', kind: 'column', column: id } as const] : [] }
  try {
    const inputs = fresh.map(({ input }) => input)
    const made = await createNested(ctx, { ...place, plan }, inputs, (i) => fresh[i]?.at ?? [])
    return made.map((one) => (one as { id: string }).id)
  } catch (error) {
    throw error instanceof Conflict && !hidden ? new Raced(error) : error
  }
}

/** Inputs that set the same fields. */
async function updateAll(ctx: Context, place: Place, some: readonly One[], terms: Terms): Promise<void> {
  const { collection } = place
  const change = { at: rowAt, each: true, id: null, ifVersion: terms.ifVersion ?? null }
  const applied = appliedOf(terms)
  const [first] = some
  if (first && isNested(collection, first.input)) {
    for (const { input, at, id } of some) {
      const { id: _, ...set } = input
      await updateNested(ctx, place, { id: id ?? '', set, at, applied }, (writing, own, linked) => ({
        ...change,
        linked,
        inputs: [{ ...own, id }],
        condition: `t."_id" = ${writing.scope.param(id, 'text')}`,
        operations: operationsOf(writing, own, terms),
      }))
    }
    return
  }
  const inputs = some.map(({ input, id }) => ({ ...input, id }))
  const ids = some.map(({ id }) => id)
  await changing(ctx, place, sqlTransaction, (tx) =>
    writeRows(
      { tx, ctx, place, made: new Map() },
      collection,
      { inputs, at: (i) => some[i]?.at ?? [], applied },
      (writing) => {
        const { id: _, ...set } = first?.input ?? {}
        const condition = `t."_id" = any(${writing.scope.param(ids, 'text[]')})`
        return updateSql(
          writing,
          { ...change, inputs, condition, operations: operationsOf(writing, set, terms) },
          idsOf,
        )
      },
    ),
  )
}

function keysOf(ctx: Context, collection: CollectionModel, by: By): Keys['keys'] {
  if (by === null || by === 'id') return [{ key: 'id', name: '_id', type: 'text' }]
  const fields = collection.uniques.get(by) ?? []
  const { read } = holderOf(ctx)
  return fields.map((key) => {
    const settable = settablesOf(collection).find((one) => one.key === key)
    if (!settable) throw new Invalid('Documents cannot be found by this.', ['on'])
    if (!mayUse(settable.rights, 'read', read.roles)) throw new Forbidden(`You may not read ${key}.`)
    return settable
  })
}

/** The values that a document is found by, as its columns hold them. */
function keyRow(ctx: Context, collection: CollectionModel, keys: Keys['keys'], input: Input, at: Path): string {
  for (const { key } of keys) {
    const value = input[key]
    if (value === null || value === undefined) throw new Invalid('It is found by this: it is required.', [...at, key])
  }
  if (keys[0]?.name === '_id') {
    if (isDocumentId(input.id)) return rowJson({ _id: input.id })
    throw new Invalid('An id has 1 to 64 of the characters A-Z a-z 0-9 . _ -', [...at, 'id'])
  }
  const own = Object.fromEntries(keys.map(({ key }) => [key, input[key]]))
  const writer = { keys: ctx, caller: holderOf(ctx).write, now: ctx.clock() }
  const { _updatedAt: _, ...row } = changedRow(writer, collection, own, null, at)
  return rowJson(row)
}

function requireDistinct(rows: readonly string[], at: (i: number) => Path): void {
  const seen = new Set<string>()
  for (const [i, row] of rows.entries()) {
    if (seen.has(row)) throw new Invalid('This is the same document as one before.', at(i))
    seen.add(row)
  }
}

/** Ids by the places of their inputs; `hidden`: whether there are others that may not be read. */
type Found = { found: ReadonlyMap<number, string>; hidden: boolean }

/**
 * The ids of those that are there, by the places of their inputs. They are locked. One that may not be read is not there: what
 * becomes of its input is what becomes of one that is created.
 */
async function find(tx: TxContext, { model, collection }: Place, { keys, rows }: Keys): Promise<Found> {
  const writing = openWriting(tx, { model, collection })
  const scope = openScope(model, writing.holder.read)
  const same = keys.map(({ name }) => `t.${quote(name)} = g.${quote(name)}`).join(' and ')
  const found = await tx.query<{ place: number; id: string; there: boolean }>(
    `with ${givenSql(scope, keys, rowsJson(rows))}
      select g."_place" as place, t."_id" as id, (${readable({ ...writing, scope }, 't')}) is true as there
      from given g join ${collection.table} t on ${same} order by t."_id" for update of t`,
    scope.bound(),
  )
  const seen = found.filter(({ there }) => there)
  return { found: new Map(seen.map(({ place, id }) => [place, id])), hidden: seen.length < found.length }
}
