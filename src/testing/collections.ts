import type { Attribute } from '../../prisma/client/client.ts'
import { type Context, sqlTransaction } from '../context.ts'
import { typeNameOf } from '../documents/names.ts'
import { newId } from '../lib/ids.ts'
import { createTable } from '../modules/collections/tables.ts'
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
}

/**
 * Collections as the databases worker leaves them: rows, tables, foreign keys, all available at once. Those that point at
 * others come after them. Answers their ids by key.
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
  for (const [key, { permissions = [], documentPermissions = false, typeName = typeNameOf(key) }] of Object.entries(
    collections,
  )) {
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
        status: 'AVAILABLE',
      },
    })
  }
  for (const [key, { attributes }] of Object.entries(collections)) {
    const collectionId = ids.get(key) ?? ''
    const rows: Attribute[] = []
    for (const [name, { to, default: value, ...attribute }] of Object.entries(attributes)) {
      rows.push(
        await ctx.db.attribute.create({
          data: {
            id: newId('att'),
            projectId,
            collectionId,
            key: name,
            column: name,
            relation: attribute.type === 'RELATION' ? 'MANY_TO_ONE' : null,
            required: false,
            size: attribute.type === 'STRING' ? 1000 : null,
            ...attribute,
            default: value === undefined ? null : JSON.stringify(value),
            relatedCollectionId: to === undefined ? null : (ids.get(to) ?? to),
            onDelete: attribute.type === 'RELATION' ? (attribute.onDelete ?? 'SET_NULL') : null,
            status: 'AVAILABLE',
          },
        }),
      )
    }
    await ctx.sql.query(createTable({ id: collectionId, projectId }, rows))
  }
  await sqlTransaction(ctx, raiseRevision)
  return Object.fromEntries(ids)
}
