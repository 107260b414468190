import { Invalid } from '../errors.ts'
import { unrelated } from './faults.ts'
import type { CollectionModel, Column } from './model.ts'
import { columnType, paramOf, parseValue } from './values.ts'

/** What a column is set to. */
export type Setting = { name: string; type: string; value: unknown }

type Input = Readonly<Record<string, unknown>>

const idGrammar = /^[A-Za-z0-9._-]{1,64}$/

/** Whether a document can have this id: what is not one names nothing, and never reaches the database. */
export function isDocumentId(id: unknown): id is string {
  return typeof id === 'string' && idGrammar.test(id)
}

/** The settings of a new document: what is given, or the default, or null. Throws Invalid with the path of what is wrong. */
export function settingsForCreate(collection: CollectionModel, input: Input): Setting[] {
  const columns = attributes(collection).map((column) => {
    const given = Object.hasOwn(input, column.key) ? input[column.key] : column.default
    return columnSetting(column, given ?? null)
  })
  const keys = foreignKeys(collection).map((key) =>
    keySetting(key, (Object.hasOwn(input, key.key) ? input[key.key] : null) ?? null),
  )
  return [...columns, ...keys]
}

/** The settings of a change: what is given, and nothing else. */
export function settingsForUpdate(collection: CollectionModel, input: Input): Setting[] {
  const columns = attributes(collection).filter(({ key }) => Object.hasOwn(input, key))
  const keys = foreignKeys(collection).filter(({ key }) => Object.hasOwn(input, key))
  return [
    ...columns.map((column) => columnSetting(column, input[column.key] ?? null)),
    ...keys.map((key) => keySetting(key, input[key.key] ?? null)),
  ]
}

function attributes(collection: CollectionModel): Column[] {
  return [...collection.columns.values()].filter(({ attributeId, computed }) => attributeId !== null && !computed)
}

type ForeignKey = { key: string; column: string; required: boolean }

function foreignKeys(collection: CollectionModel): ForeignKey[] {
  return [...collection.neighbours.values()].flatMap(({ key, join, required }) => {
    return join.kind === 'to' ? [{ key, column: join.column, required }] : []
  })
}

function columnSetting(column: Column, given: unknown): Setting {
  const { key, name, required } = column
  const path = ['input', key]
  const type = columnType(column)
  if (given === null) return { name, type, value: optional(required, path) }
  return { name, type, value: paramOf(column, parseValue(column, given, path)) }
}

function keySetting({ key, column, required }: ForeignKey, given: unknown): Setting {
  if (given === null) return { name: column, type: 'text', value: optional(required, ['input', key]) }
  if (!isDocumentId(given)) throw unrelated(key)
  return { name: column, type: 'text', value: given }
}

function optional(required: boolean, path: readonly string[]): null {
  if (required) throw new Invalid('This is required.', path)
  return null
}
