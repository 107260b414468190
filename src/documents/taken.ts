import type { Context } from '../context.ts'
import { LimitExceeded } from '../errors.ts'
import { translate } from './faults.ts'
import { isDocumentId } from './input.ts'
import { type CollectionModel, type ProjectModel, quote, type Referrer } from './model.ts'
import { isInvalidPattern } from './patterns.ts'
import { rightFilter } from './permissions.ts'
import { whereSql } from './related-sql.ts'
import { bind } from './slots.ts'
import { readable } from './update-sql.ts'
import { parseWhereOfChange } from './where.ts'
import { join } from './where-sql.ts'
import { bulkLimit, openWriting, type Writing } from './writing.ts'

/** How many other documents one call may take along or change. */
export const mostTaken = 10_000

export const tooManyTaken = () =>
  new LimitExceeded('More than 10,000 other documents depend on this: delete or change those first.')

/** What a delete does to documents of another collection: it takes them along, or `column` of them becomes null. */
export type Taken = { collection: CollectionModel; column: string | null; ids: string[] }

/** Whether a delete there takes along or changes documents of which `isAsked` holds. */
export function takesAny(
  model: ProjectModel,
  collection: CollectionModel,
  isAsked: (collection: CollectionModel, onDelete: Referrer['onDelete']) => boolean,
): boolean {
  return reached(model, collection).some(({ referrers }) =>
    referrers.some(({ collectionId, onDelete }) => {
      const pointing = model.collections.get(collectionId)
      return pointing !== undefined && onDelete !== 'RESTRICT' && isAsked(pointing, onDelete)
    }),
  )
}

/** The collection, and those whose documents go with its documents. */
function reached(model: ProjectModel, collection: CollectionModel): CollectionModel[] {
  const found = new Set([collection])
  for (const { referrers } of found) {
    for (const { collectionId, onDelete } of referrers) {
      const pointing = model.collections.get(collectionId)
      if (pointing && onDelete === 'CASCADE') found.add(pointing)
    }
  }
  return [...found]
}

/** What the caller's delete would do to other documents if it were made now, found by one statement. Nothing is locked. */
export async function findTaken(
  ctx: Context,
  model: ProjectModel,
  collection: CollectionModel,
  { id, where }: { id?: unknown; where?: unknown },
): Promise<Taken[]> {
  if (id !== undefined && !isDocumentId(String(id))) return []
  const writing = openWriting(ctx, { model, collection })
  const { scope, holder } = writing
  const named = () => `t."_id" = ${scope.param(id, 'text')}`
  const condition =
    id === undefined ? whereSql(scope, parseWhereOfChange(model, collection, where, ['where']), 't') : named()
  const text = takenSql(writing, model, condition)
  type Row = { collection: string; column: string | null; id: string }
  const roles = holder.write.roles ?? holder.read.roles ?? []
  const given = bind(writing.statement(text).values, { variables: {}, roles, userId: holder.read.userId })
  const find = () => ctx.sql.query<Row>(text, given)
  const { rows } = await ctx.shares.run(ctx.projectId, find).catch((error: unknown) => {
    // The delete itself says so.
    if (isInvalidPattern(error)) return { rows: [] }
    throw translate(error, collection)
  })
  if (rows.length > mostTaken) throw tooManyTaken()
  const groups = Map.groupBy(rows, (row) => `${row.collection} ${row.column ?? ''}`)
  return [...groups.values()].flatMap((some) => {
    const [first] = some
    const other = model.collections.get(first?.collection ?? '')
    return first && other ? [{ collection: other, column: first.column, ids: some.map((row) => row.id) }] : []
  })
}

function takenSql(writing: Writing, model: ProjectModel, condition: string): string {
  const { scope, collection, holder } = writing
  const right = rightFilter('delete', collection, holder.write, 't', scope)
  const conditions = join([condition, readable(writing, 't'), right], 'and', 'true')
  const places = reached(model, collection)
  const name = ({ id }: CollectionModel) => scope.param(id, 'text')
  const pointing = (onDelete: Referrer['onDelete']) =>
    places.flatMap((place) =>
      place.referrers.flatMap(({ collectionId, column, onDelete: does }) => {
        const other = model.collections.get(collectionId)
        if (!other || does !== onDelete) return []
        const columns = `${name(other)} as collection, ${scope.param(column, 'text')} as "column", t."_id" as id`
        return `select ${columns} from ${other.table} t where g.collection = ${name(place)} and t.${quote(column)} = g.id`
      }),
    )
  const [cascading, emptied] = [pointing('CASCADE'), pointing('SET_NULL')]
  const next = (from: string, parts: string[]) => `from ${from} g cross join lateral (${parts.join(' union all ')}) p`
  return `with recursive roots as materialized (
      select t."_id" as id from ${collection.table} t where ${conditions} order by t."_id" limit ${bulkLimit + 1}),
    gone as (select ${name(collection)} as collection, id from roots
      ${cascading.length > 0 ? `union select p.collection, p.id ${next('gone', cascading)}` : ''}),
    taken as materialized (select collection, id from gone limit ${bulkLimit + mostTaken + 2})
    select collection, null as "column", id from taken
      where not (collection = ${name(collection)} and id in (select id from roots))
    ${emptied.length > 0 ? `union all (select p.collection, p."column", p.id ${next('taken', emptied)} where not exists (select from taken k where k.collection = p.collection and k.id = p.id) limit ${mostTaken + 1})` : ''}
    order by 1, 2 nulls first, 3 limit ${mostTaken + 1}`
}
