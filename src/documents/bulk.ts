import { type Context, sqlStatement } from '../context.ts'
import { deleteWhere } from './delete.ts'
import type { Input } from './input.ts'
import { whereSql } from './related-sql.ts'
import { updateSql } from './update-sql.ts'
import { parseWhere } from './where.ts'
import { operationsOf } from './write.ts'
import { answerOf, changing, openWriting, type Place, type Terms, type Writing } from './writing.ts'

/** How many documents were written, and the first of their ids, in order. */
export type BulkResult = { count: number; ids: string[] }

type Where = Pick<Place, 'model' | 'collection'> & { where: unknown }

/** Most ids that the result of a bulk form names. */
export const namedIds = 1_000

/** Changes all that match and that the caller may read, in one statement; refuses if he may not change one of them. */
export async function updateDocuments(ctx: Context, place: Where, set: Input, terms: Terms): Promise<BulkResult> {
  const writing = openWriting(ctx, place)
  const change = {
    inputs: [set],
    at: () => ['set'],
    condition: matching(place)(writing),
    each: false,
    id: null,
    operations: operationsOf(writing, set, terms),
    ifVersion: null,
  }
  const ids = (joined: string) => `select to_json(array(select w."_id" ${joined} order by w."_id"))::text as answer`
  const statement = writing.statement(updateSql(writing, change, ids))
  return resultOf(await changing(ctx, place.collection, sqlStatement, (tx) => answerOf<string[]>(tx, statement)))
}

/** Deletes all that match and that the caller may read; refuses if he may not delete one of them. */
export async function deleteDocuments(ctx: Context, place: Where): Promise<BulkResult> {
  return resultOf(await deleteWhere(ctx, place, {}, matching(place)))
}

function matching({ model, collection, where }: Where) {
  return ({ scope }: Writing) => whereSql(scope, parseWhere(model, collection, where, ['where']), 't')
}

function resultOf(ids: string[]): BulkResult {
  return { count: ids.length, ids: ids.slice(0, namedIds) }
}
