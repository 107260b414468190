import type { Attribute, Collection, Index, Prisma } from '../../../prisma/client/client.ts'
import type { IndexType, VectorDistance } from '../../../prisma/client/enums.ts'
import { type Context, type DbContext, type Query, transaction } from '../../context.ts'
import type { DirectionName } from '../../documents/directions.ts'
import { Conflict, Invalid, LimitExceeded, NotFound } from '../../errors.ts'
import { emit } from '../../event.ts'
import { newId } from '../../lib/ids.ts'
import { getOpenCollection } from '../attributes/attributes.ts'
import { hasLanguage } from '../attributes/verify.ts'
import { visibleDatabases } from '../databases/databases.ts'
import { checkKey, isId } from '../databases/names.ts'
import { lockSchema } from '../databases/revision.ts'
import { indexCreated, indexUpdated } from './events.ts'
import { builtIn, fits, isOrdered, refusalOf } from './kinds.ts'

/** Most indexes of a collection. */
export const indexLimit = 64
/** Most attributes of an index. */
export const indexAttributeLimit = 10

export type NewIndex = {
  key: string
  type: IndexType
  attributes: readonly string[]
  /** For each attribute; ascending if left out. */
  orders?: readonly DirectionName[] | null | undefined
  /** How a full-text index reads words; `simple` if left out. */
  language?: string | null | undefined
  /** What a vector index measures; EUCLIDEAN if left out. */
  distance?: VectorDistance | null | undefined
}

export function visibleIndexes(ctx: Pick<Context, 'actor' | 'projectId'>): Prisma.IndexWhereInput {
  return { collection: { database: visibleDatabases(ctx) } }
}

/** Asks for an index. The worker builds it and sets its status. */
export async function createIndex(
  ctx: Context,
  { collectionId, ...input }: NewIndex & { collectionId: string },
): Promise<Index> {
  checkIndex(input, ['input'])
  return transaction(ctx, async (tx) => {
    await verifyLanguage(tx.query, input, ['input'])
    await lockSchema(tx)
    const collection = await getOpenCollection(tx, collectionId)
    const [index] = await insertIndexes(tx, collection, [input], () => ['input'])
    if (!index) throw new Error('No index was inserted.')
    return index
  })
}

export async function deleteIndex(ctx: Context, id: string): Promise<string> {
  return transaction(ctx, async (tx) => {
    await lockSchema(tx)
    const where = { AND: [{ id }, visibleIndexes(ctx)] }
    const index = isId('idx', id) ? await tx.db.index.findFirst({ where, include: { collection: true } }) : null
    if (!index) throw new NotFound('There is no such index.')
    if (index.status === 'DELETING') return id
    await tx.db.index.update({ where: { id }, data: { status: 'DELETING', statusReason: null } })
    await emit(tx, indexUpdated, { ...identify(index.collection, index), status: 'DELETING' as const })
    return id
  })
}

/** Throws for what an index by itself cannot be, whatever collection it is for. */
export function checkIndex(input: NewIndex, path: readonly string[]): void {
  const { key, type, attributes, orders } = input
  checkKey(key, [...path, 'key'])
  if (attributes.length < 1 || attributes.length > indexAttributeLimit) {
    throw new Invalid(`An index has 1 to ${indexAttributeLimit} attributes.`, [...path, 'attributes'])
  }
  if (new Set(attributes).size < attributes.length) {
    throw new Invalid('An index names an attribute once.', [...path, 'attributes'])
  }
  if (orders && orders.length !== attributes.length) {
    throw new Invalid('An index has one order for each attribute, or none at all.', [...path, 'orders'])
  }
  if (orders && !isOrdered(type)) throw new Invalid('Only a key or unique index has orders.', [...path, 'orders'])
  if (input.language != null && type !== 'FULLTEXT')
    throw new Invalid('Only a full-text index has a language.', [...path, 'language'])
  if (input.distance != null && type !== 'VECTOR')
    throw new Invalid('Only a vector index has a distance.', [...path, 'distance'])
  if (type === 'VECTOR' && attributes.length > 1)
    throw new Invalid('A vector index has one attribute.', [...path, 'attributes'])
}

/** Asks PostgreSQL whether it can read the language of a full-text index. */
export async function verifyLanguage(
  query: Query,
  { language }: Pick<NewIndex, 'language'>,
  path: readonly string[],
): Promise<void> {
  if (language == null) return
  const isName = /^[a-z_]{1,63}$/.test(language)
  if (!isName || !(await hasLanguage(query, language)))
    throw new Invalid('PostgreSQL has no text search configuration of this name.', [...path, 'language'])
}

/** Writes the rows of indexes, once they are right for this collection. The lock of the schema is held. */
export async function insertIndexes(
  tx: DbContext,
  collection: Collection,
  inputs: readonly NewIndex[],
  pathOf: (position: number) => readonly string[],
): Promise<Index[]> {
  if (inputs.length === 0) return []
  const collectionId = collection.id
  const existing = await tx.db.index.findMany({ where: { collectionId }, select: { key: true } })
  if (existing.length + inputs.length > indexLimit)
    throw new LimitExceeded(`A collection has at most ${indexLimit} indexes.`)
  const attributes = await tx.db.attribute.findMany({ where: { collectionId } })
  const keys = new Set(existing.map(({ key }) => key))
  for (const [i, input] of inputs.entries()) {
    const { key } = input
    if (keys.has(key)) throw new Conflict(`This collection already has an index “${key}”.`, [...pathOf(i), 'key'])
    keys.add(key)
    checkAttributes(input, attributes, [...pathOf(i), 'attributes'])
  }
  const indexes = await tx.db.index.createManyAndReturn({
    data: inputs.map(({ key, type, attributes, orders, language, distance }) => ({
      id: newId('idx'),
      projectId: tx.projectId,
      collectionId,
      key,
      type,
      attributes: [...attributes],
      orders: isOrdered(type) ? [...(orders ?? attributes.map(() => 'ASC'))] : [],
      language: type === 'FULLTEXT' ? (language ?? 'simple') : null,
      distance: type === 'VECTOR' ? (distance ?? 'EUCLIDEAN') : null,
    })),
  })
  for (const index of indexes)
    await emit(tx, indexCreated, { ...identify(collection, index), status: 'PROCESSING' as const })
  return indexes
}

/** What events about an index carry to name it. */
export function identify(
  collection: Pick<Collection, 'id' | 'databaseId' | 'key'>,
  { id, key }: Pick<Index, 'id' | 'key'>,
) {
  const { databaseId } = collection
  return { databaseId, collectionId: collection.id, collectionKey: collection.key, indexId: id, key }
}

function checkAttributes(
  { type, attributes: names }: NewIndex,
  attributes: readonly Attribute[],
  path: readonly string[],
): void {
  const found = names.map((name, i) => {
    const at = [...path, String(i)]
    if (builtIn.has(name)) {
      if (!isOrdered(type)) throw new Invalid('Only a key or unique index can name it.', at)
      return null
    }
    const attribute = attributes.find(({ key }) => key === name)
    if (!attribute) throw new Invalid('There is no such attribute.', at)
    if (attribute.status === 'FAILED') throw new Invalid(`The attribute “${name}” could not be made.`, at)
    if (attribute.status === 'DELETING') throw new Invalid(`The attribute “${name}” is being deleted.`, at)
    const refusal = refusalOf(type, attribute)
    if (refusal) throw new Invalid(refusal, at)
    return attribute
  })
  if (isOrdered(type) && !fits(found.flatMap((attribute) => attribute ?? []))) {
    throw new Invalid('The strings of an index have at most about 640 characters together.', path)
  }
}
