import type { Pool } from 'pg'
import type { Attribute, Collection } from '../../prisma/client/client.ts'
import { Unavailable } from '../errors.ts'
import { parsePermission, type Right } from '../modules/permissions/roles.ts'
import { type Names, nameClash, reservedKeys, typeNamesOf } from './names.ts'
import type { ColumnType } from './types.ts'
import type { Value } from './value.ts'

/** Who may read and set a field, where not everybody may who may read or change its document. */
export type FieldRights = { read: ReadonlySet<string>; update: ReadonlySet<string> }

/** A value of a document, or a list of them: its field in the API and its column in the table. */
export type Column = {
  /** Null for what every document has. */
  attributeId: string | null
  key: string
  name: string
  type: ColumnType
  list: boolean
  required: boolean
  default: unknown
  /** Greatest number of characters of a text, of each where it is a list; so do the next ones bound each item. */
  size: number | null
  min: Value
  max: Value
  pattern: string | null
  elements: readonly string[]
  dimensions: number | null
  unique: boolean
  /** Its column holds ciphertext. */
  encrypted: boolean
  /** PostgreSQL makes its value. */
  computed: boolean
  rights: FieldRights | null
}

/** How rows are joined: my column holds the other's id, its column holds mine, or a table of its own holds pairs. */
export type Join =
  | { kind: 'to'; column: string }
  | { kind: 'from'; column: string }
  | { kind: 'link'; table: string; mine: string; theirs: string }

/** A field that leads to documents of a collection: a relation, or the other end of one. */
export type Neighbour = {
  attributeId: string
  key: string
  collectionId: string
  /** A list of documents, or one. */
  many: boolean
  /** The relation is an attribute of this collection, not the other end of one. */
  own: boolean
  required: boolean
  join: Join
  onDelete: OnDelete
  rights: FieldRights | null
}

export type OnDelete = 'CASCADE' | 'RESTRICT' | 'SET_NULL'

/** Documents of another collection that hold ids of this one, whether the API shows it or not. */
export type Referrer = { collectionId: string; column: string; required: boolean; onDelete: OnDelete }

/** Whoever holds `role` has `right` on the documents that `where` describes. */
export type Rule = { right: Right; role: string; where: Readonly<Record<string, unknown>> }

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
  rules: readonly Rule[]
  /** How long answers may be kept, null for not at all. */
  cacheSeconds: number | null
  /** By field: `id`, `createdAt`, `updatedAt`, `version`, then the attributes that are no relations. */
  columns: ReadonlyMap<string, Column>
  /** By field. */
  neighbours: ReadonlyMap<string, Neighbour>
  referrers: readonly Referrer[]
}

/** A project's own collections at one revision of its schema. */
export type ProjectModel = { projectId: string; revision: number; collections: ReadonlyMap<string, CollectionModel> }

type Row = Pick<
  Collection,
  | 'id'
  | 'key'
  | 'projectId'
  | 'databaseId'
  | 'typeName'
  | 'permissions'
  | 'documentPermissions'
  | 'rules'
  | 'cacheSeconds'
> & { attributes: Field[] }

type Field = Omit<Attribute, 'status' | 'statusReason' | 'change' | 'createdAt' | 'updatedAt'>

const bare = {
  attributeId: null,
  list: false,
  required: true,
  default: undefined,
  size: null,
  min: null,
  max: null,
  pattern: null,
  elements: [],
  dimensions: null,
  unique: false,
  encrypted: false,
  computed: false,
  rights: null,
}

/** What every document has. */
const own: readonly Column[] = [
  { ...bare, key: 'id', name: '_id', type: 'ID' },
  { ...bare, key: 'createdAt', name: '_createdAt', type: 'DATETIME' },
  { ...bare, key: 'updatedAt', name: '_updatedAt', type: 'DATETIME' },
  { ...bare, key: 'version', name: '_version', type: 'INTEGER' },
]

/** Throws Unavailable for one that is gone: a live subscription may have been planned on an older revision. */
export function collectionOf(model: ProjectModel, id: string): CollectionModel {
  const collection = model.collections.get(id)
  if (!collection) throw new Unavailable('The schema of this project has changed. Ask anew.')
  return collection
}

export function quote(identifier: string): string {
  return `"${identifier.replaceAll('"', '""')}"`
}

const collectionsQuery = `
  select p."schemaRevision" as revision, c.id, c.key, c."projectId", c."databaseId", c."typeName", c.permissions,
    c."documentPermissions", c.rules, c."cacheSeconds"
  from projects p left join collections c on c."projectId" = p.id and c.status in ('AVAILABLE', 'CHANGING')
  where p.id = $1 order by c."createdAt", c.id`

const attributesQuery = `
  select a.id, a.key, a."column", a.type, a.required, a.list, a."default", a.size, a.min, a.max, a.pattern, a.elements,
    a.dimensions, a."unique", a.encrypted, a.computed, a.restricted, a.permissions, a.relation, a."projectId",
    a."collectionId", a."relatedCollectionId", a."reverseKey", a."onDelete"
  from attributes a join collections c on c.id = a."collectionId"
  where c."projectId" = $1 and a.status in ('AVAILABLE', 'CHANGING') and c.status in ('AVAILABLE', 'CHANGING')
  order by a."createdAt", a.id`

