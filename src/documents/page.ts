import { Invalid } from '../errors.ts'
import { directionName } from './directions.ts'
import type { CollectionModel, ProjectModel } from './model.ts'
import { type OrderTerm, parseOrder } from './order.ts'
import { defer, isDeferred, isSlot, NeedsLiteral, requireLiteral, type Slot, whenGiven } from './slots.ts'
import { parseText } from './texts.ts'
import { type ColumnType, types } from './types.ts'
import type { Value } from './value.ts'
import { type Condition, parseWhere } from './where.ts'

/** A place in a list: the values of its order there, or what will be, the id last. */
export type Place = readonly unknown[]

/** Which rows of a list are asked for. The order always ends in the id, so that no two rows are at one place. */
export type Page = {
  where: Condition | null
  order: readonly OrderTerm[]
  after: Place | null
  before: Place | null
  limit: number
  /** A number, or what will be one; 0 for none. */
  offset: unknown
  /** The last ones instead of the first. */
  backward: boolean
}

type Args = Readonly<Record<string, unknown>>

const defaultLimit = 25
const greatestLimit = 100
export const greatestOffset = 1_000_000

/** Reads the arguments of a list. Throws Invalid with the path of the one that is wrong. */
export function parsePage(model: ProjectModel, collection: CollectionModel, args: Args, path: readonly string[]): Page {
  const [first, last] = [limitOf(args.first, [...path, 'first']), limitOf(args.last, [...path, 'last'])]
  if (first !== null && last !== null)
    throw new Invalid('Ask for the first or for the last, not for both.', [...path, 'last'])
  const offset = offsetOf(last === null ? args.offset : requireLiteral(args.offset), [...path, 'offset'])
  if (last !== null && offset !== 0) throw new Invalid('An offset counts from the first.', [...path, 'offset'])
  const order = parseOrder(model, collection, args, path)
  return {
    where: args.where == null ? null : parseWhere(model, collection, args.where, [...path, 'where']),
    order,
    after: placeOf(order, args.after, [...path, 'after']),
    before: placeOf(order, args.before, [...path, 'before']),
    limit: last ?? first ?? defaultLimit,
    offset,
    backward: last !== null,
  }
}

/** The plan of a statement depends on it, so it is part of the statement. */
export function limitOf(given: unknown, path: readonly string[]): number | null {
  const value = requireLiteral(given)
  if (value == null) return null
  if (typeof value === 'number' && value >= 0 && value <= greatestLimit) return value
  throw new Invalid(`This lies between 0 and ${greatestLimit}.`, path)
}

export function offsetOf(given: unknown, path: readonly string[]): unknown {
  return whenGiven(given ?? 0, (value) => {
    if (typeof value === 'number' && value >= 0 && value <= greatestOffset) return value
    throw new Invalid(`This lies between 0 and ${greatestOffset}.`, path)
  })
}

/** What a cursor begins with: it is good for this order only. */
export function orderText(order: readonly OrderTerm[]): string {
  return order.map((term) => `${term.text} ${directionName(term)}`).join(',')
}

function placeOf(order: readonly OrderTerm[], cursor: unknown, path: readonly string[]): Place | null {
  if (cursor == null) return null
  if (isSlot(cursor)) return laterPlace(order, cursor, path)
  return readPlace(order, cursor, path)
}

/** A null in a place changes how rows beyond it are found. */
function laterPlace(order: readonly OrderTerm[], cursor: Slot, path: readonly string[]): Place {
  if (!order.every(({ required }) => required)) throw new NeedsLiteral(cursor)
  const place = whenGiven(cursor, (value) => readPlace(order, value, path))
  if (!isDeferred(place)) throw new Error('A slot was not deferred.')
  return order.map((_, i) => defer((given) => (place.read(given) as Place)[i]))
}

function readPlace(order: readonly OrderTerm[], cursor: unknown, path: readonly string[]): readonly Value[] {
  const [text, ...values] = decode(cursor)
  if (text !== orderText(order) || values.length !== order.length) throw invalidCursor(path)
  return order.map(({ type, required }, i) => {
    const value = values[i]
    if (value === null && !required) return null
    try {
      return parseValueOf(type, value, path)
    } catch {
      throw invalidCursor(path)
    }
  })
}

/** What is computed, or came from another type, is held to less than what is written. */
function parseValueOf(type: ColumnType, value: unknown, path: readonly string[]): Value {
  if (types[type].collated) return parseText(value, path)
  if (type === 'DECIMAL' && typeof value === 'string' && /^-?\d+(\.\d+)?$/.test(value)) return value
  return types[type].parse(value, path)
}

function invalidCursor(path: readonly string[]): Invalid {
  return new Invalid('This is not a cursor of this list in this order.', path)
}

function decode(cursor: unknown): unknown[] {
  try {
    const value: unknown = JSON.parse(Buffer.from(String(cursor), 'base64url').toString('utf8'))
    return Array.isArray(value) ? value : []
  } catch {
    return []
  }
}
