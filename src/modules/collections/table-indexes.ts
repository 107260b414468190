/** Everything by which the documents of a table are found. */
import { escapeIdentifier, escapeLiteral } from 'pg'
import type { Attribute, Collection, Index } from '../../../prisma/client/client.ts'
import { directionSql, directions, isDirection } from '../../documents/directions.ts'
import { qualified } from './tables.ts'

type Place = Pick<Collection, 'id' | 'projectId'>

/** Something to find documents by: an index that was asked for, that of a unique attribute, a foreign key or the readers. */
export type TableIndex = {
  /** Its name in PostgreSQL. */
  name: string
  /** `create unique index`, then, if it is to be, `concurrently`, then the rest. */
  text: (concurrently: boolean) => string
}

/** The index that was asked for. `attributes` are those of its collection. */
export function indexOf(collection: Place, index: Index, attributes: readonly Attribute[]): TableIndex {
  const fields = index.attributes.map((key) => fieldOf(key, attributes))
  const columns = fields.map(({ column }) => escapeIdentifier(column))
  const on = definitions[index.type](columns, fields, index)
  return tableIndex(collection, index.id, index.type === 'UNIQUE' ? 'unique index' : 'index', on)
}

type FieldOf = { column: string; attribute: Attribute | null }

function fieldOf(key: string, attributes: readonly Attribute[]): FieldOf {
  const attribute = attributes.find((one) => one.key === key) ?? null
  return { attribute, column: attribute?.column ?? columnNames[key] ?? key }
}

const columnNames: Readonly<Record<string, string>> = { createdAt: '_createdAt', updatedAt: '_updatedAt' }

const distances = { EUCLIDEAN: 'vector_l2_ops', COSINE: 'vector_cosine_ops', DOT: 'vector_ip_ops' } as const

type Definition = (columns: readonly string[], fields: readonly FieldOf[], index: Index) => string

const definitions: Readonly<Record<Index['type'], Definition>> = {
  KEY: ordered,
  UNIQUE: ordered,
  FULLTEXT: (columns, _fields, { language }) =>
    `using gin (${columns.map((column) => textVector(column, language)).join(', ')})`,
  // The other class, `jsonb_ops`, knows no key at a path either: of `hasKey` at the top it does, for as large an index, in
  // which values at a path that are frequent elsewhere take twenty times as long.
  GIN: (columns, fields) =>
    `using gin (${columns.map((column, i) => (fields[i]?.attribute?.type === 'JSON' ? `(${jsonExpression(column)}) jsonb_path_ops` : column)).join(', ')})`,
  TRIGRAM: (columns) => `using gin (${columns.map((column) => `${column} gin_trgm_ops`).join(', ')})`,
  // A way is found by the box around it: PostgreSQL has no index on paths.
  SPATIAL: (columns, fields) =>
    `using gist (${columns.map((column, i) => (fields[i]?.attribute?.type === 'LINE' ? `(${boxExpression(column)})` : column)).join(', ')})`,
  VECTOR: ([column], _fields, { distance }) => `using hnsw (${column} ${distances[distance ?? 'EUCLIDEAN']})`,
}

function ordered(columns: readonly string[], fields: readonly FieldOf[], { orders }: Index): string {
  const parts = columns.map((column, i) => {
    const order = orders[i]
    const required = fields[i]?.attribute?.required ?? true
    return `${column} ${directionSql(directions[isDirection(order) ? order : 'ASC'], { required })}`
  })
  return `(${parts.join(', ')})`
}

/** The words of a quoted column: a query uses a full-text index by naming just this expression. */
export function textVector(column: string, language: string | null): string {
  return `to_tsvector(${escapeLiteral(language ?? 'simple')}::regconfig, coalesce(${column}, ''))`
}

/** JSON as its index and its filters see it. */
export function jsonExpression(column: string): string {
  return `${column}::jsonb`
}

/** The box around a way, as its spatial index and its filters see it. */
export function boxExpression(column: string): string {
  return `box(polygon(pclose(${column})))`
}

/** The extension that an index needs beside PostgreSQL itself. */
export function extensionOf({ type }: Pick<Index, 'type'>): 'pg_trgm' | 'vector' | null {
  if (type === 'TRIGRAM') return 'pg_trgm'
  return type === 'VECTOR' ? 'vector' : null
}

/** The indexes that an attribute has by itself: of its foreign key, or of its being unique. */
export function attributeIndexes(collection: Place, attribute: Attribute): TableIndex[] {
  const { id, column, relation, unique } = attribute
  const on = `(${escapeIdentifier(column)})`
  // Without it, deleting a document would read the whole of every collection that points at it.
  if (relation === 'MANY_TO_ONE') return [tableIndex(collection, id, 'index', on)]
  if (relation === 'ONE_TO_ONE') return [tableIndex(collection, id, 'unique index', on)]
  return unique ? [uniqueIndex(collection, attribute)] : []
}

/** The index by which no two documents have the same value. */
export function uniqueIndex(collection: Place, { id, column }: Pick<Attribute, 'id' | 'column'>): TableIndex {
  return tableIndex(collection, `${id}_unique`, 'unique index', `(${escapeIdentifier(column)})`)
}

export function readersIndex(collection: Place): TableIndex {
  return tableIndex(collection, `${collection.id}_read`, 'index', 'using gin ("_read")')
}

function tableIndex(collection: Place, name: string, kind: string, on: string): TableIndex {
  const table = qualified(collection.projectId, collection.id)
  return {
    name,
    text: (concurrently) =>
      `create ${kind} ${concurrently ? 'concurrently ' : ''}if not exists ${escapeIdentifier(name)} on ${table} ${on}`,
  }
}
