import type { Context } from '../context.ts'
import { AppError, Invalid } from '../errors.ts'
import type { GivenColumn } from './given-sql.ts'
import { isDocumentId, newRow, rowJson } from './input.ts'
import { rowColumns } from './insert-sql.ts'
import type { CollectionModel, Column, Neighbour } from './model.ts'
import { holderOf } from './permissions.ts'

/** One line of what is imported: its number, from 1 on, and what stands in it. */
export type Line = { row: number; input: Readonly<Record<string, unknown>> }

/** A row that cannot be imported, and why. */
export class RowRefused extends Error {
  readonly row: number
  override readonly cause: AppError

  constructor(row: number, cause: AppError) {
    super(cause.message)
    this.row = row
    this.cause = cause
  }
}

/** A row that is right by itself, as a statement takes it. */
export type Arrived = {
  row: number
  /** Its values as they came, but for texts of CSV. */
  input: Input
  id: string
  /** Its columns with their types, and those of them that were given. */
  columns: readonly GivenColumn[]
  given: readonly string[]
  /** The JSON of its values by column. */
  json: string
  /** Ids of other documents, by the relations to many that it has. */
  links: readonly { neighbour: Neighbour; ids: readonly string[] }[]
}

type Input = Readonly<Record<string, unknown>>

/** Reads a row as `export` writes it, or says what is wrong with it. */
export function tryArrive(
  ctx: Context,
  collection: CollectionModel,
  line: Line,
  textual: boolean,
): Arrived | RowRefused {
  try {
    return arrive(ctx, collection, line, textual)
  } catch (error) {
    if (error instanceof AppError) return new RowRefused(line.row, error)
    throw error
  }
}

/** Throws Invalid with the field that is wrong. */
function arrive(ctx: Context, collection: CollectionModel, { row, input }: Line, textual: boolean): Arrived {
  const values = textual ? fromTexts(collection, input) : input
  requireKnown(collection, values)
  // A null of `export` stands for none of its own.
  const { permissions, ...rest } = values
  const own = permissions === undefined || permissions === null ? rest : values
  const writer = { keys: ctx, caller: holderOf(ctx).write, now: ctx.clock() }
  const made = newRow(writer, collection, own, ['input'])
  const id = String(made._id)
  const given = givenColumns(collection, values)
  return {
    row,
    input: values,
    id,
    columns: rowColumns(collection),
    given,
    json: rowJson(made),
    links: linksOf(collection, values),
  }
}

/** What cannot be set is passed over where `export` writes it: nobody has to take it out. */
function requireKnown({ columns, neighbours, documentPermissions }: CollectionModel, values: Input): void {
  for (const key of Object.keys(values)) {
    if (columns.has(key) || neighbours.get(key)?.own) continue
    if (key === 'permissions' && (documentPermissions || values[key] === null)) continue
    throw new Invalid('There is no such field.', [key])
  }
}

function givenColumns({ columns, neighbours }: CollectionModel, values: Input): string[] {
  const given = Object.keys(values).flatMap((key) => {
    if (key === 'permissions') return values[key] === null ? [] : ['_read', '_update', '_delete']
    if (key === 'id' || key === 'version') return []
    const column = columns.get(key)
    if (column) return column.computed ? [] : [column.name]
    const join = neighbours.get(key)?.join
    return join?.kind === 'to' ? [join.column] : []
  })
  return [...new Set([...given, '_updatedAt'])].sort()
}

function linksOf({ neighbours }: CollectionModel, values: Input): Arrived['links'] {
  return [...neighbours.values()].flatMap((neighbour) => {
    const { key, own, join } = neighbour
    const ids = values[key]
    if (!own || join.kind !== 'link' || ids === undefined || ids === null) return []
    if (!Array.isArray(ids) || !ids.every(isDocumentId)) throw new Invalid('This is no list of ids.', [key])
    return [{ neighbour, ids: [...new Set(ids)] }]
  })
}

const structured = new Set(['JSON', 'POINT', 'LINE', 'POLYGON', 'VECTOR'])

/** The values that texts of CSV stand for: nothing for null, JSON for what is no single value. */
function fromTexts({ columns, neighbours }: CollectionModel, texts: Input): Input {
  const entries = Object.entries(texts).map(([key, text]) => {
    if (typeof text !== 'string') return [key, text]
    const column = columns.get(key)
    if (key === 'permissions' || neighbours.get(key)?.many) return [key, jsonOf(text, key)]
    return [key, column ? valueFrom(column, text, key) : text]
  })
  return Object.fromEntries(entries)
}

function valueFrom({ type, list }: Column, text: string, key: string): unknown {
  if (list || structured.has(type)) return jsonOf(text, key)
  if (type === 'BOOLEAN') return /^(true|false)$/i.test(text) ? text.toLowerCase() === 'true' : text
  // What is no number stays a text, and is refused as one.
  if (type === 'INTEGER' || type === 'FLOAT')
    return text.trim() !== '' && !Number.isNaN(Number(text)) ? Number(text) : text
  return text
}

function jsonOf(text: string, key: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    throw new Invalid('This is not JSON.', [key])
  }
}
