import type { Attribute, Collection, Prisma } from '../../../prisma/client/client.ts'
import { type Context, type DbContext, transaction } from '../../context.ts'
import { Conflict, LimitExceeded, NotFound } from '../../errors.ts'
import { emit } from '../../event.ts'
import { newId } from '../../lib/ids.ts'
import { visibleDatabases } from '../databases/databases.ts'
import { isId } from '../databases/names.ts'
import { lockSchema } from '../databases/revision.ts'
import { attributeCreated, attributeUpdated } from './events.ts'
import { type AttributeShape, type NewAttribute, shapeAttribute } from './shape.ts'

/** Most attributes of a collection. */
export const attributeLimit = 400

export function visibleAttributes(ctx: Pick<Context, 'actor' | 'projectId'>): Prisma.AttributeWhereInput {
  return { collection: { database: visibleDatabases(ctx) } }
}

/** Asks for an attribute. The worker makes its column and sets its status. */
export async function createAttribute(
  ctx: Context,
  { collectionId, ...input }: NewAttribute & { collectionId: string },
): Promise<Attribute> {
  const shape = shapeAttribute(input, ['input'])
  return transaction(ctx, async (tx) => {
    await lockSchema(tx)
    const collection = await getOpenCollection(tx, collectionId)
    const [attribute] = await insertAttributes(tx, collection, [shape])
    if (!attribute) throw new Error('No attribute was inserted.')
    return attribute
  })
}

/** Asks for an attribute's end: its values go with it. Refused while an index uses it. */
export async function deleteAttribute(ctx: Context, id: string): Promise<string> {
  return transaction(ctx, async (tx) => {
    await lockSchema(tx)
    const where = { AND: [{ id }, visibleAttributes(ctx)] }
    const attribute = isId('att', id) ? await tx.db.attribute.findFirst({ where, include: { collection: true } }) : null
    if (!attribute) throw new NotFound('There is no such attribute.')
    if (attribute.status === 'DELETING') return id
    const { collection, collectionId, key } = attribute
    const index = await tx.db.index.findFirst({
      where: { collectionId, attributes: { has: key }, status: { not: 'DELETING' } },
    })
    if (index) throw new Conflict(`The index “${index.key}” uses it: delete that first.`)
    await tx.db.attribute.update({ where: { id }, data: { status: 'DELETING', statusReason: null } })
    await emit(tx, attributeUpdated, { ...identify(collection, attribute), status: 'DELETING' as const })
    return id
  })
}

/** A collection that can be given attributes and indexes. The lock of the schema is held. */
export async function getOpenCollection(tx: DbContext, id: string): Promise<Collection> {
  const where = { AND: [{ id }, { database: visibleDatabases(tx) }] }
  const collection = isId('col', id) ? await tx.db.collection.findFirst({ where }) : null
  if (!collection) throw new NotFound('There is no such collection.')
  if (collection.status === 'DELETING') throw new Conflict('This collection is being deleted.')
  if (collection.status === 'FAILED')
    throw new Conflict('This collection could not be made: delete it and make another.')
  return collection
}

/**
 * Writes the rows of attributes that are right by themselves, once they are right for this collection too. The lock of
 * the schema is held.
 */
export async function insertAttributes(
  tx: DbContext,
  collection: Collection,
  shapes: readonly AttributeShape[],
): Promise<Attribute[]> {
  if (shapes.length === 0) return []
  const count = await tx.db.attribute.count({ where: { collectionId: collection.id } })
  if (count + shapes.length > attributeLimit)
    throw new LimitExceeded(`A collection has at most ${attributeLimit} attributes.`)
  const take = takenFields(tx)
  for (const shape of shapes) {
    await take(collection.id, shape.key)
    if (shape.relatedCollectionId === null) continue
    await getOpenCollection(tx, shape.relatedCollectionId)
    if (shape.reverseKey !== null) await take(shape.relatedCollectionId, shape.reverseKey)
  }
  const attributes = await tx.db.attribute.createManyAndReturn({
    data: shapes.map((shape) => ({
      id: newId('att'),
      projectId: tx.projectId,
      collectionId: collection.id,
      column: shape.key,
      relation: shape.type === 'RELATION' ? 'MANY_TO_ONE' : null,
      ...shape,
    })),
  })
  for (const attribute of attributes) {
    await emit(tx, attributeCreated, { ...identify(collection, attribute), status: 'PROCESSING' as const })
  }
  return attributes
}

/** What events about an attribute carry to name it. */
export function identify(
  collection: Pick<Collection, 'id' | 'databaseId' | 'key'>,
  { id, key }: Pick<Attribute, 'id' | 'key'>,
) {
  const { databaseId } = collection
  return { databaseId, collectionId: collection.id, collectionKey: collection.key, attributeId: id, key }
}

/** Takes field names of collections one by one. A type has its attributes and the reverse keys of what points at it. */
function takenFields(tx: DbContext): (collectionId: string, key: string) => Promise<void> {
  const taken = new Map<string, Set<string>>()
  const read = async (collectionId: string) => {
    const own = await tx.db.attribute.findMany({ where: { collectionId }, select: { key: true } })
    const reverse = await tx.db.attribute.findMany({
      where: { relatedCollectionId: collectionId, reverseKey: { not: null } },
      select: { reverseKey: true },
    })
    return new Set([...own.map(({ key }) => key), ...reverse.map(({ reverseKey }) => reverseKey ?? '')])
  }
  return async (collectionId, key) => {
    const keys = taken.get(collectionId) ?? (await read(collectionId))
    taken.set(collectionId, keys)
    if (keys.has(key)) throw new Conflict(`This collection already has a field “${key}”: choose another key.`)
    keys.add(key)
  }
}
