import type { Pool } from 'pg'
import type { Attribute, Collection } from '../../prisma/client/client.ts'
import { parsePermission, type Right } from '../modules/permissions/roles.ts'
import { type Names, nameClash, reservedKeys, typeNamesOf } from './names.ts'

export type ColumnType = 'ID' | 'STRING' | 'INTEGER' | 'BOOLEAN' | 'DATETIME'

/** A value of a document: its field in the API and its column in the table. */
export type Column = {
  key: string
  name: string
  type: ColumnType
  required: boolean
  default: unknown
  /** Greatest number of characters of a string. */
  size: number | null
}

/** A field that points at one document of another collection. */
export type Relation = {
  key: string
  collectionId: string
  required: boolean
  onDelete: 'CASCADE' | 'RESTRICT' | 'SET_NULL'
}

/** The other end of a relation: the documents whose `column` points here. `key` is null when the API does not show it. */
export type Reverse = { key: string | null; collectionId: string; column: string; onDelete: Relation['onDelete'] }

export type CollectionModel = {
  id: string
  key: string
  databaseId: string
  typeName: string
  names: Names
  /** Its table, quoted. */
  table: string
  permissions: Readonly<Record<Right, ReadonlySet<string>>>
  documentPermissions: boolean
  /** By field: `id`, `createdAt`, `updatedAt`, then the attributes that are no relations. */
  columns: ReadonlyMap<string, Column>
  relations: ReadonlyMap<string, Relation>
  reverses: readonly Reverse[]
}

/** A project's own collections at one revision of its schema. */
export type ProjectModel = { projectId: string; revision: number; collections: ReadonlyMap<string, CollectionModel> }

type Row = Pick<
  Collection,
  'id' | 'key' | 'projectId' | 'databaseId' | 'typeName' | 'permissions' | 'documentPermissions'
> & { attributes: Field[] }

type Field = Pick<
  Attribute,
  'key' | 'type' | 'required' | 'size' | 'default' | 'collectionId' | 'relatedCollectionId' | 'reverseKey' | 'onDelete'
>

const own: readonly Column[] = [
  { key: 'id', name: '_id', type: 'ID', required: true, default: undefined, size: null },
  { key: 'createdAt', name: '_createdAt', type: 'DATETIME', required: true, default: undefined, size: null },
  { key: 'updatedAt', name: '_updatedAt', type: 'DATETIME', required: true, default: undefined, size: null },
]

export function quote(identifier: string): string {
  return `"${identifier.replaceAll('"', '""')}"`
}

const collectionsQuery = `
  select p."schemaRevision" as revision, c.id, c.key, c."projectId", c."databaseId", c."typeName", c.permissions, c."documentPermissions"
  from projects p left join collections c on c."projectId" = p.id and c.status = 'AVAILABLE'
  where p.id = $1 order by c."createdAt", c.id`

const attributesQuery = `
  select a.key, a.type, a.required, a.size, a."default", a."collectionId", a."relatedCollectionId", a."reverseKey", a."onDelete"
  from attributes a join collections c on c.id = a."collectionId"
  where c."projectId" = $1 and a.status = 'AVAILABLE' and c.status = 'AVAILABLE' order by a."createdAt", a.id`

/** Reads what is available of a project's schema. A project that does not exist has no collections, and the revision -1. */
export async function loadModel(sql: Pool, projectId: string): Promise<ProjectModel> {
  const { found, attributes } = await readRows(sql, projectId)
  const byCollection = Map.groupBy(attributes, ({ collectionId }) => collectionId)
  const byTarget = Map.groupBy(attributes, ({ relatedCollectionId }) => relatedCollectionId)
  const rows = found.flatMap((row) => (row.id === null ? [] : [{ ...row, attributes: byCollection.get(row.id) ?? [] }]))
  const kept = withoutClashes(rows)
  const ids = new Set(kept.map(({ id }) => id))
  const pointing = (id: string) => (byTarget.get(id) ?? []).filter(({ collectionId }) => ids.has(collectionId))
  const collections = new Map(kept.map((row) => [row.id, collectionOf(row, ids, pointing(row.id))]))
  return { projectId, revision: found[0]?.revision ?? -1, collections }
}

type Found = { revision: number } & Omit<Row, 'attributes'>

/** As both stood at one moment: a revision, and what belongs to it. */
async function readRows(sql: Pool, projectId: string): Promise<{ found: Found[]; attributes: Field[] }> {
  const client = await sql.connect()
  try {
    await client.query('begin isolation level repeatable read read only')
    const { rows: found } = await client.query<Found>(collectionsQuery, [projectId])
    const { rows: attributes } = await client.query<Field>(attributesQuery, [projectId])
    await client.query('commit')
    client.release()
    return { found, attributes }
  } catch (error) {
    client.release(true)
    throw error
  }
}

/** Two things of one name would make the whole schema unusable: the one that was there first keeps it. */
function withoutClashes(rows: readonly Row[]): Row[] {
  const taken = new Set<string>()
  return rows.filter((row) => {
    const { coordinates } = typeNamesOf(row.typeName, row.key)
    if (coordinates.some((name) => taken.has(name)) || nameClash(row, []) !== null) return false
    for (const name of coordinates) taken.add(name)
    return true
  })
}

function collectionOf(row: Row, ids: ReadonlySet<string>, pointing: readonly Field[]): CollectionModel {
  const usable = row.attributes.filter(({ key }) => !reservedKeys.has(key))
  const columns = usable.filter(({ type }) => type !== 'RELATION').map(columnOf)
  return {
    id: row.id,
    key: row.key,
    databaseId: row.databaseId,
    typeName: row.typeName,
    names: typeNamesOf(row.typeName, row.key),
    table: `${quote(row.projectId)}.${quote(row.id)}`,
    permissions: rolesByRight(row.permissions),
    documentPermissions: row.documentPermissions,
    columns: new Map([...own, ...columns].map((column) => [column.key, column])),
    relations: new Map(usable.flatMap((attribute) => relationOf(attribute, ids))),
    reverses: reversesOf(row, pointing),
  }
}

function columnOf(attribute: Field): Column {
  const { key, required, size } = attribute
  const value: unknown = attribute.default === null ? undefined : JSON.parse(attribute.default)
  return { key, name: key, type: attribute.type as ColumnType, required, size, default: value }
}

function relationOf(
  { key, type, required, relatedCollectionId, onDelete }: Field,
  ids: ReadonlySet<string>,
): [string, Relation][] {
  if (type !== 'RELATION' || !relatedCollectionId || !ids.has(relatedCollectionId)) return []
  return [[key, { key, collectionId: relatedCollectionId, required, onDelete: onDelete ?? 'RESTRICT' }]]
}

function reversesOf(row: Row, pointing: readonly Field[]): Reverse[] {
  const taken = new Set([...reservedKeys, ...row.attributes.map(({ key }) => key)])
  return pointing.map(({ key: column, collectionId, reverseKey, onDelete }) => {
    const key = reverseKey === null || taken.has(reverseKey) ? null : reverseKey
    if (key !== null) taken.add(key)
    return { key, collectionId, column, onDelete: onDelete ?? 'RESTRICT' }
  })
}

function rolesByRight(permissions: readonly string[]): Record<Right, ReadonlySet<string>> {
  const parsed = permissions.flatMap(parsePermission)
  const rolesFor = (right: Right) => new Set(parsed.filter((one) => one.right === right).map(({ role }) => role))
  return { create: rolesFor('create'), read: rolesFor('read'), update: rolesFor('update'), delete: rolesFor('delete') }
}
