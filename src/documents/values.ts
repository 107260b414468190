import { Invalid } from '../errors.ts'
import type { ColumnType } from './model.ts'

const types = { ID: 'text', STRING: 'text', INTEGER: 'int4', BOOLEAN: 'boolean', DATETIME: 'timestamptz' } as const

/** The PostgreSQL type of a parameter that is compared with, or stored in, such a column. */
export function sqlType(type: ColumnType): string {
  return types[type]
}

/**
 * A value as it is stored, compared and logged: text, number, boolean, or a moment as `2026-11-23T12:00:00.000Z`.
 * Throws Invalid for what PostgreSQL could not keep as it is.
 */
export function parseValue(type: ColumnType, value: unknown, path: readonly string[]): string | number | boolean {
  if (type === 'DATETIME') return moment(value, path)
  if (type === 'BOOLEAN' && typeof value === 'boolean') return value
  if (type === 'INTEGER' && Number.isInteger(value) && Math.abs(Number(value) + 0.5) < 2 ** 31) return Number(value)
  if ((type === 'STRING' || type === 'ID') && typeof value === 'string') return text(value, path)
  throw new Invalid('This is not a value of its type.', path)
}

function text(value: string, path: readonly string[]): string {
  if (value.includes('\0')) throw new Invalid('Text must not contain the character NUL.', path)
  if (!value.isWellFormed()) throw new Invalid('Text must be well-formed Unicode.', path)
  return value
}

function moment(value: unknown, path: readonly string[]): string {
  const date = value instanceof Date ? value : new Date(typeof value === 'string' ? value : Number.NaN)
  const year = date.getUTCFullYear()
  if (!(year >= 1 && year <= 9999)) throw new Invalid('A moment lies between the years 1 and 9999.', path)
  return date.toISOString()
}

/** The order of texts in filters and lists: by code point, which is what PostgreSQL's collation "C" does in UTF-8. */
export function compareValues(a: unknown, b: unknown): number {
  if (typeof a === 'string' && typeof b === 'string') return Buffer.compare(Buffer.from(a), Buffer.from(b))
  return Number(a) - Number(b)
}
