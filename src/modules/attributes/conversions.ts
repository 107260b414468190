/** How the values of one type become those of another, in SQL: which ones can, and what they become. */
import { escapeLiteral } from 'pg'
import type { AttributeType } from '../../../prisma/client/enums.ts'
import { types } from '../../documents/types.ts'
import { sqlTypeOf, type Typed } from '../collections/columns.ts'

/**
 * `cast` is what a value becomes; `fits` whether it can, which raises no error whatever the value is; null where all can.
 * Both take SQL that is not null. `parse` throws for what fits and still cannot be: it stays the text that it is.
 */
export type Conversion = {
  cast: (value: string) => string
  fits: ((value: string) => string) | null
  parse?: (value: string) => unknown
}

/** Whether PostgreSQL reads a text as a value of a type. */
const isValid = (value: string, type: string) => `public.is_valid(${value}, '${type}')`

const texts: readonly AttributeType[] = ['STRING', 'TEXT', 'EMAIL', 'URL', 'ENUM']
const isText = (type: AttributeType) => texts.includes(type)

const same: Conversion = { cast: (value) => value, fits: null }

/** Null where no value of the one could become one of the other. */
export function conversionOf(from: Typed, to: Typed): Conversion | null {
  if (from.list !== to.list) {
    if (from.type !== to.type) return null
    return to.list
      ? { cast: (value) => `array[${value}]`, fits: null }
      : { cast: (value) => `(${value})[1]`, fits: (value) => `cardinality(${value}) <= 1` }
  }
  if (from.type === to.type) return same
  if (from.list) return isText(from.type) && isText(to.type) && !isWord(to.type) ? same : null
  if (isText(from.type)) return fromText(to)
  if (isText(to.type)) return toText(from.type, to.type)
  return between(from.type, to.type)
}

/** What is written in letters of all scripts, or as browsers read it: PostgreSQL cannot tell. */
const isWord = (type: AttributeType) => type === 'EMAIL' || type === 'URL'

/** Most characters of one that is tried: more than any of them has. */
const longestWord = 2_048

/** What a text looks like that is meant as such a value: PostgreSQL reads more, as `tomorrow` or `0x1F`. */
const formats: Partial<Record<AttributeType, string>> = {
  INTEGER: '^[+-]?[0-9]{1,10}$',
  BIGINT: '^[+-]?[0-9]{1,19}$',
  FLOAT: '^[+-]?[0-9]*[.]?[0-9]+([eE][+-]?[0-9]{1,3})?$',
  DECIMAL: '^[+-]?[0-9]{1,50}([.][0-9]{1,50})?$',
  BOOLEAN: '^(true|false)$',
  DATE: '^[0-9]{4}-[0-9]{2}-[0-9]{2}$',
  DATETIME:
    '^[0-9]{4}-[0-9]{2}-[0-9]{2}[T ][0-9]{2}:[0-9]{2}(:[0-9]{2}([.][0-9]{1,6})?)?(Z|[+-][0-9]{2}(:?[0-9]{2})?)?$',
  IP: '^[0-9a-fA-F.:]+$',
  UUID: '^[0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}$',
}

function fromText(to: Typed): Conversion | null {
  if (isWord(to.type)) {
    const fits = (value: string) => `char_length(${value}) <= ${longestWord}`
    return { cast: same.cast, fits, parse: (value) => types[to.type as 'EMAIL' | 'URL'].parse(value, []) }
  }
  if (isText(to.type)) return same
  const format = formats[to.type]
  if (!format) return null
  const type = sqlTypeOf(to)
  return {
    cast: (value) => `(${value})::${type}`,
    fits: (value) => {
      const cases = [
        `not ${like(value, format)} then false`,
        `not ${isValid(value, type)} then false`,
        ...(to.type === 'DATETIME' ? [`not ${isTold(`(${value})::${type}`)} then false`] : []),
      ]
      return `(case ${cases.map((one) => `when ${one}`).join(' ')} else true end)`
    },
  }
}

/** Whether a moment is one that the API can tell. */
const isTold = (moment: string) => `(${moment} between '0001-01-01Z' and '9999-12-31 23:59:59.999Z')`

function like(value: string, format: string): string {
  return `${value} ~ ${escapeLiteral(format)}`
}

const writings: Partial<Record<AttributeType, (value: string) => string>> = {
  DATETIME: (value) => `to_char(${value} at time zone 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.MS"Z"')`,
  DATE: (value) => `to_char(${value}, 'YYYY-MM-DD')`,
  IP: (value) => `host(${value})`,
  UUID: (value) => `(${value})::text`,
  BOOLEAN: (value) => `(${value})::text`,
  INTEGER: (value) => `(${value})::text`,
  BIGINT: (value) => `(${value})::text`,
  FLOAT: (value) => `(${value})::text`,
  DECIMAL: (value) => `(${value})::text`,
}

function toText(from: AttributeType, to: AttributeType): Conversion | null {
  const write = writings[from]
  if (!write || isWord(to)) return null
  return { cast: write, fits: null }
}

const whole = (least: string, most: string) => (value: string) =>
  `(${value} between ${least} and ${most} and ${value} = trunc(${value}))`
const asInteger = whole('-2147483648', '2147483647')
// The greatest float below 2^63: that of 64 bits itself is none.
const asBigint = whole('-9223372036854775808', '9223372036854774784')

/** No value changes but in its form: what would be rounded does not fit. */
const conversions: Readonly<Record<string, ((value: string) => string) | null>> = {
  'INTEGER BIGINT': null,
  'INTEGER DECIMAL': null,
  'INTEGER FLOAT': null,
  'BIGINT INTEGER': (value) => `(${value} between -2147483648 and 2147483647)`,
  'BIGINT DECIMAL': null,
  'BIGINT FLOAT': (value) => `(abs((${value})::numeric) <= 9007199254740992)`,
  'DECIMAL INTEGER': asInteger,
  'DECIMAL BIGINT': whole('-9223372036854775808', '9223372036854775807'),
  'DECIMAL FLOAT': (value) => `((${value})::float8::numeric = ${value})`,
  'FLOAT INTEGER': asInteger,
  'FLOAT BIGINT': asBigint,
  'FLOAT DECIMAL': (value) =>
    `(abs(${value}) < 1e50 and scale((${value})::numeric) <= 50 and (${value})::numeric::float8 = ${value})`,
  'DATE DATETIME': null,
  'DATETIME DATE': (value) => `(${value} = date_trunc('day', ${value}, 'UTC'))`,
}

function between(from: AttributeType, to: AttributeType): Conversion | null {
  const fits = conversions[`${from} ${to}`]
  if (fits === undefined) return null
  const type = sqlTypeOf({ type: to, list: false, encrypted: false, dimensions: null })
  if (to === 'DATETIME') return { cast: (value) => `((${value})::timestamp at time zone 'UTC')`, fits }
  if (to === 'DATE') return { cast: (value) => `(${value} at time zone 'UTC')::date`, fits }
  return { cast: (value) => `(${value})::${type}`, fits }
}
