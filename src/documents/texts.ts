import { z } from 'zod'
import { Invalid } from '../errors.ts'
import type { Value } from './value.ts'

/** Most bytes of a JSON value, written compactly. */
export const jsonBytes = 1_000_000

export function parseText(value: unknown, at: readonly string[]): string {
  if (typeof value !== 'string') throw new Invalid('This is not a text.', at)
  if (value.includes('\0')) throw new Invalid('Text must not contain the character NUL.', at)
  if (!value.isWellFormed()) throw new Invalid('Text must be well-formed Unicode.', at)
  return value
}

/** In all letters (RFC 6531), without quotes, comments and hosts that have no dot. */
const email =
  /^(?!\.)(?!.*\.[.@])[\p{L}\p{N}.!#$%&'*+/=?^_`{|}~-]{1,64}@([\p{L}\p{N}]([\p{L}\p{N}-]{0,61}[\p{L}\p{N}])?\.)+\p{L}{2,63}$/u

export function parseEmail(value: unknown, at: readonly string[]): string {
  const text = parseText(value, at)
  if (text.length > 320 || !email.test(text)) throw new Invalid('This is not an email address.', at)
  return text
}

export function parseUrl(value: unknown, at: readonly string[]): string {
  const text = parseText(value, at)
  const parsed = text.length <= 2_048 && !/\s/.test(text) ? URL.parse(text) : null
  if (parsed && /^https?:$/.test(parsed.protocol)) return text
  throw new Invalid('This is not a web address of at most 2,048 characters.', at)
}

export function parseUuid(value: unknown, at: readonly string[]): string {
  if (typeof value === 'string' && /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/i.test(value))
    return value.toLowerCase()
  throw new Invalid('This is not a UUID.', at)
}

const moment = z.iso.datetime({ offset: true })

/**
 * A moment as `2026-11-23T12:00:00.000Z`. A text has to say its time zone, and a day that there is: JavaScript would read
 * the 30th of February as the 2nd of March, and a text without a zone by that of the server.
 */
export function parseMoment(value: unknown, at: readonly string[]): string {
  if (!(value instanceof Date) && !moment.safeParse(value).success)
    throw new Invalid('This is not a moment in ISO 8601 with its time zone, as "2026-11-23T12:00:00Z".', at)
  const date = new Date(value as string | Date)
  const year = date.getUTCFullYear()
  if (!(year >= 1 && year <= 9999)) throw new Invalid('A moment lies between the years 1 and 9999.', at)
  return date.toISOString()
}

/** A day as `2026-11-23`. */
export function parseDate(value: unknown, at: readonly string[]): string {
  if (typeof value === 'string' && /^\d{4}-\d\d-\d\d$/.test(value) && !value.startsWith('0000')) {
    const date = new Date(`${value}T00:00:00.000Z`)
    if (!Number.isNaN(date.getTime()) && date.toISOString().startsWith(value)) return value
  }
  throw new Invalid('This is not a day between the years 1 and 9999, as "2026-11-23".', at)
}

export function parseJson(value: unknown, at: readonly string[]): Value {
  const text = JSON.stringify(value)
  if (text === undefined) throw new Invalid('This is not JSON.', at)
  if (Buffer.byteLength(text) > jsonBytes) throw new Invalid(`JSON has at most ${jsonBytes} bytes.`, at)
  // Both are what PostgreSQL's jsonb, by which JSON is filtered, cannot hold.
  if (/\\u(0000|d[89a-f])/.test(text.replaceAll('\\\\', '')))
    throw new Invalid('JSON has only characters that can be kept.', at)
  return value as Value
}

/** By code point, which is what PostgreSQL's collation "C" does in UTF-8. */
export function compareTexts(a: Value, b: Value): number {
  return Buffer.compare(Buffer.from(String(a)), Buffer.from(String(b)))
}
