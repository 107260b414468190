import type { Collection, Prisma } from '../../../prisma/client/client.ts'
import { type Context, type DbContext, transaction } from '../../context.ts'
import { nameClash, typeNameOf } from '../../documents/names.ts'
import { Conflict, Invalid, LimitExceeded, NotFound } from '../../errors.ts'
import { emit } from '../../event.ts'
import { newId } from '../../lib/ids.ts'
import { insertAttributes } from '../attributes/attributes.ts'
import { type NewAttribute, shapeAttribute } from '../attributes/shape.ts'
import { verifyShape } from '../attributes/verify.ts'
import { getDatabase, visibleDatabases } from '../databases/databases.ts'
import { checkDescription, checkKey, checkName, isId } from '../databases/names.ts'
import { lockSchema, raiseRevision } from '../databases/revision.ts'
import { checkIndex, insertIndexes, type NewIndex, verifyLanguage } from '../indexes/indexes.ts'
import { type NewPermission, permissionTexts } from '../permissions/grants.ts'
import { rights } from '../permissions/roles.ts'
import { collectionCreated, collectionDeleted, collectionUpdated } from './events.ts'
import { type NewRule, ruleTexts } from './rules.ts'

/** Most collections in a project. */
export const collectionLimit = 1_000
export type NewCollection = {
  databaseId: string
  key: string
  typeName?: string | null | undefined
  name?: string | null | undefined
  /** What it is for: whoever is shown its type reads it there. */
  description?: string | null | undefined
  permissions: readonly NewPermission[]
  documentPermissions?: boolean | null | undefined
  rules?: readonly NewRule[] | null | undefined
  /** How long answers about it may be kept; not at all if left out. */
  cacheSeconds?: number | null | undefined
  attributes?: readonly NewAttribute[] | null | undefined
  indexes?: readonly NewIndex[] | null | undefined
}

export function visibleCollections(ctx: Pick<Context, 'actor' | 'projectId'>): Prisma.CollectionWhereInput {
  return { database: visibleDatabases(ctx) }
}

/** One of them by its id, outside or inside a transaction. */
export async function getCollection(ctx: Context | DbContext, id: string): Promise<Collection> {
  const where = { AND: [{ id }, visibleCollections(ctx)] }
  const collection = isId('col', id) ? await ctx.db.collection.findFirst({ where }) : null
  if (!collection) throw new NotFound('There is no such collection.')
  return collection
}

/** Asks for a collection with the attributes and indexes it begins with. The worker makes its table and sets its status. */
export async function createCollection(ctx: Context, input: NewCollection): Promise<Collection> {
  const { projectId } = ctx
  const { databaseId, key } = input
  checkKey(key, ['input', 'key'])
  const typeName = checkTypeName(input.typeName ?? typeNameOf(key))
  const name = checkName(input.name ?? key, ['input', 'name'])
  const description = checkDescription(input.description, ['input'])
  const permissions = grantTexts(input.permissions)
  const cacheSeconds = checkCacheSeconds(input.cacheSeconds ?? null)
  const shapes = (input.attributes ?? []).map((attribute, i) => shapeAttribute(attribute, attributePath(i)))
  const indexes = input.indexes ?? []
  for (const [i, index] of indexes.entries()) checkIndex(index, indexPath(i))
  return transaction(ctx, async (tx) => {
    for (const [i, index] of indexes.entries()) await verifyLanguage(tx.query, index, indexPath(i))
    for (const [i, shape] of shapes.entries()) await verifyShape(tx.query, shape, attributePath(i))
    await lockSchema(tx)
    await getDatabase(tx, databaseId)
    await checkFree(tx, { databaseId, key, typeName })
    const documentPermissions = input.documentPermissions ?? true
    const collection = await tx.db.collection.create({
      data: {
        id: newId('col'),
        projectId,
        databaseId,
        key,
        typeName,
        name,
        description,
        permissions,
        documentPermissions,
        cacheSeconds,
      },
    })
    await emit(tx, collectionCreated, { ...identify(collection), status: collection.status })
    await insertAttributes(tx, collection, shapes, attributePath)
    await insertIndexes(tx, collection, indexes, indexPath)
    if (!input.rules?.length) return collection
    const rules = await readRules(tx, collection.id, input.rules)
    return tx.db.collection.update({ where: { id: collection.id }, data: { rules } })
  })
}

export type CollectionChanges = Partial<
  Pick<
    NewCollection,
    'key' | 'name' | 'typeName' | 'description' | 'documentPermissions' | 'permissions' | 'rules' | 'cacheSeconds'
  >
>

/**
 * Changes what a collection is called and who may use it. What is left out stays; a `cacheSeconds` of null turns it off, and a
 * `description` of null takes it away.
 * In force once it is committed; its table keeps its name.
 */
