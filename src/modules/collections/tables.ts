/** A collection as PostgreSQL knows it: schema "{project}", table "{collection}", a column by the key of each attribute. */
import { escapeIdentifier, escapeLiteral } from 'pg'
import type { Attribute, Collection, Index } from '../../../prisma/client/client.ts'
import type { Query } from '../../context.ts'

type Place = Pick<Collection, 'id' | 'projectId'>

/** A schema-qualified name, quoted. Tables, and the indexes on them, are named by their ids. */
export function qualified(projectId: string, id: string): string {
  return `${escapeIdentifier(projectId)}.${escapeIdentifier(id)}`
}

/** Where the tables of a project stand: made with its first collection. */
export function createSchema(projectId: string): string {
  return `create schema if not exists ${escapeIdentifier(projectId)}`
}

/** The statement that makes the table with all that is in it, foreign keys and checks included. */
export function createTable(collection: Place, attributes: readonly Attribute[]): string {
  const columns = [
    '"_id" text collate "C" primary key',
    '"_createdAt" timestamptz(3) not null default now()',
    '"_updatedAt" timestamptz(3) not null default now()',
    '"_version" int4 not null default 1',
    ...['"_read"', '"_update"', '"_delete"'].map((name) => `${name} text[] not null default '{}'`),
  ]
  const parts = attributes.flatMap((attribute) => [columnOf(attribute), ...constraintsOf(attribute)])
  return `create table ${qualified(collection.projectId, collection.id)} (${[...columns, ...parts].join(', ')})`
}

/**
 * Adds a column and its constraints in one step that rewrites and scans nothing: they hold for what is written from now
 * on. `validations` are the statements that make them hold for older rows, without blocking anybody.
 */
export function addColumn(collection: Place, attribute: Attribute): string {
  const parts = [
    `add column ${columnOf(attribute)}`,
    ...constraintsOf(attribute).map((text) => `add ${text} not valid`),
  ]
  return `alter table ${qualified(collection.projectId, collection.id)} ${parts.join(', ')}`
}

export function validations(collection: Place, attribute: Attribute): string[] {
  const table = qualified(collection.projectId, collection.id)
  return constraintNames(attribute).map((name) => `alter table ${table} validate constraint ${escapeIdentifier(name)}`)
}

export function dropNotNull(collection: Place, { key }: Pick<Attribute, 'key'>): string {
  return `alter table if exists ${qualified(collection.projectId, collection.id)} alter column ${escapeIdentifier(key)} drop not null`
}

export function dropColumn(collection: Place, { key }: Pick<Attribute, 'key'>): string {
  return `alter table if exists ${qualified(collection.projectId, collection.id)} drop column if exists ${escapeIdentifier(key)}`
}

/** Something to find documents by: an index that was asked for, that of a foreign key, or that of the readers. */
export type TableIndex = {
  /** Its name in PostgreSQL. */
  name: string
  /** `create unique index`, then, if it is to be, `concurrently`, then the rest. */
  text: (concurrently: boolean) => string
}

export function indexOf(collection: Place, { id, type, attributes, orders }: Index): TableIndex {
  const columns = attributes.map(
    (key, i) => `${escapeIdentifier(columnNames[key] ?? key)} ${orders[i] === 'DESC' ? 'desc' : 'asc'}`,
  )
  return tableIndex(collection, id, type === 'UNIQUE' ? 'unique index' : 'index', `(${columns.join(', ')})`)
}

/** Without it, deleting a document would read the whole of every collection that points at it. */
export function foreignKeyIndex(collection: Place, { id, key }: Pick<Attribute, 'id' | 'key'>): TableIndex {
  return tableIndex(collection, id, 'index', `(${escapeIdentifier(key)})`)
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

const columnNames: Readonly<Record<string, string>> = { createdAt: '_createdAt', updatedAt: '_updatedAt' }

const types: Partial<Record<Attribute['type'], string>> = {
  STRING: 'text collate "C"',
  INTEGER: 'int4',
  BOOLEAN: 'boolean',
  DATETIME: 'timestamptz(3)',
  RELATION: 'text collate "C"',
}

function columnOf(attribute: Attribute): string {
  const value: unknown = attribute.default === null ? null : JSON.parse(attribute.default)
  const initial = value === null ? '' : ` default ${escapeLiteral(String(value))}`
  return `${escapeIdentifier(attribute.key)} ${types[attribute.type]}${initial}${attribute.required ? ' not null' : ''}`
}

function constraintsOf(attribute: Attribute): string[] {
  const { type, size, relatedCollectionId, projectId } = attribute
  const column = escapeIdentifier(attribute.key)
  const [name] = constraintNames(attribute)
  if (name === undefined) return []
  const head = `constraint ${escapeIdentifier(name)}`
  if (type === 'STRING') return [`${head} check (char_length(${column}) <= ${Number(size)})`]
  // Deferrable, so that documents which need each other can be written in one transaction.
  const target = `${qualified(projectId, relatedCollectionId ?? '')} ("_id")`
  return [
    `${head} foreign key (${column}) references ${target} on delete ${deletions[attribute.onDelete ?? 'RESTRICT']} deferrable`,
  ]
}

function constraintNames({ id, type }: Attribute): string[] {
  if (type === 'STRING') return [`${id}_size`]
  return type === 'RELATION' ? [`${id}_ref`] : []
}

/** `no action` looks at the end of the statement, so that one statement may delete both ends. */
const deletions = { CASCADE: 'cascade', RESTRICT: 'no action', SET_NULL: 'set null' } as const

/**
 * Drops everything that a project has stored in collections. Each table in a statement of its own, for one statement
 * could need more locks than the server has: give it a query outside a transaction.
 */
export async function dropProjectSchema(query: Query, projectId: string): Promise<void> {
  const tables = await query<{ name: string }>('select tablename as name from pg_tables where schemaname = $1', [
    projectId,
  ])
  for (const { name } of tables) await query(`drop table if exists ${qualified(projectId, name)} cascade`)
  await query(`drop schema if exists ${escapeIdentifier(projectId)} cascade`)
}
