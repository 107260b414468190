import type { Context } from '../context.ts'
import { Forbidden, Invalid, LimitExceeded } from '../errors.ts'
import { newId } from '../lib/ids.ts'
import { unrelated } from './faults.ts'
import { defaultGrants, grantsOfNew } from './grants.ts'
import type { CollectionModel, Column, FieldRights } from './model.ts'
import { mayUse } from './permissions.ts'
import type { Caller } from './scope.ts'
import { seal } from './sealed.ts'
import { parseMoment } from './texts.ts'
import type { Value } from './value.ts'
import { columnType, paramOf, parseValue } from './values.ts'

export type Input = Readonly<Record<string, unknown>>
export type Path = readonly string[]

/** A row as the database is given it: JSON values by column. */
export type Row = Record<string, unknown>

/** By whom and when rows are written. */
export type Writer = { keys: Pick<Context, 'env' | 'projectId'>; caller: Caller; now: Date }

/** What an input may set: a value, or the id of the document that is pointed at. */
export type Settable = { key: string; name: string; type: string; required: boolean; rights: FieldRights | null } & (
  | { column: Column; to: null }
  | { column: null; to: string }
)

/** Most bytes of a document as JSON. */
export const documentBytes = 1_000_000

const idGrammar = /^[A-Za-z0-9._-]{1,64}$/

/** Whether a document can have this id: what is not one names nothing, and never reaches the database. */
export function isDocumentId(id: unknown): id is string {
  return typeof id === 'string' && idGrammar.test(id)
}

const known = new WeakMap<CollectionModel, readonly Settable[]>()

/** All that can be set of a document, whoever sets it. */
export function settablesOf(collection: CollectionModel): readonly Settable[] {
  const settables = known.get(collection) ?? [...columnsOf(collection), ...keysOf(collection)]
  known.set(collection, settables)
  return settables
}

function columnsOf(collection: CollectionModel): Settable[] {
  const columns = [...collection.columns.values()].filter(({ attributeId, computed }) => attributeId && !computed)
  return columns.map((column) => {
    const { key, name, required, rights } = column
    return { key, name, type: columnType(column), required, rights, column, to: null }
  })
}

function keysOf(collection: CollectionModel): Settable[] {
  return [...collection.neighbours.values()].flatMap(({ key, join, required, rights, collectionId }): Settable[] => {
    if (join.kind !== 'to') return []
    return [{ key, name: join.column, type: 'text', required, rights, column: null, to: collectionId }]
  })
}

/** A new document: what is given, or the default, or null. Throws Invalid with the path of what is wrong. */
export function newRow(writer: Writer, collection: CollectionModel, input: Input, at: Path): Row {
  const { caller, now } = writer
  const id = idOf(input, at)
  const grants = Object.hasOwn(input, 'permissions')
    ? grantsOfNew(collection, input.permissions, caller.roles, at)
    : defaultGrants(collection, caller.roles)
  const row: Row = { _id: id, _createdAt: now, _updatedAt: now, ...momentsOf(input, at), ...grants }
  for (const settable of settablesOf(collection)) {
    const isGiven = Object.hasOwn(input, settable.key)
    if (isGiven) requireSettable(settable, caller)
    row[settable.name] = settingOf(writer, settable, id, isGiven ? input[settable.key] : settable.column?.default, at)
  }
  return row
}

/** What of a document is changed: what is given, and nothing else. */
export function changedRow(
  writer: Writer,
  collection: CollectionModel,
  input: Input,
  id: string | null,
  at: Path,
): Row {
  const settables = settablesOf(collection).filter(({ key }) => Object.hasOwn(input, key))
  const row: Row = { _updatedAt: writer.now, ...momentsOf(input, at) }
  for (const settable of settables) {
    requireSettable(settable, writer.caller)
    row[settable.name] = settingOf(writer, settable, id, input[settable.key], at)
  }
  return row
}

/** One row as JSON text, which is held to the limit of a document. */
export function rowJson(row: Row): string {
  const text = JSON.stringify(row)
  if (text.length * 3 > documentBytes && Buffer.byteLength(text) > documentBytes) {
    throw new LimitExceeded(`A document has at most ${documentBytes.toLocaleString('en')} bytes as JSON.`)
  }
  return text
}

/** The id that is given, or a new one. */
export function idOf(input: Input, at: Path): string {
  const given = Object.hasOwn(input, 'id') ? input.id : null
  if (given === null || given === undefined) return newId('doc')
  if (!isDocumentId(given)) throw new Invalid('An id has 1 to 64 of the characters A-Z a-z 0-9 . _ -', [...at, 'id'])
  return given
}

/** Moments that a server sets itself, above all of what it brings along from elsewhere. */
function momentsOf(input: Input, at: Path): Row {
  const given = (key: string) => {
    const value = Object.hasOwn(input, key) ? input[key] : null
    return value === null || value === undefined ? {} : { [`_${key}`]: parseMoment(value, [...at, key]) }
  }
  return { ...given('createdAt'), ...given('updatedAt') }
}

/** Fields that not everybody may set are refused by name. */
export function requireSettable({ key, rights }: Pick<Settable, 'key' | 'rights'>, { roles }: Caller): void {
  if (!mayUse(rights, 'update', roles)) throw new Forbidden(`You may not set ${key}.`)
}

function settingOf(writer: Writer, settable: Settable, id: string | null, given: unknown, at: Path): unknown {
  const { key, required, column } = settable
  if (given === null || given === undefined) {
    if (required) throw new Invalid('This is required.', [...at, key])
    return null
  }
  if (!column) {
    if (!isDocumentId(given)) throw unrelated(key, at)
    return given
  }
  const value = parseValue(column, given, [...at, key])
  if (column.encrypted) return sealed(writer, column, id, value, at)
  // JSON stands in the row as it is; everything else as its column takes it.
  return column.type === 'JSON' ? value : paramOf(column, value)
}

function sealed({ keys }: Writer, { attributeId, key }: Column, id: string | null, value: Value, at: Path): string {
  // Its ciphertext is bound to one document.
  if (id === null) throw new Invalid('An encrypted field is set one document at a time.', [...at, key])
  return seal(keys, attributeId ?? '', id, value)
}
