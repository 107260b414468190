import { isIP } from 'node:net'
import type { Image } from './image.ts'
import type { Column } from './model.ts'
import type { ColumnType } from './types.ts'
import type { Value } from './value.ts'

const isText = (value: Value) => typeof value === 'string'
const isLike = (form: RegExp) => (value: Value) => typeof value === 'string' && form.test(value)

/**
 * How each type is logged. What may be given is narrower: what is computed, converted or applied may be longer, and an EMAIL need
 * not be one that would be taken today. Left out are those that no attribute of another type becomes.
 */
const forms: Partial<Record<ColumnType, (value: Value) => boolean>> = {
  ID: isText,
  STRING: isText,
  TEXT: isText,
  EMAIL: isText,
  URL: isText,
  ENUM: isText,
  INTEGER: (value) => typeof value === 'number' && (value | 0) === value,
  BIGINT: isLike(/^-?\d{1,19}$/),
  FLOAT: (value) => typeof value === 'number',
  DECIMAL: isLike(/^-?\d+(\.\d+)?$/),
  BOOLEAN: (value) => typeof value === 'boolean',
  DATE: isLike(/^\d{4,}-\d\d-\d\d$/),
  DATETIME: isLike(/^\d{4,}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/),
  IP: (value) => typeof value === 'string' && isIP(value) !== 0,
  UUID: isLike(/^[\da-f]{8}(-[\da-f]{4}){3}-[\da-f]{12}$/),
}

/** Whether a row was logged when the attribute was as it is now. */
export function isLoggedAs(column: Column, image: Image): boolean {
  const value = image[column.name] ?? null
  if (column.attributeId === null) return true
  if (value === null) return !column.required
  const form = forms[column.type]
  if (!form) return true
  if (column.encrypted || column.list) return Array.isArray(value) === (column.list && !column.encrypted)
  return form(value)
}
