import type { Attribute, Index } from '../../prisma/client/client.ts'
import { type Context, sqlTransaction } from '../context.ts'
import { typeNameOf } from '../documents/names.ts'
import { newId } from '../lib/ids.ts'
import { hasOwnColumn } from '../modules/collections/columns.ts'
import { attributeIndexes, indexOf } from '../modules/collections/table-indexes.ts'
import { addColumn, createLinks, createTable } from '../modules/collections/tables.ts'
import { raiseRevision } from '../modules/databases/revision.ts'

type NewAttribute = Partial<Omit<Attribute, 'default'>> &
  Pick<Attribute, 'type'> & {
    default?: unknown
    /** The key of a collection that was created before, or in the same call. */
    to?: string
  }

export type NewCollection = {
  attributes: Record<string, NewAttribute>
  permissions?: string[]
  documentPermissions?: boolean
  typeName?: string
  rules?: readonly object[]
  cacheSeconds?: number
  indexes?: Record<string, Partial<Index> & Pick<Index, 'type' | 'attributes'>>
}

/**
 * Collections as the databases worker leaves them: rows, tables, foreign keys, indexes, all available at once. Answers their ids by key.
 */
export async function createCollections(
  ctx: Context,
  collections: Record<string, NewCollection>,
): Promise<Record<string, string>> {
  const { projectId } = ctx
  const databaseId = newId('db')
  await ctx.db.database.create({ data: { id: databaseId, projectId, key: databaseId, name: 'Test' } })
  await ctx.sql.query(`create schema if not exists "${projectId}"`)
  const ids = new Map(Object.keys(collections).map((key) => [key, newId('col')]))
  for (const [key, collection] of Object.entries(collections)) {
    const { permissions = [], documentPermissions = false, typeName = typeNameOf(key), rules = [] } = collection
    const id = ids.get(key) ?? ''
    await ctx.db.collection.create({
      data: {
        id,
        projectId,
        databaseId,
        key,
        typeName,
        name: key,
        permissions,
        documentPermissions,
        rules: JSON.stringify(rules),
        cacheSeconds: collection.cacheSeconds ?? null,
        status: 'AVAILABLE',
      },
    })
  }
  const made = new Set<string>()
  const waiting: [place: { id: string; projectId: string }, attribute: Attribute, siblings: Attribute[]][] = []
  for (const [key, { attributes }] of Object.entries(collections)) {
    const place = { id: ids.get(key) ?? '', projectId }
    const rows: Attribute[] = []
    for (const [name, attribute] of Object.entries(attributes)) {
      const target = attribute.to === undefined ? null : (ids.get(attribute.to) ?? attribute.to)
      rows.push(await createRow(ctx, place.id, name, attribute, target))
    }
    made.add(place.id)
    const isNew = (id: string | null) => [...ids.values()].includes(id ?? '') && !made.has(id ?? '')
    const ready = rows.filter(({ relatedCollectionId }) => !isNew(relatedCollectionId))
    await ctx.sql.query(createTable(place, ready))
    for (const row of ready) await addParts(ctx, place, row)
    for (const row of rows) if (!ready.includes(row)) waiting.push([place, row, rows])
  }
  for (const [place, row, siblings] of waiting) {
    if (hasOwnColumn(row)) await ctx.sql.query(addColumn(place, row, siblings))
    await addParts(ctx, place, row)
  }
  for (const [key, { indexes = {} }] of Object.entries(collections)) {
    for (const [name, index] of Object.entries(indexes)) await addIndex(ctx, ids.get(key) ?? '', name, index)
  }
  await sqlTransaction(ctx, raiseRevision)
  return Object.fromEntries(ids)
}

async function createRow(
  ctx: Context,
  collectionId: string,
  key: string,
  { to: _to, default: value, ...attribute }: NewAttribute,
  relatedCollectionId: string | null,
): Promise<Attribute> {
  const isRelation = attribute.type === 'RELATION'
  return ctx.db.attribute.create({
    data: {
      id: newId('att'),
      projectId: ctx.projectId,
      collectionId,
      key,
      column: key,
      relation: isRelation ? 'MANY_TO_ONE' : null,
      required: false,
      size: attribute.type === 'STRING' ? 1000 : null,
      ...attribute,
      default: value === undefined ? null : JSON.stringify(value),
      relatedCollectionId,
      onDelete: isRelation ? (attribute.onDelete ?? 'SET_NULL') : null,
      status: 'AVAILABLE',
    },
  })
}

/** What an attribute has beside its column: indexes, or the table of its links. */
async function addParts(ctx: Context, place: { id: string; projectId: string }, row: Attribute): Promise<void> {
  if (!hasOwnColumn(row)) for (const text of createLinks(row)) await ctx.sql.query(text)
  for (const index of attributeIndexes(place, row)) await ctx.sql.query(index.text(false))
}

async function addIndex(
  ctx: Context,
  collectionId: string,
  key: string,
  index: Partial<Index> & Pick<Index, 'type' | 'attributes'>,
): Promise<void> {
  const { projectId } = ctx
  const orders = index.attributes.map(() => 'ASC')
  const row = await ctx.db.index.create({
    data: { id: newId('idx'), projectId, collectionId, key, orders, ...index, status: 'AVAILABLE' },
  })
  const attributes = await ctx.db.attribute.findMany({ where: { collectionId } })
  await ctx.sql.query(indexOf({ id: collectionId, projectId }, row, attributes).text(false))
}
