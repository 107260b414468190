import { Invalid } from '../errors.ts'
import { unrelated } from './faults.ts'
import type { CollectionModel, Column, Relation } from './model.ts'
import { parseValue, sqlType } from './values.ts'

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
  const relations = [...collection.relations.values()].map((relation) => {
    return relationSetting(relation, (Object.hasOwn(input, relation.key) ? input[relation.key] : null) ?? null)
  })
  return [...columns, ...relations]
}

/** The settings of a change: what is given, and nothing else. */
export function settingsForUpdate(collection: CollectionModel, input: Input): Setting[] {
  const columns = attributes(collection).filter(({ key }) => Object.hasOwn(input, key))
  const relations = [...collection.relations.values()].filter(({ key }) => Object.hasOwn(input, key))
  return [
    ...columns.map((column) => columnSetting(column, input[column.key] ?? null)),
    ...relations.map((relation) => relationSetting(relation, input[relation.key] ?? null)),
  ]
}

function attributes(collection: CollectionModel): Column[] {
  return [...collection.columns.values()].filter(({ name }) => !name.startsWith('_'))
}

function columnSetting({ key, name, type, required, size }: Column, given: unknown): Setting {
  const path = ['input', key]
  if (given === null) return { name, type: sqlType(type), value: optional(required, path) }
  const value = parseValue(type, given, path)
  if (size !== null && typeof value === 'string' && characters(value) > size) {
    throw new Invalid(`This has at most ${size} characters.`, path)
  }
  return { name, type: sqlType(type), value }
}

function relationSetting({ key, required }: Relation, given: unknown): Setting {
  if (given === null) return { name: key, type: 'text', value: optional(required, ['input', key]) }
  if (!isDocumentId(given)) throw unrelated(key)
  return { name: key, type: 'text', value: given }
}

function optional(required: boolean, path: readonly string[]): null {
  if (required) throw new Invalid('This is required.', path)
  return null
}

/** As PostgreSQL counts them. */
function characters(text: string): number {
  let count = 0
  for (const _ of text) count += 1
  return count
}
