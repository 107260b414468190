import type { Attribute, Collection, Prisma } from '../../../prisma/client/client.ts'
import { type Context, type DbContext, transaction } from '../../context.ts'
import { Conflict, LimitExceeded, NotFound } from '../../errors.ts'
import { emit, emitAll } from '../../event.ts'
import { newId } from '../../lib/ids.ts'
import { visibleDatabases } from '../databases/databases.ts'
import { isId } from '../databases/names.ts'
import { lockSchema } from '../databases/revision.ts'
import { attributeCreated, attributeUpdated } from './events.ts'
import { type AttributeShape, type NewAttribute, shapeAttribute } from './shape.ts'
import { userOf } from './uses.ts'
import { verifyComputed, verifyShape } from './verify.ts'

/** Most attributes of a collection. */
export const attributeLimit = 400

export function visibleAttributes(ctx: Pick<Context, 'actor' | 'projectId'>): Prisma.AttributeWhereInput {
  return { collection: { database: visibleDatabases(ctx) } }
}

/** One of them with its collection, by its id, outside or inside a transaction. */
export async function getAttribute(
  ctx: Context | DbContext,
  id: string,
): Promise<Attribute & { collection: Collection }> {
  const where = { AND: [{ id }, visibleAttributes(ctx)] }
  const attribute = isId('att', id) ? await ctx.db.attribute.findFirst({ where, include: { collection: true } }) : null
  if (!attribute) throw new NotFound('There is no such attribute.')
  return attribute
}

/** Asks for an attribute. The worker makes its column and sets its status. */
export async function createAttribute(
  ctx: Context,
  { collectionId, ...input }: NewAttribute & { collectionId: string },
): Promise<Attribute> {
  const shape = shapeAttribute(input, ['input'])
  return transaction(ctx, async (tx) => {
    await verifyShape(tx.query, shape, ['input'])
    await lockSchema(tx)
    const collection = await getOpenCollection(tx, collectionId)
    const [attribute] = await insertAttributes(tx, collection, [shape], () => ['input'])
    if (!attribute) throw new Error('No attribute was inserted.')
    return attribute
  })
}

/** Asks for an attribute's end: its values go with it. Refused while something else uses it. */
export async function deleteAttribute(ctx: Context, id: string): Promise<string> {
  return transaction(ctx, async (tx) => {
    await lockSchema(tx)
    const attribute = await getAttribute(tx, id)
    if (attribute.status === 'DELETING') return id
    const user = await userOf(tx, attribute.collection, attribute)
    if (user) throw new Conflict(`${user} uses it: delete or change that first.`)
    const data = { status: 'DELETING', statusReason: null, change: null } as const
    await tx.db.attribute.update({ where: { id }, data })
    await emit(tx, attributeUpdated, { ...identify(attribute.collection, attribute), status: 'DELETING' as const })
    return id
  })
}

/** A collection that can be given attributes and indexes. The lock of the schema is held. */
export async function getOpenCollection(tx: DbContext, id: string, at: readonly string[] = []): Promise<Collection> {
  const where = { AND: [{ id }, { database: visibleDatabases(tx) }] }
  const collection = isId('col', id) ? await tx.db.collection.findFirst({ where }) : null
  if (!collection) throw new NotFound('There is no such collection.', at)
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
  pathOf: (position: number) => readonly string[],
): Promise<Attribute[]> {
  if (shapes.length === 0) return []
  const take = takenFields(tx)
  const name = columnNames(tx)
  const rows: Prisma.AttributeCreateManyInput[] = []
  for (const [i, shape] of shapes.entries()) {
    const placed = await placeRelation(tx, collection, shape, pathOf(i))
    const at = (key: string) => [...pathOf(i), key === shape.key ? 'key' : 'reverseKey']
    await take(placed.collectionId, placed.key, at(placed.key))
    if (placed.relatedCollectionId !== null && placed.reverseKey !== null)
      await take(placed.relatedCollectionId, placed.reverseKey, at(placed.reverseKey))
    rows.push({ projectId: tx.projectId, ...placed, ...(await name(placed)) })
  }
  for (const [collectionId, added] of Map.groupBy(rows, ({ collectionId }) => collectionId)) {
    const count = await tx.db.attribute.count({ where: { collectionId } })
    if (count + added.length > attributeLimit)
      throw new LimitExceeded(`A collection has at most ${attributeLimit} attributes.`)
  }
  const attributes = await tx.db.attribute.createManyAndReturn({ data: rows })
  await verifyAllComputed(tx, attributes, pathOf)
  const emitted = []
  for (const attribute of attributes) {
    const place =
      attribute.collectionId === collection.id ? collection : await getOpenCollection(tx, attribute.collectionId)
    const payload = { ...identify(place, attribute), status: 'PROCESSING' as const }
    emitted.push({ payload, projectId: tx.projectId })
  }
  await emitAll(tx, attributeCreated, emitted)
  return attributes
}

