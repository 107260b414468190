import type { Attribute, Collection } from '../../prisma/client/client.ts'
import { parsePermission, type Right } from '../modules/permissions/roles.ts'
import type { Db } from '../platform/db.ts'
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

type Row = Collection & { attributes: Attribute[] }

const own: readonly Column[] = [
  { key: 'id', name: '_id', type: 'ID', required: true, default: undefined, size: null },
  { key: 'createdAt', name: '_createdAt', type: 'DATETIME', required: true, default: undefined, size: null },
  { key: 'updatedAt', name: '_updatedAt', type: 'DATETIME', required: true, default: undefined, size: null },
]

export function quote(identifier: string): string {
  return `"${identifier.replaceAll('"', '""')}"`
}

/** Reads what is available of a project's schema, at one revision. A project that does not exist has no collections. */
export async function loadModel(db: Db, projectId: string): Promise<ProjectModel> {
  const [project, rows] = await db.$transaction(
    [
      db.project.findUnique({ where: { id: projectId }, select: { schemaRevision: true } }),
      db.collection.findMany({
        where: { projectId, status: 'AVAILABLE' },
        include: { attributes: { where: { status: 'AVAILABLE' }, orderBy: [{ createdAt: 'asc' }, { id: 'asc' }] } },
        orderBy: [{ createdAt: 'asc' }, { id: 'asc' }],
      }),
    ],
    { isolationLevel: 'RepeatableRead' },
  )
  const kept = withoutClashes(rows)
  const collections = new Map(kept.map((row) => [row.id, collectionOf(row, kept)]))
  return { projectId, revision: project?.schemaRevision ?? -1, collections }
}

/** Two things of one name would make the whole schema unusable: the one that was there first keeps it. */
function withoutClashes(rows: Row[]): Row[] {
  const kept: Row[] = []
  for (const row of rows) if (nameClash(row, kept) === null) kept.push(row)
  return kept
}

function collectionOf(row: Row, rows: readonly Row[]): CollectionModel {
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
    relations: new Map(usable.flatMap((attribute) => relationOf(attribute, rows))),
    reverses: reversesOf(row, rows),
  }
}

function columnOf(attribute: Attribute): Column {
  const { key, required, size } = attribute
  const value: unknown = attribute.default === null ? undefined : JSON.parse(attribute.default)
  return { key, name: key, type: attribute.type as ColumnType, required, size, default: value }
}

function relationOf(
  { key, type, required, relatedCollectionId, onDelete }: Attribute,
  rows: readonly Row[],
): [string, Relation][] {
  if (type !== 'RELATION' || !relatedCollectionId || !rows.some(({ id }) => id === relatedCollectionId)) return []
  return [[key, { key, collectionId: relatedCollectionId, required, onDelete: onDelete ?? 'RESTRICT' }]]
}

function reversesOf(row: Row, rows: readonly Row[]): Reverse[] {
  const taken = new Set([...reservedKeys, ...row.attributes.map(({ key }) => key)])
  const pointing = rows.flatMap(({ attributes }) => attributes.filter((one) => one.relatedCollectionId === row.id))
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
