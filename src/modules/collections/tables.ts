/** A collection as PostgreSQL knows it: schema "{project}", table "{collection}", a column for each attribute. */
import { escapeIdentifier } from 'pg'
import type { Attribute, Collection } from '../../../prisma/client/client.ts'
import type { Query } from '../../context.ts'
import { columnOf, constraintsOf, hasOwnColumn } from './columns.ts'

type Place = Pick<Collection, 'id' | 'projectId'>

/** A schema-qualified name, quoted. Tables, and the indexes on them, are named by their ids. */
export function qualified(projectId: string, id: string): string {
  return `${escapeIdentifier(projectId)}.${escapeIdentifier(id)}`
}

/** Where the tables of a project stand: made with its first collection. */
export function createSchema(projectId: string): string {
  return `create schema if not exists ${escapeIdentifier(projectId)}`
}

/** The statement that makes the table with all columns, foreign keys and checks. Relations to many on both sides have `createLinks`. */
export function createTable(collection: Place, attributes: readonly Attribute[]): string {
  const columns = [
    '"_id" text collate "C" primary key',
    '"_createdAt" timestamptz(3) not null default now()',
    '"_updatedAt" timestamptz(3) not null default now()',
    '"_version" int4 not null default 1',
    ...['"_read"', '"_update"', '"_delete"'].map((name) => `${name} text[] not null default '{}'`),
  ]
  const own = attributes.filter(hasOwnColumn)
  const parts = own.flatMap((attribute) => [
    columnOf(attribute, attributes),
    ...constraintsOf(attribute, targetOf(attribute)).map(({ text }) => text),
  ])
  return `create table ${qualified(collection.projectId, collection.id)} (${[...columns, ...parts].join(', ')})`
}

/** The table of a relation to many on both sides, named by the attribute's id, and the index for its other direction. */
export function createLinks(attribute: Attribute): string[] {
  const { id, projectId, collectionId } = attribute
  const table = qualified(projectId, id)
  const end = (name: string, target: string) =>
    `${name} text collate "C" not null references ${target} ("_id") on delete cascade deferrable`
  return [
    `create table if not exists ${table} (${end('_from', qualified(projectId, collectionId))}, ${end('_to', targetOf(attribute))}, primary key (_from, _to))`,
    `create index if not exists ${escapeIdentifier(`${id}_to`)} on ${table} (_to, _from)`,
  ]
}

export function dropLinks({ id, projectId }: Pick<Attribute, 'id' | 'projectId'>): string {
  return `drop table if exists ${qualified(projectId, id)}`
}

/**
 * Adds a column and its constraints in one step that rewrites and scans nothing: they hold for what is written from now
 * on. `validations` are the statements that make them hold for older rows, without blocking anybody. Only a computed
 * column is written for every row.
 */
export function addColumn(collection: Place, attribute: Attribute, siblings: readonly Attribute[]): string {
  const parts = [
    `add column ${columnOf(attribute, siblings)}`,
    ...constraintsOf(attribute, targetOf(attribute)).map(({ text }) => `add ${text} not valid`),
  ]
  return `alter table ${qualified(collection.projectId, collection.id)} ${parts.join(', ')}`
}

export function validations(collection: Place, attribute: Attribute): string[] {
  const table = qualified(collection.projectId, collection.id)
  return constraintsOf(attribute, targetOf(attribute)).map(
    ({ name }) => `alter table ${table} validate constraint ${escapeIdentifier(name)}`,
  )
}

export function dropNotNull(collection: Place, { column }: Pick<Attribute, 'column'>): string {
  return `alter table if exists ${qualified(collection.projectId, collection.id)} alter column ${escapeIdentifier(column)} drop not null`
}

export function dropColumn(collection: Place, { column }: Pick<Attribute, 'column'>): string {
  return `alter table if exists ${qualified(collection.projectId, collection.id)} drop column if exists ${escapeIdentifier(column)}`
}

/** The table that a relation points at. */
export function targetOf({ projectId, relatedCollectionId }: Attribute): string {
  return qualified(projectId, relatedCollectionId ?? '')
}

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
