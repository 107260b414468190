import { Invalid } from '../errors.ts'
import type { Value } from './value.ts'

/** Most digits of a decimal, on both sides of its point together. */
export const decimalDigits = 100
/** Most numbers of a vector: what an index of pgvector takes. */
export const vectorDimensions = 2_000

export function parseInt32(value: unknown, at: readonly string[]): number {
  if (Number.isInteger(value) && Math.abs(Number(value) + 0.5) < 2 ** 31) return Number(value) + 0
  throw new Invalid('This is not a whole number of 32 bits.', at)
}

/** A whole number of 64 bits as text, without a plus or leading zeros. */
export function parseBig(value: unknown, at: readonly string[]): string {
  const text = typeof value === 'bigint' || Number.isSafeInteger(value) ? String(value) : value
  if (typeof text === 'string' && /^-?\d{1,19}$/.test(text)) {
    const big = BigInt(text)
    if (BigInt.asIntN(64, big) === big) return String(big)
  }
  throw new Invalid('This is not a whole number of 64 bits.', at)
}

export function parseFloat64(value: unknown, at: readonly string[]): number {
  // The sign of zero is not kept: JSON.stringify does not tell it either.
  if (typeof value === 'number' && Number.isFinite(value)) return value === 0 ? 0 : value
  throw new Invalid('This is not a finite number.', at)
}

/** An exact decimal as text: with the fraction that was given, without a plus, leading zeros or the sign of zero. */
export function parseDecimal(value: unknown, at: readonly string[]): string {
  const given = typeof value === 'number' || typeof value === 'bigint' ? plainNumber(value) : value
  const [, sign = '', whole = '', fraction = ''] =
    (typeof given === 'string' ? /^(-?)(\d{1,101})(?:\.(\d{1,101}))?$/.exec(given) : null) ?? []
  const digits = whole.replace(/^0+(?=\d)/, '')
  if (digits === '' || digits.length + fraction.length > decimalDigits) {
    throw new Invalid(`This is not a decimal number of at most ${decimalDigits} digits, as "12.50".`, at)
  }
  const text = fraction === '' ? digits : `${digits}.${fraction}`
  return sign === '-' && /[1-9]/.test(text) ? `-${text}` : text
}

/** A number without an exponent, which `String` writes from 1e21 on and below 1e-6. */
function plainNumber(value: number | bigint): string {
  const text = String(value)
  return text.includes('e')
    ? Number(value).toLocaleString('en', { useGrouping: false, maximumFractionDigits: 100 })
    : text
}

export function parseBoolean(value: unknown, at: readonly string[]): boolean {
  if (typeof value === 'boolean') return value
  throw new Invalid('This is neither true nor false.', at)
}

export function parseVector(value: unknown, at: readonly string[]): readonly number[] {
  if (Array.isArray(value) && value.length > 0 && value.length <= vectorDimensions) {
    return value.map((number, i) => Math.fround(parseFloat64(number, [...at, `${i}`])))
  }
  throw new Invalid(`This is not a list of 1 to ${vectorDimensions} numbers.`, at)
}

/** NaN where one is none: a row may have been logged when its attribute was of another type. */
export function compareBig(a: Value, b: Value): number {
  const [one, other] = [a, b].map((value) => (/^[+-]?\d+$/.test(String(value)) ? BigInt(String(value)) : null))
  if (one == null || other == null) return Number.NaN
  return one < other ? -1 : one > other ? 1 : 0
}

/** Brought to one scale, decimals are whole numbers. */
export function compareDecimals(a: Value, b: Value): number {
  const scale = Math.max(...[a, b].map((value) => (String(value).split('.')[1] ?? '').length))
  const whole = (value: Value) => {
    const [digits = '', fraction = ''] = String(value).split('.')
    return digits + fraction.padEnd(scale, '0')
  }
  return compareBig(whole(a), whole(b))
}
