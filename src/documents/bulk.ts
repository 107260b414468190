import { type Context, sqlStatement } from '../context.ts'
import { deleteWhere } from './delete.ts'
import type { Input } from './input.ts'
import { invalidPattern, isInvalidPattern } from './patterns.ts'
import { whereSql } from './related-sql.ts'
import { updateSql } from './update-sql.ts'
import { type Condition, parseWhereOfChange } from './where.ts'
import { appliedOf, operationsOf } from './write.ts'
import { answerOf, changing, openWriting, type Place, type Terms } from './writing.ts'

/** How many documents were written, and the first of their ids, in order. */
export type BulkResult = { count: number; ids: string[] }

type Where = Pick<Place, 'model' | 'collection'> & { where: unknown }

/** Most ids that the result of a bulk form names. */
export const namedIds = 1_000

/** Changes all that match and that the caller may read, in one statement; refuses if he may not change one of them. */
export async function updateDocuments(ctx: Context, place: Where, set: Input, terms: Terms): Promise<BulkResult> {
  return matching(place, async (condition) => {
    const writing = openWriting(ctx, place)
    const change = {
      inputs: [set],
      at: () => ['set'],
      condition: whereSql(writing.scope, condition, 't'),
      each: false,
      id: null,
      operations: operationsOf(writing, set, terms),
      ifVersion: null,
    }
    const ids = (joined: string) => `select to_json(array(select w."_id" ${joined} order by w."_id"))::text as answer`
    const statement = writing.statement(updateSql(writing, change, ids))
    const sent = { inputs: [set], at: change.at, applied: appliedOf(terms) }
    return changing(ctx, place, sqlStatement, (tx) => answerOf<string[]>(tx, statement), sent)
  })
}

/** Deletes all that match and that the caller may read; refuses if he may not delete one of them. */
export async function deleteDocuments(ctx: Context, place: Where, terms: Terms = {}): Promise<BulkResult> {
  return matching(place, (condition) =>
    deleteWhere(ctx, place, terms, ['where'], ({ scope }) => whereSql(scope, condition, 't')),
  )
}

async function matching(
  { model, collection, where }: Where,
  change: (condition: Condition) => Promise<string[]>,
): Promise<BulkResult> {
  const condition = parseWhereOfChange(model, collection, where, ['where'])
  try {
    return resultOf(await change(condition))
  } catch (error) {
    throw isInvalidPattern(error) ? invalidPattern(condition, { variables: {}, roles: [], userId: null }) : error
  }
}

function resultOf(ids: string[]): BulkResult {
  return { count: ids.length, ids: ids.slice(0, namedIds) }
}
