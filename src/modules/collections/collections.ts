import type { Collection, Prisma } from '../../../prisma/client/client.ts'
import { type Context, type DbContext, transaction } from '../../context.ts'
import { nameClash, typeNameOf } from '../../documents/names.ts'
import { Conflict, Invalid, LimitExceeded, NotFound } from '../../errors.ts'
import { emit } from '../../event.ts'
import { newId } from '../../lib/ids.ts'
import { insertAttributes } from '../attributes/attributes.ts'
import { type NewAttribute, shapeAttribute } from '../attributes/shape.ts'
import { getDatabase, visibleDatabases } from '../databases/databases.ts'
import { checkKey, checkName, isId } from '../databases/names.ts'
import { lockSchema, raiseRevision } from '../databases/revision.ts'
import { checkIndex, insertIndexes, type NewIndex } from '../indexes/indexes.ts'
import { parsePermission } from '../permissions/roles.ts'
import { collectionCreated, collectionUpdated } from './events.ts'

/** Most collections in a project. */
export const collectionLimit = 1_000
/** Most permissions of a collection. */
export const permissionLimit = 100

export type NewPermission = { role: string; right: 'create' | 'read' | 'update' | 'delete' | 'write' }

export type NewCollection = {
  databaseId: string
  key: string
  typeName?: string | null | undefined
  name?: string | null | undefined
  permissions: readonly NewPermission[]
  documentPermissions?: boolean | null | undefined
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
  const permissions = permissionTexts(input.permissions)
  const shapes = (input.attributes ?? []).map((attribute, i) =>
    shapeAttribute(attribute, ['input', 'attributes', `${i}`]),
  )
  const indexes = input.indexes ?? []
  for (const [i, index] of indexes.entries()) checkIndex(index, indexPath(i))
  return transaction(ctx, async (tx) => {
    await lockSchema(tx)
    await getDatabase(tx, databaseId)
    await checkFree(tx, { databaseId, key, typeName })
    const documentPermissions = input.documentPermissions ?? true
    const collection = await tx.db.collection.create({
      data: { id: newId('col'), projectId, databaseId, key, typeName, name, permissions, documentPermissions },
    })
    await emit(tx, collectionCreated, { ...identify(collection), status: collection.status })
    await insertAttributes(tx, collection, shapes)
    await insertIndexes(tx, collection, indexes, indexPath)
    return collection
  })
}

export type CollectionChanges = Partial<Pick<NewCollection, 'name' | 'documentPermissions'>> & {
  permissions?: readonly NewPermission[] | null | undefined
}

/** Changes who may use a collection, or what people call it. What is left out stays. In force once it is committed. */
export async function updateCollection(ctx: Context, id: string, changes: CollectionChanges): Promise<Collection> {
  const data: Prisma.CollectionUpdateInput = {}
  if (changes.name != null) data.name = checkName(changes.name, ['input', 'name'])
  if (changes.permissions != null) data.permissions = permissionTexts(changes.permissions)
  if (changes.documentPermissions != null) data.documentPermissions = changes.documentPermissions
  return transaction(ctx, async (tx) => {
    await lockSchema(tx)
    const { status } = await getCollection(tx, id)
    if (status === 'DELETING') throw new Conflict('This collection is being deleted.')
    const collection = await tx.db.collection.update({ where: { id }, data })
    await emit(tx, collectionUpdated, { ...identify(collection), status: collection.status })
    await raiseRevision(tx)
    return collection
  })
}

/** Asks for a collection's end: its type is gone at once, and its documents with its table. Refused while others point at it. */
export async function deleteCollection(ctx: Context, id: string): Promise<string> {
  return transaction(ctx, async (tx) => {
    await lockSchema(tx)
    const collection = await getCollection(tx, id)
    if (collection.status === 'DELETING') return id
    const pointer = await tx.db.attribute.findFirst({
      where: {
        relatedCollectionId: id,
        status: { not: 'DELETING' },
        collection: { id: { not: id }, status: { not: 'DELETING' } },
      },
      include: { collection: true },
    })
    if (pointer)
      throw new Conflict(`“${pointer.collection.key}.${pointer.key}” points at it: delete that attribute first.`)
    await tx.db.collection.update({ where: { id }, data: { status: 'DELETING', statusReason: null } })
    await emit(tx, collectionUpdated, { ...identify(collection), status: 'DELETING' as const })
    await raiseRevision(tx)
    return id
  })
}

/** What events about a collection carry to name it. */
export function identify({ id, databaseId, key }: Pick<Collection, 'id' | 'databaseId' | 'key'>) {
  return { databaseId, collectionId: id, key }
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

function permissionTexts(permissions: readonly NewPermission[]): string[] {
  const path = ['input', 'permissions']
  if (permissions.length > permissionLimit)
    throw new Invalid(`A collection has at most ${permissionLimit} permissions.`, path)
  const texts = permissions.map(({ role, right }, i) => {
    const text = `${right}:${role}`
    if (parsePermission(text).length === 0) throw new Invalid('This is not a role.', [...path, `${i}`, 'role'])
    return text
  })
  return [...new Set(texts)]
}

async function checkFree(tx: DbContext, wanted: { databaseId: string; key: string; typeName: string }): Promise<void> {
  const { projectId } = tx
  const others = await tx.db.collection.findMany({
    where: { projectId },
    select: { databaseId: true, key: true, typeName: true },
  })
  if (others.length >= collectionLimit) throw new LimitExceeded(`A project has at most ${collectionLimit} collections.`)
  if (others.some(({ databaseId, key }) => databaseId === wanted.databaseId && key === wanted.key)) {
    throw new Conflict(`This database already has a collection “${wanted.key}”.`)
  }
  const clash = nameClash(wanted, others)
  if (clash) throw new Conflict(`“${clash}” is taken in this project: give the collection another \`typeName\`.`)
}
