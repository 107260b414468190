import { type Context, sqlStatement, sqlTransaction, type TxContext } from '../context.ts'
import { Conflict, LimitExceeded } from '../errors.ts'
import { farewellSql, lockSql, removeSql } from './delete-sql.ts'
import { absent } from './faults.ts'
import { isDocumentId, type Path } from './input.ts'
import { type CollectionModel, quote, type Referrer } from './model.ts'
import { mostTaken, tooManyTaken } from './taken.ts'
import { releaseSql } from './update-sql.ts'
import { answerOf, bulkLimit, changing, openWriting, type Place, type Terms, type Writing } from './writing.ts'

/** Answers the id. Documents that point here follow their relation: they go along, lose the value, or forbid it. */
export async function deleteDocument(
  ctx: Context,
  place: Pick<Place, 'model' | 'collection'>,
  id: string,
  terms: Terms = {},
): Promise<string> {
  if (!isDocumentId(id)) throw absent(['id'])
  const ids = await deleteWhere(ctx, place, terms, ['id'], ({ scope }) => `t."_id" = ${scope.param(id, 'text')}`)
  if (ids.length === 0) throw absent(['id'])
  return id
}

/** Deletes all that `condition` describes and that the caller may read; refuses if he may not delete one of them. */
export async function deleteWhere(
  ctx: Context,
  place: Pick<Place, 'model' | 'collection'>,
  { ifVersion = null, told }: Terms,
  at: Path,
  condition: (writing: Writing) => string,
): Promise<string[]> {
  const { collection } = place
  const writing = openWriting(ctx, place)
  const sent = { inputs: [{}], at: () => at, isId: true }
  const lock = lockSql(writing, { condition: condition(writing), ifVersion })
  if (!collection.referrers.some(takes)) {
    const statement = writing.statement(removeSql(writing, lock))
    return changing(ctx, place, sqlStatement, (tx) => answerOf<string[]>(tx, statement), sent)
  }
  const removeLocked = async (tx: TxContext) => {
    const text = `with locked as (${lock}) select to_json(array(select "_id" from locked order by "_id"))::text as answer`
    const ids = await answerOf<string[]>(tx, writing.statement(text))
    if (ids.length > bulkLimit) throw new LimitExceeded('One call changes at most 10,000 documents.')
    const gone = new Map([[collection.id, new Set(ids)]])
    const going = await take(tx, { ctx, place, gone, left: mostTaken, told }, collection, ids)
    for (const one of going) {
      const telling = openWriting(ctx, { ...place, collection: one.collection })
      await answerOf(tx, telling.statement(farewellSql(telling, one.ids)))
    }
    for (const one of going)
      await tx.query(`delete from ${one.collection.table} where "_id" = any($1::text[])`, [one.ids])
    return ids
  }
  return changing(ctx, place, sqlTransaction, removeLocked, sent)
}

type Taking = {
  ctx: Context
  place: Pick<Place, 'model' | 'collection'>
  gone: Map<string, Set<string>>
  left: number
  told: Terms['told']
}

function takes({ onDelete }: Referrer): boolean {
  return onDelete !== 'RESTRICT'
}

type Going = { collection: CollectionModel; ids: string[] }

/**
 * Locks what goes along with these documents, empties what loses its value, and answers all that is to go, what points
 * before what it points at. PostgreSQL's own cascades would leave no event behind, so all of it is told of before the first
 * of it is deleted: in a circle each takes the others along. RESTRICT is left to PostgreSQL.
 */
async function take(tx: TxContext, taking: Taking, collection: CollectionModel, ids: string[]): Promise<Going[]> {
  if (ids.length === 0) return []
  const { ctx, place } = taking
  const going: Going[] = []
  for (const referrer of collection.referrers.filter(takes)) {
    const pointing = place.model.collections.get(referrer.collectionId)
    if (!pointing) continue
    const found = await lockPointing(tx, taking, pointing, referrer, ids)
    if (referrer.onDelete === 'CASCADE') going.push(...(await take(tx, taking, pointing, found)))
    else if (found.length > 0) {
      const writing = openWriting(ctx, { ...place, collection: pointing })
      await answerOf(tx, writing.statement(releaseSql(writing, referrer.column, found)))
    }
  }
  return [...going, { collection, ids }]
}

async function lockPointing(
  tx: TxContext,
  taking: Taking,
  collection: CollectionModel,
  { column, onDelete }: Referrer,
  ids: string[],
): Promise<string[]> {
  const gone = taking.gone.get(collection.id) ?? new Set<string>()
  const rows = await tx.query<{ id: string }>(
    `select t."_id" as id from ${collection.table} t
     where t.${quote(column)} = any($1::text[]) and t."_id" <> all($2::text[]) order by t."_id" limit $3 for update`,
    [ids, [...gone], taking.left + 1],
  )
  const found = rows.map(({ id }) => id)
  taking.left -= found.length
  if (taking.left < 0) throw tooManyTaken()
  if (taking.told && found.some((id) => !taking.told?.(collection.id, onDelete === 'CASCADE' ? null : column, id)))
    throw new Conflict('Other documents have come to depend on this while functions decided. Try again.')
  if (onDelete === 'CASCADE') taking.gone.set(collection.id, new Set([...gone, ...found]))
  return found
}
