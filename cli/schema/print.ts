/** Writes a schema as TypeScript, always in the same way, so that two versions differ only where the schema does. */
import { printFile } from '../print.ts'
import {
  attributeProperties,
  indexProperties,
  type SchemaShape,
  type Shape,
  settingProperties,
  splitPath,
} from './shape.ts'

/** Databases and collections by name; attributes as they are, oldest first: their order is that of the type's fields. */
export function printSchema({ databases, collections }: SchemaShape): string {
  const paths = Object.keys(collections).sort()
  const tree = Object.fromEntries(
    Object.keys(databases)
      .sort()
      .map((database) => {
        const own = paths.filter((path) => splitPath(path).database === database)
        const entries = own.map((path) => [splitPath(path).key, collectionOf(collections, path)])
        return [database, { ...databases[database], collections: Object.fromEntries(entries) }]
      }),
  )
  return printFile({ databases: tree }, 'Schema', 'tendril/schema')
}

function collectionOf(collections: SchemaShape['collections'], path: string): unknown {
  const { settings, attributes, indexes } = collections[path] ?? { settings: {}, attributes: {}, indexes: {} }
  const permissions = settings.permissions as string[] | undefined
  const shown: Shape = { ...settings, ...(permissions ? { permissions: joinWrites(permissions) } : {}) }
  return {
    ...ordered(settingProperties, shown),
    attributes: mapShapes(attributeProperties, attributes),
    ...(Object.keys(indexes).length > 0 ? { indexes: mapShapes(indexProperties, sortKeys(indexes)) } : {}),
  }
}

function sortKeys<T>(record: Readonly<Record<string, T>>): Record<string, T> {
  return Object.fromEntries(Object.entries(record).sort(([a], [b]) => (a < b ? -1 : 1)))
}

function mapShapes(properties: readonly string[], shapes: Readonly<Record<string, Shape>>): Record<string, Shape> {
  return Object.fromEntries(Object.entries(shapes).map(([key, shape]) => [key, ordered(properties, shape)]))
}

function ordered(properties: readonly string[], shape: Shape): Shape {
  return Object.fromEntries(properties.filter((name) => name in shape).map((name) => [name, shape[name]]))
}

/** A role that may create, update and delete may `write`. */
function joinWrites(permissions: readonly string[]): string[] {
  const has = (text: string) => permissions.includes(text)
  return permissions.flatMap((text) => {
    const at = text.indexOf(':')
    const [right, role] = [text.slice(0, at), text.slice(at)]
    if (right === 'read' || !['create', 'update', 'delete'].every((one) => has(one + role))) return [text]
    return right === 'create' ? [`write${role}`] : []
  })
}