/** Reads what is available of a project's schema. A project that does not exist has no collections, and the revision -1. */
export async function loadModel(sql: Pool, projectId: string): Promise<ProjectModel> {
  const { found, attributes } = await readRows(sql, projectId)
  const byCollection = Map.groupBy(attributes, ({ collectionId }) => collectionId)
  const byTarget = Map.groupBy(attributes, ({ relatedCollectionId }) => relatedCollectionId)
  const rows = found.flatMap((row) => (row.id === null ? [] : [{ ...row, attributes: byCollection.get(row.id) ?? [] }]))
  const kept = withoutClashes(rows)
  const ids = new Set(kept.map(({ id }) => id))
  const pointing = (id: string) => (byTarget.get(id) ?? []).filter(({ collectionId }) => ids.has(collectionId))
  const collections = new Map(kept.map((row) => [row.id, readCollection(row, ids, pointing(row.id))]))
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

function readCollection(row: Row, ids: ReadonlySet<string>, pointing: readonly Field[]): CollectionModel {
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
    rules: JSON.parse(row.rules),
    cacheSeconds: row.cacheSeconds,
    columns: new Map([...own, ...columns].map((column) => [column.key, column])),
    neighbours: neighboursOf(row, usable, ids, pointing),
    referrers: pointing
      .filter(({ relation }) => relation !== 'MANY_TO_MANY')
      .map(({ column, collectionId, required, onDelete }) => ({
        collectionId,
        column,
        required,
        onDelete: onDelete ?? 'RESTRICT',
      })),
  }
}

function columnOf(attribute: Field): Column {
  const { id, key, column, list, required, size, pattern, elements, dimensions, unique, encrypted } = attribute
  const json = (text: string | null) => (text === null ? null : JSON.parse(text))
  return {
    attributeId: id,
    key,
    name: column,
    type: attribute.type as ColumnType,
    list,
    required,
    default: attribute.default === null ? undefined : JSON.parse(attribute.default),
    size,
    min: json(attribute.min),
    max: json(attribute.max),
    pattern,
    elements,
    dimensions,
    unique,
    encrypted,
    computed: attribute.computed !== null,
    rights: rightsOf(attribute),
  }
}

function rightsOf({ restricted, permissions }: Field): FieldRights | null {
  if (!restricted) return null
  const { read, update } = rolesByRight(permissions)
  return { read, update }
}

function neighboursOf(
  row: Row,
  usable: readonly Field[],
  ids: ReadonlySet<string>,
  pointing: readonly Field[],
): Map<string, Neighbour> {
  const neighbours = new Map<string, Neighbour>()
  for (const attribute of usable) {
    const target = attribute.type === 'RELATION' ? attribute.relatedCollectionId : null
    if (target === null || !ids.has(target)) continue
    neighbours.set(attribute.key, { ...ends(attribute), key: attribute.key, collectionId: target, own: true })
  }
  const taken = new Set([...reservedKeys, ...row.attributes.map(({ key }) => key)])
  for (const attribute of pointing) {
    const { reverseKey, collectionId } = attribute
    if (reverseKey === null || taken.has(reverseKey)) continue
    taken.add(reverseKey)
    neighbours.set(reverseKey, { ...otherEnd(attribute), key: reverseKey, collectionId, own: false })
  }
  return neighbours
}

type End = Omit<Neighbour, 'key' | 'collectionId' | 'own'>

function ends(attribute: Field): End {
  const { id: attributeId, required, relation, column } = attribute
  const many = relation === 'MANY_TO_MANY'
  const join: Join = many
    ? { kind: 'link', table: linkTable(attribute), mine: '_from', theirs: '_to' }
    : { kind: 'to', column }
  return { attributeId, many, required, join, onDelete: attribute.onDelete ?? 'RESTRICT', rights: rightsOf(attribute) }
}

function otherEnd(attribute: Field): End {
  const { relation, column } = attribute
  const join: Join =
    relation === 'MANY_TO_MANY'
      ? { kind: 'link', table: linkTable(attribute), mine: '_to', theirs: '_from' }
      : { kind: 'from', column }
  return { ...ends(attribute), many: relation !== 'ONE_TO_ONE', required: false, join }
}

function linkTable({ id, projectId }: Field): string {
  return `${quote(projectId)}.${quote(id)}`
}

function rolesByRight(permissions: readonly string[]): Record<Right, ReadonlySet<string>> {
  const parsed = permissions.flatMap(parsePermission)
  const rolesFor = (right: Right) => new Set(parsed.filter((one) => one.right === right).map(({ role }) => role))
  return { create: rolesFor('create'), read: rolesFor('read'), update: rolesFor('update'), delete: rolesFor('delete') }
}
