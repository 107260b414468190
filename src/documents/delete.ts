import type { Context, TxContext } from '../context.ts'
import { LimitExceeded } from '../errors.ts'
import { emit } from '../event.ts'
import { documentDeleted, documentUpdated } from './events.ts'
import type { Image } from './image.ts'
import { imageSql } from './json.ts'
import { type CollectionModel, type ProjectModel, quote, type Referrer } from './model.ts'
import { holderOf } from './permissions.ts'
import { changing, lockDocument, payloadOf } from './write.ts'

/** How many other documents one delete may take along or change. */
const most = 1000

/** Answers the id. Documents that point here follow their relation: they go along, lose the value, or forbid it. */
export async function deleteDocument(
  ctx: Context,
  model: ProjectModel,
  collection: CollectionModel,
  id: string,
): Promise<string> {
  return changing(ctx, collection, async (tx) => {
    const image = await lockDocument(tx, model, collection, id, 'delete', holderOf(ctx))
    const removal = { model, now: ctx.clock(), gone: new Set([`${collection.id}/${image._id}`]), left: most }
    await remove(tx, removal, collection, [image])
    return image._id
  })
}

type Removal = { model: ProjectModel; now: Date; gone: Set<string>; left: number }

/**
 * PostgreSQL's own cascades would leave no event behind, so what they would do is done here first. RESTRICT is left to it.
 */
async function remove(
  tx: TxContext,
  removal: Removal,
  collection: CollectionModel,
  images: readonly Image[],
): Promise<void> {
  const ids = images.map(({ _id }) => _id)
  for (const referrer of collection.referrers.filter(({ onDelete }) => onDelete !== 'RESTRICT')) {
    const pointing = removal.model.collections.get(referrer.collectionId)
    if (!pointing) continue
    const rows = await lockPointing(tx, removal, pointing, referrer, ids)
    if (rows.length === 0) continue
    if (referrer.onDelete === 'CASCADE') await remove(tx, removal, pointing, rows)
    else await release(tx, removal, pointing, referrer, rows)
  }
  await tx.query(`delete from ${collection.table} where "_id" = any($1::text[])`, [ids])
  for (const image of images) await emit(tx, documentDeleted, payloadOf(collection, image, null))
}

async function lockPointing(
  tx: TxContext,
  removal: Removal,
  collection: CollectionModel,
  { column, onDelete }: Referrer,
  ids: string[],
) {
  const rows = await tx.query<{ image: Image }>(
    `select ${imageSql(collection, 't')} as image from ${collection.table} t
     where t.${quote(column)} = any($1::text[]) order by t."_id" limit $2 for update`,
    [ids, removal.left + removal.gone.size + 1],
  )
  const images = rows.map(({ image }) => image).filter(({ _id }) => !removal.gone.has(`${collection.id}/${_id}`))
  removal.left -= images.length
  if (removal.left < 0)
    throw new LimitExceeded(`More than ${most} other documents depend on this one: delete or change those first.`)
  if (onDelete === 'CASCADE') for (const { _id } of images) removal.gone.add(`${collection.id}/${_id}`)
  return images
}

async function release(
  tx: TxContext,
  { now }: Removal,
  collection: CollectionModel,
  { column }: Referrer,
  images: readonly Image[],
) {
  const rows = await tx.query<{ image: Image }>(
    `update ${collection.table} as t set ${quote(column)} = null, "_updatedAt" = $2, "_version" = "_version" + 1 where t."_id" = any($1::text[])
     returning ${imageSql(collection, 't')} as image`,
    [images.map(({ _id }) => _id), now],
  )
  const after = new Map(rows.map(({ image }) => [image._id, image]))
  for (const before of images) {
    const image = after.get(before._id)
    if (image) await emit(tx, documentUpdated, payloadOf(collection, before, image))
  }
}
