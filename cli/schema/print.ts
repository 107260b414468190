/** Writes a schema as TypeScript, always in the same way, so that two versions differ only where the schema does. */
import {
  attributeProperties,
  indexProperties,
  type SchemaShape,
  type Shape,
  settingProperties,
  splitPath,
} from './shape.ts'

const width = 120

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
  const text = print({ databases: tree }, 0, 'export default '.length + ' satisfies Schema'.length)
  return `import type { Schema } from 'tendril/schema'\n\nexport default ${text} satisfies Schema\n`
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

/** A value at this depth of indentation, on one line where it fits: `beside` characters stand beside it there. */
function print(value: unknown, depth: number, beside: number): string {
  if (typeof value === 'string') return quote(value)
  if (typeof value !== 'object' || value === null) return JSON.stringify(value)
  const isList = Array.isArray(value)
  const line = (indent: number, name: string, item: unknown) => {
    const head = isList ? '' : `${name}: `
    return head + print(item, indent, head.length + 1)
  }
  const entries = Object.entries(value).map(([name, item]) => [propertyName(name), item] as const)
  const [open, close] = isList ? ['[', ']'] : ['{', '}']
  if (entries.length === 0) return open + close
  const inline = entries.map(([name, item]) => line(depth, name, item))
  const pad = isList ? '' : ' '
  const short = `${open}${pad}${inline.join(', ')}${pad}${close}`
  // Biome keeps an object on several lines where it was written so: only what holds no other object is on one.
  const isFlat =
    isList || Object.values(value).every((item) => typeof item !== 'object' || item === null || Array.isArray(item))
  if (isFlat && !short.includes('\n') && depth * 2 + beside + short.length <= width) return short
  const inner = entries.map(([name, item]) => `${'  '.repeat(depth + 1)}${line(depth + 1, name, item)},\n`)
  return `${open}\n${inner.join('')}${'  '.repeat(depth)}${close}`
}

function propertyName(name: string): string {
  return /^[A-Za-z_$][\w$]*$/.test(name) ? name : quote(name)
}

/** With the quotes that need fewer escapes, as formatters do it. */
function quote(text: string): string {
  const json = JSON.stringify(text)
  const inner = json.slice(1, -1)
  const singles = text.split("'").length
  const doubles = text.split('"').length
  if (singles > doubles) return json
  return `'${inner.replaceAll('\\"', '"').replaceAll("'", "\\'")}'`
}
