import { Invalid } from '../errors.ts'
import type { Column } from './model.ts'
import { defer, isDeferred, whenGiven } from './slots.ts'
import { types } from './types.ts'
import type { Value } from './value.ts'

/** Most items of a list that a document holds or a filter gives. */
export const listLimit = 5_000

/** The PostgreSQL type of one value that is compared with, or stored in, such a column. */
export function itemType({ type }: Pick<Column, 'type'>): string {
  return types[type].sql
}

/** The PostgreSQL type of what such a column holds. */
export function columnType({ type, list, encrypted }: Pick<Column, 'type' | 'list' | 'encrypted'>): string {
  if (encrypted) return 'text'
  return list ? `${types[type].sql}[]` : types[type].sql
}

/** One value of a column, an item where it is a list, for a filter or a cursor. A slot is read later. */
export function parseOperand(column: Pick<Column, 'type'>, value: unknown, at: readonly string[]): unknown {
  return whenGiven(value, (given) => types[column.type].parse(given, at))
}

/** The same for a list of them. */
export function parseOperands(column: Pick<Column, 'type'>, value: unknown, at: readonly string[]): unknown {
  const { parse } = types[column.type]
  return whenGiven(value, (given) => listOf(given, at).map((item, i) => parse(item, [...at, `${i}`])))
}

/** What PostgreSQL is given for an operand, or for a list of them. */
export function operandParam({ type }: Pick<Column, 'type'>, operand: unknown): unknown {
  const { param } = types[type]
  if (!param) return operand
  if (isDeferred(operand)) return defer((given) => operandParam({ type }, operand.read(given)))
  return Array.isArray(operand) && type !== 'VECTOR' ? operand.map(param) : param(operand as Value)
}

/** What a document is given for a column, held to all that the attribute asks of it. Null is for the caller to decide. */
export function parseValue(column: Column, value: unknown, at: readonly string[]): Value {
  if (!column.list) return checked(column, types[column.type].parse(value, at), at)
  return listOf(value, at).map((item, i) =>
    checked(column, types[column.type].parse(item, [...at, `${i}`]), [...at, `${i}`]),
  )
}

/** What PostgreSQL is given for a parsed value. */
export function paramOf({ type, list }: Pick<Column, 'type' | 'list'>, value: Value): unknown {
  const { param } = types[type]
  if (!param || value === null) return value
  return list ? (value as readonly Value[]).map(param) : param(value)
}

function listOf(value: unknown, at: readonly string[]): readonly unknown[] {
  if (!Array.isArray(value)) throw new Invalid('This is not a list.', at)
  if (value.length > listLimit) throw new Invalid(`A list has at most ${listLimit} items.`, at)
  return value
}

function checked(column: Column, value: Value, at: readonly string[]): Value {
  const { type, size, min, max, elements, dimensions } = column
  if (size !== null && typeof value === 'string' && characters(value, size) > size) {
    throw new Invalid(`This has at most ${size} characters.`, at)
  }
  if (type === 'ENUM' && !elements.includes(String(value))) throw new Invalid('This is not one of its values.', at)
  if (dimensions !== null && Array.isArray(value) && value.length !== dimensions) {
    throw new Invalid(`This has ${dimensions} numbers.`, at)
  }
  if (min !== null && compareValues(column, value, min) < 0) throw new Invalid(`This is at least ${String(min)}.`, at)
  if (max !== null && compareValues(column, value, max) > 0) throw new Invalid(`This is at most ${String(max)}.`, at)
  return value
}

/** As PostgreSQL counts them, which is never more than JavaScript does. */
function characters(text: string, enough: number): number {
  if (text.length <= enough) return text.length
  let count = 0
  for (const _ of text) count += 1
  return count
}

/** The order of two values of a column, as filters and lists have it: below 0 if a comes first. */
export function compareValues({ type }: Pick<Column, 'type'>, a: Value, b: Value): number {
  const { compare } = types[type]
  return compare ? compare(a, b) : Number(JSON.stringify(a) !== JSON.stringify(b))
}

/** Whether documents can be found by it at all. */
export function isFilterable({ encrypted }: Column): boolean {
  return !encrypted
}

export function isOrderable({ encrypted, list, type }: Column): boolean {
  return !encrypted && !list && types[type].ordered
}