/** What stands for the id of a collection in the relations that it begins with. */
const itself = 'self'

type Placed = Omit<AttributeShape, 'relation'> & Pick<Attribute, 'collectionId' | 'relation'>

/** The collection whose table or links hold an attribute. That of one-to-many is the other end, where it is many-to-one. */
async function placeRelation(
  tx: DbContext,
  collection: Collection,
  shape: AttributeShape,
  at: readonly string[],
): Promise<Placed> {
  const { relation, relatedCollectionId, ...rest } = shape
  if (relatedCollectionId === null)
    return { ...rest, relation: null, relatedCollectionId: null, collectionId: collection.id }
  const target =
    relatedCollectionId === itself
      ? collection.id
      : (await getOpenCollection(tx, relatedCollectionId, [...at, 'relatedCollectionId'])).id
  if (relation !== 'ONE_TO_MANY') return { ...rest, relation, relatedCollectionId: target, collectionId: collection.id }
  return {
    ...rest,
    relation: 'MANY_TO_ONE',
    key: shape.reverseKey ?? '',
    reverseKey: shape.key,
    collectionId: target,
    relatedCollectionId: collection.id,
  }
}

/** Names new columns: by the key, unless a renamed attribute has that name still. */
function columnNames(tx: DbContext): (placed: Placed) => Promise<Pick<Attribute, 'id' | 'column'>> {
  const taken = new Map<string, Set<string>>()
  return async ({ collectionId, key }) => {
    const rows = taken.has(collectionId)
      ? []
      : await tx.db.attribute.findMany({ where: { collectionId }, select: { column: true } })
    const columns = taken.get(collectionId) ?? new Set(rows.map(({ column }) => column))
    taken.set(collectionId, columns)
    const id = newId('att')
    const column = columns.has(key) ? id : key
    columns.add(column)
    return { id, column }
  }
}

async function verifyAllComputed(
  tx: DbContext,
  attributes: readonly Attribute[],
  pathOf: (position: number) => readonly string[],
): Promise<void> {
  for (const [i, attribute] of attributes.entries()) {
    if (attribute.computed === null) continue
    const siblings = await tx.db.attribute.findMany({ where: { collectionId: attribute.collectionId } })
    await verifyComputed(tx.query, attribute, siblings, pathOf(i))
  }
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
export function takenFields(
  tx: DbContext,
): (collectionId: string, key: string, at: readonly string[]) => Promise<void> {
  const taken = new Map<string, Set<string>>()
  const read = async (collectionId: string) => {
    const own = await tx.db.attribute.findMany({ where: { collectionId }, select: { key: true } })
    const reverse = await tx.db.attribute.findMany({
      where: { relatedCollectionId: collectionId, reverseKey: { not: null } },
      select: { reverseKey: true },
    })
    return new Set([...own.map(({ key }) => key), ...reverse.map(({ reverseKey }) => reverseKey ?? '')])
  }
  return async (collectionId, key, at) => {
    const keys = taken.get(collectionId) ?? (await read(collectionId))
    taken.set(collectionId, keys)
    if (keys.has(key)) throw new Conflict(`This collection already has a field “${key}”: choose another key.`, at)
    keys.add(key)
  }
}