export async function updateCollection(
  ctx: Context,
  id: string,
  changes: Nullable<CollectionChanges>,
): Promise<Collection> {
  const data: Prisma.CollectionUpdateInput = {}
  if (changes.name != null) data.name = checkName(changes.name, ['input', 'name'])
  if (changes.description !== undefined) data.description = checkDescription(changes.description, ['input'])
  if (changes.permissions != null) data.permissions = grantTexts(changes.permissions)
  if (changes.documentPermissions != null) data.documentPermissions = changes.documentPermissions
  if (changes.cacheSeconds !== undefined) data.cacheSeconds = checkCacheSeconds(changes.cacheSeconds)
  if (changes.key != null) checkKey(changes.key, ['input', 'key'])
  if (changes.typeName != null) checkTypeName(changes.typeName)
  return transaction(ctx, async (tx) => {
    await lockSchema(tx)
    const found = await getCollection(tx, id)
    const names = { key: changes.key ?? found.key, typeName: changes.typeName ?? found.typeName }
    if (names.key !== found.key || names.typeName !== found.typeName) await checkFree(tx, { ...found, ...names })
    if (changes.rules != null) data.rules = await readRules(tx, id, changes.rules)
    const collection = await tx.db.collection.update({ where: { id }, data: { ...data, ...names } })
    await emit(tx, collectionUpdated, { ...identify(collection), status: collection.status })
    await raiseRevision(tx)
    return collection
  })
}

type Nullable<T> = { [Key in keyof T]?: T[Key] | null | undefined }

async function readRules(tx: DbContext, collectionId: string, rules: readonly NewRule[]): Promise<string> {
  const attributes = await tx.db.attribute.findMany({ where: { collectionId } })
  const usable = attributes.filter(({ status }) => status !== 'FAILED' && status !== 'DELETING')
  return ruleTexts(rules, usable, ['input', 'rules'])
}

function checkCacheSeconds(seconds: number | null): number | null {
  if (seconds !== null && !(Number.isInteger(seconds) && seconds >= 1 && seconds <= 3_600))
    throw new Invalid('Answers are kept for 1 to 3,600 seconds.', ['input', 'cacheSeconds'])
  return seconds
}

/**
 * Deletes a collection. It and its type are gone at once and their names are free; the databases worker drops its table.
 * Refused while others point at it.
 */
export async function deleteCollection(ctx: Context, id: string): Promise<string> {
  return transaction(ctx, async (tx) => {
    await lockSchema(tx)
    const collection = await getCollection(tx, id)
    const pointer = await tx.db.attribute.findFirst({
      where: {
        relatedCollectionId: id,
        status: { not: 'DELETING' },
        collectionId: { not: id },
      },
      include: { collection: true },
    })
    if (pointer)
      throw new Conflict(`“${pointer.collection.key}.${pointer.key}” points at it: delete that attribute first.`)
    await tx.db.collection.delete({ where: { id } })
    await emit(tx, collectionDeleted, identify(collection))
    await raiseRevision(tx)
    return id
  })
}

/** What events about a collection carry to name it. */
export function identify({ id, databaseId, key }: Pick<Collection, 'id' | 'databaseId' | 'key'>) {
  return { databaseId, collectionId: id, key }
}

function attributePath(position: number): readonly string[] {
  return ['input', 'attributes', `${position}`]
}

function indexPath(position: number): readonly string[] {
  return ['input', 'indexes', `${position}`]
}

function checkTypeName(text: string): string {
  if (!/^[A-Z][A-Za-z0-9_]{0,39}$/.test(text) || text in {}) {
    throw new Invalid(
      'A type name begins with a capital and goes on with letters, digits and underscores, 40 at most.',
      ['input', 'typeName'],
    )
  }
  return text
}

function grantTexts(permissions: readonly NewPermission[]): string[] {
  return permissionTexts(permissions, [...rights, 'write'], ['input', 'permissions'])
}

/** Throws where a name is taken. One that has an `id` is renamed, another is new. */
async function checkFree(
  tx: DbContext,
  wanted: { id?: string; databaseId: string; key: string; typeName: string },
): Promise<void> {
  const { projectId } = tx
  const all = await tx.db.collection.findMany({
    where: { projectId },
    select: { id: true, databaseId: true, key: true, typeName: true },
  })
  const others = all.filter(({ id }) => id !== wanted.id)
  if (others.length >= collectionLimit) throw new LimitExceeded(`A project has at most ${collectionLimit} collections.`)
  if (others.some(({ databaseId, key }) => databaseId === wanted.databaseId && key === wanted.key)) {
    throw new Conflict(`This database already has a collection “${wanted.key}”.`, ['input', 'key'])
  }
  const clash = nameClash(wanted, others)
  if (clash)
    throw new Conflict(`“${clash}” is taken in this project: give the collection another \`typeName\`.`, [
      'input',
      'typeName',
    ])
}
