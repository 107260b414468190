/**
 * A schema in the one form in which two can be compared: by path, nothing but plain JSON, and nothing that is as it would
 * be anyway.
 */
import { isDeepStrictEqual } from 'node:util'
import { writtenAs } from './values.ts'

/** The properties of an attribute, an index or a collection that are not as they would be if left out. */
export type Shape = Readonly<Record<string, unknown>>

export type CollectionShape = {
  settings: Shape
  attributes: Readonly<Record<string, Shape>>
  indexes: Readonly<Record<string, Shape>>
}

export type SchemaShape = {
  databases: Readonly<Record<string, Shape>>
  /** By path: `main.posts`. */
  collections: Readonly<Record<string, CollectionShape>>
}

/** New keys by old ones: collections as `main.old` to `main.new`, attributes as `main.posts.old` to `main.posts.new`. */
export type Renames = Readonly<Record<string, string>>

/** In the order in which they are written. */
export const attributeProperties = [
  'type',
  'to',
  'relation',
  'reverseKey',
  'onDelete',
  'size',
  'elements',
  'dimensions',
  'list',
  'required',
  'default',
  'min',
  'max',
  'pattern',
  'unique',
  'encrypted',
  'computed',
  'permissions',
  'description',
] as const
export const indexProperties = ['type', 'attributes', 'orders', 'language', 'distance'] as const
export const settingProperties = [
  'typeName',
  'name',
  'description',
  'permissions',
  'documentPermissions',
  'rules',
  'cacheSeconds',
] as const

/** What a property is if it is left out. What is not listed is null. */
const initial: Shape = {
  required: false,
  list: false,
  unique: false,
  encrypted: false,
  documentPermissions: true,
  relation: 'MANY_TO_ONE',
  elements: [],
  rules: [],
  language: 'simple',
  distance: 'EUCLIDEAN',
}

export function initialOf(property: string): unknown {
  return initial[property] ?? null
}

/** The named properties that are not as they would be anyway, in the order of their names here. */
export function shapeOf(properties: readonly string[], given: Shape): Shape {
  const shape: Record<string, unknown> = {}
  for (const property of properties) {
    const value = given[property] ?? initialOf(property)
    if (!isDeepStrictEqual(value, initialOf(property))) shape[property] = value
  }
  return shape
}

export function attributeShape(given: Shape): Shape {
  const { type, relation, permissions } = given
  return shapeOf(attributeProperties, {
    ...given,
    default: writtenAs(type, given.default),
    min: writtenAs(type, given.min),
    max: writtenAs(type, given.max),
    ...(type === 'RELATION' ? {} : { relation: null, to: null, reverseKey: null, onDelete: null }),
    // Its links go with either end, whatever is said.
    ...(relation === 'MANY_TO_MANY' ? { onDelete: null } : {}),
    ...(type !== 'RELATION' ? { relation: 'MANY_TO_ONE' } : {}),
    permissions: permissions ? sortPermissions(permissions as string[]) : null,
  })
}

export function indexShape(given: Shape): Shape {
  const orders = given.orders as string[] | undefined
  const shown = orders?.some((order) => order !== 'ASC') ? orders : null
  const { language, distance } = initial
  return shapeOf(indexProperties, {
    ...given,
    orders: shown,
    language: given.language ?? language,
    distance: given.distance ?? distance,
  })
}

/** `key` is that of the collection: its name is the same if left out. */
export function settingShape(key: string, given: Shape): Shape {
  const permissions = sortPermissions((given.permissions as string[] | undefined) ?? [])
  return shapeOf(settingProperties, {
    ...given,
    name: given.name === key ? null : given.name,
    permissions: permissions.length > 0 ? permissions : null,
  })
}

const rights = ['create', 'read', 'update', 'delete']

/** One right each, `write` being three, sorted by role and then by right. */
export function sortPermissions(texts: readonly string[]): string[] {
  const single = texts.flatMap((text) => {
    const role = text.slice(text.indexOf(':'))
    return text.startsWith('write:') ? [`create${role}`, `update${role}`, `delete${role}`] : [text]
  })
  const rank = (text: string) => {
    const [right = ''] = text.split(':', 1)
    return `${text.slice(right.length)} ${rights.indexOf(right)}`
  }
  return [...new Set(single)].sort((a, b) => (rank(a) < rank(b) ? -1 : 1))
}

/** The properties in which `to` differs from `from`, with what they are to be: null where they are left out. */
export function differences(from: Shape, to: Shape): Shape {
  const names = [...new Set([...Object.keys(from), ...Object.keys(to)])]
  const changed = names.filter((name) => !isDeepStrictEqual(from[name], to[name]))
  return Object.fromEntries(changed.map((name) => [name, to[name] ?? initialOf(name)]))
}

/** The database and the key of `main.posts`. */
export function splitPath(path: string): { database: string; key: string } {
  const at = path.indexOf('.')
  return { database: path.slice(0, at), key: path.slice(at + 1) }
}

/** A collection that an attribute of the one at `path` names: in the same database, unless it says another. */
export function fullPath(path: string, to: string): string {
  return to.includes('.') ? to : `${splitPath(path).database}.${to}`
}
