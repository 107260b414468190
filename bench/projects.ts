import type { Attribute } from '../prisma/client/client.ts'
import { typeNameOf } from '../src/documents/names.ts'
import { newId } from '../src/lib/ids.ts'
import { createTable } from '../src/modules/collections/tables.ts'
import type { World } from '../src/testing/world.ts'

export type Size = { collections: number; attributes: number }

export type Project = { id: string; collectionIds: string[] }

/** The attributes of a collection: texts and numbers, and a relation to the collection before it, so that all hang together. */
function attributesOf(projectId: string, ids: readonly string[], place: number, count: number): Attribute[] {
  const collectionId = ids[place] ?? ''
  const before = ids[place - 1]
  return Array.from({ length: count }, (_, i) => {
    const isRelation = i === 0 && before !== undefined
    const key = isRelation ? 'parent' : `field${i}`
    const type = isRelation ? 'RELATION' : i % 2 === 0 ? 'STRING' : 'INTEGER'
    return {
      id: newId('att'),
      projectId,
      collectionId,
      key,
      column: key,
      type,
      required: false,
      list: false,
      default: null,
      size: type === 'STRING' ? 100 : null,
      min: null,
      max: null,
      pattern: null,
      elements: [],
      dimensions: null,
      unique: false,
      encrypted: false,
      computed: null,
      restricted: false,
      permissions: [],
      relation: isRelation ? 'MANY_TO_ONE' : null,
      relatedCollectionId: isRelation ? before : null,
      reverseKey: isRelation ? 'children' : null,
      onDelete: isRelation ? 'SET_NULL' : null,
      description: null,
      status: 'AVAILABLE',
      statusReason: null,
      change: null,
      createdAt: new Date(),
      updatedAt: new Date(),
    }
  })
}

/** A project as the databases worker leaves it, made with few statements, for many are made. Whoever has an account may read. */
export async function createProject({ app }: World, { collections, attributes }: Size): Promise<Project> {
  const id = newId('prj')
  const databaseId = newId('db')
  const ids = Array.from({ length: collections }, () => newId('col'))
  await app.db.project.create({ data: { id, name: 'Bench', schemaRevision: 1 } })
  await app.db.database.create({ data: { id: databaseId, projectId: id, key: 'main', name: 'Main' } })
  await app.db.collection.createMany({
    data: ids.map((collectionId, i) => ({
      id: collectionId,
      projectId: id,
      databaseId,
      key: `thing${i}s`,
      typeName: typeNameOf(`thing${i}s`),
      name: `Things ${i}`,
      permissions: ['read:any', 'create:users'],
      documentPermissions: false,
      status: 'AVAILABLE' as const,
    })),
  })
  const rows = ids.map((_, i) => attributesOf(id, ids, i, attributes))
  await app.db.attribute.createMany({ data: rows.flat() })
  const tables = ids.map((collectionId, i) => createTable({ id: collectionId, projectId: id }, rows[i] ?? []))
  await app.sql.query([`create schema "${id}"`, ...tables].join(';\n'))
  return { id, collectionIds: ids }
}
