import type { Attribute, Collection } from '../../prisma/client/client.ts'
import { parsePermission, type Right } from '../modules/permissions/roles.ts'
import { type CollectionModel, type Column, type FieldRights, type Join, type Neighbour, quote } from './model.ts'
import { type Names, reservedKeys } from './names.ts'
import type { ColumnType } from './types.ts'

export type Row = Pick<
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
  | 'description'
> & {
  attributes: Field[]
  /** JSON text of the keys of each unique index, null where there is none. */
  uniques: string | null
}

export type Field = Omit<Attribute, 'status' | 'statusReason' | 'change' | 'createdAt' | 'updatedAt'> & {
  language: string | null
  nearest: string[] | null
}

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
  language: null,
  nearest: [],
  computed: false,
  rights: null,
  description: null,
}

/** What every document has. */
const own: readonly Column[] = [
  { ...bare, key: 'id', name: '_id', type: 'ID' },
  { ...bare, key: 'createdAt', name: '_createdAt', type: 'DATETIME' },
  { ...bare, key: 'updatedAt', name: '_updatedAt', type: 'DATETIME' },
  { ...bare, key: 'version', name: '_version', type: 'INTEGER' },
]

/** The model of a collection out of its row, its attributes and those that point at it. `ids` are the collections that there are. */
export function readCollection(
  row: Row,
  names: Names,
  ids: ReadonlySet<string>,
  pointing: readonly Field[],
): CollectionModel {
  const usable = row.attributes.filter(({ key }) => !reservedKeys.has(key))
  const columns = usable.filter(({ type }) => type !== 'RELATION').map(columnOf)
  return {
    id: row.id,
    key: row.key,
    databaseId: row.databaseId,
    typeName: row.typeName,
    names,
    table: `${quote(row.projectId)}.${quote(row.id)}`,
    permissions: rolesByRight(row.permissions),
    documentPermissions: row.documentPermissions,
    rules: JSON.parse(row.rules),
    cacheSeconds: row.cacheSeconds,
    description: row.description,
    uniques: uniquesOf(row, columns),
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

/** An index that is called like a unique attribute, or holds what cannot be used, is none of these. */
function uniquesOf({ uniques, attributes }: Row, columns: readonly Column[]): Map<string, readonly string[]> {
  const own = columns.flatMap(({ key, unique }) => (unique ? [[key, [key]] as [string, string[]]] : []))
  const usable = new Set(attributes.filter(({ computed }) => computed === null).map(({ key }) => key))
  const made = Object.entries(JSON.parse(uniques ?? '{}') as Record<string, string[]>).filter(
    ([key, keys]) => !reservedKeys.has(key) && keys.every((one) => usable.has(one)),
  )
  return new Map([...made, ...own])
}

function columnOf(attribute: Field): Column {
  const { id, key, column, list, required, size, pattern, elements, dimensions, unique, encrypted, language, nearest } =
    attribute
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
    language,
    nearest: nearest ?? [],
    computed: attribute.computed !== null,
    rights: rightsOf(attribute),
    description: attribute.description,
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
  const { onDelete, description } = attribute
  return {
    attributeId,
    many,
    required,
    join,
    onDelete: onDelete ?? 'RESTRICT',
    rights: rightsOf(attribute),
    description,
  }
}

function otherEnd(attribute: Field): End {
  const { relation, column } = attribute
  const join: Join =
    relation === 'MANY_TO_MANY'
      ? { kind: 'link', table: linkTable(attribute), mine: '_to', theirs: '_from' }
      : { kind: 'from', column }
  return { ...ends(attribute), many: relation !== 'ONE_TO_ONE', required: false, join, description: null }
}

function linkTable({ id, projectId }: Field): string {
  return `${quote(projectId)}.${quote(id)}`
}

function rolesByRight(permissions: readonly string[]): Record<Right, ReadonlySet<string>> {
  const parsed = permissions.flatMap(parsePermission)
  const rolesFor = (right: Right) => new Set(parsed.filter((one) => one.right === right).map(({ role }) => role))
  return { create: rolesFor('create'), read: rolesFor('read'), update: rolesFor('update'), delete: rolesFor('delete') }
}
