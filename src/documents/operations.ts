import { Forbidden, Invalid } from '../errors.ts'
import { type Input, type Path, requireSettable } from './input.ts'
import { literal } from './json.ts'
import { type CollectionModel, type Column, quote } from './model.ts'
import { decimalDigits } from './numbers.ts'
import { mayUse } from './permissions.ts'
import type { Caller, Scope } from './scope.ts'
import { requireLiteral, whenGiven } from './slots.ts'
import { types } from './types.ts'
import { columnType, operandParam, parseOperand, parseOperands } from './values.ts'

/** A change that is made of the value as it is when it is made: two at once both count. */
export type Operation = { column: Column; key: string; operator: string; operand: unknown; min: unknown; max: unknown }

const numeric: ReadonlySet<string> = new Set(['INTEGER', 'BIGINT', 'FLOAT', 'DECIMAL'])

export type OperatorKind = 'number' | 'list' | 'text' | 'boolean' | 'moment'

/** Null for a column whose values are only ever set. */
export function operatorKind({ type, list, encrypted, computed }: Column): OperatorKind | null {
  if (encrypted || computed) return null
  if (list) return 'list'
  if (numeric.has(type)) return 'number'
  if (type === 'STRING' || type === 'TEXT') return 'text'
  if (type === 'BOOLEAN') return 'boolean'
  return type === 'DATE' || type === 'DATETIME' ? 'moment' : null
}

/** Reads an `apply` argument. Throws Invalid with the path of what is wrong in it. */
export function parseOperations(collection: CollectionModel, input: unknown, caller: Caller): Operation[] {
  if (input === null || input === undefined) return []
  return Object.entries(requireLiteral(input) as Input).map(([key, given]) => {
    const column = collection.columns.get(key)
    const at = ['apply', key]
    const kind = column && column.attributeId !== null ? operatorKind(column) : null
    if (!column || !kind) throw new Invalid('There is nothing of this name to apply this to.', at)
    requireSettable(column, caller)
    requireTold(column, caller)
    return parseOperation(column, kind, given, at)
  })
}

/** What is made of a value tells of it, by its bounds and by every limit that the new one may pass. */
function requireTold({ key, rights }: Column, { roles }: Caller): void {
  if (!mayUse(rights, 'read', roles)) throw new Forbidden(`You may not read \`${key}\`, so nothing is made of it.`)
}

function parseOperation(column: Column, kind: OperatorKind, given: unknown, at: Path): Operation {
  if (typeof given !== 'object' || given === null) throw new Invalid('This must not be null: leave it out instead.', at)
  const { min = null, max = null, ...rest } = requireLiteral(given) as Input
  const [first, second] = Object.entries(rest)
  if (!first || second) throw new Invalid('This takes one operator.', at)
  const [operator, value] = first
  if (value === null) throw new Invalid('This must not be null: leave it out instead.', [...at, operator])
  const operand = parseOperandOf(column, kind, operator, value, [...at, operator])
  return { column, key: column.key, operator, operand, min: bound(column, min, at), max: bound(column, max, at) }
}

function bound(column: Column, value: unknown, at: Path): unknown {
  return value === null ? null : operandParam(column, parseOperand(column, value, at))
}

function parseOperandOf(column: Column, kind: OperatorKind, operator: string, value: unknown, at: Path): unknown {
  switch (kind) {
    case 'number':
      return operandParam(column, numberOperand(column, operator, value, at))
    case 'list':
      return listOperand(column, operator, requireLiteral(value), at)
    case 'text':
      if (operator === 'concat') return parseOperand(column, value, at)
      return fields(value, (one) => parseOperand(column, one, at))
    case 'moment':
      return operator === 'add'
        ? fields(value, (one) => whenGiven(one, (given) => lengthOf(given, at)))
        : requireTrue(value, at)
    default:
      return requireTrue(value, at)
  }
}

/** What is greater leads out of the calendar, and in PostgreSQL round it. */
const greatestLength = 100_000_000

function lengthOf(value: unknown, at: Path): unknown {
  if (Math.abs(Number(value)) <= greatestLength) return value
  throw new Invalid('A part of a length of time is at most 100,000,000.', at)
}

function requireTrue(value: unknown, at: Path): true {
  if (value === true) return true
  throw new Invalid('This is either true or left out.', at)
}

function fields(value: unknown, read: (one: unknown) => unknown): Record<string, unknown> {
  return Object.fromEntries(Object.entries(requireLiteral(value) as Input).map(([key, one]) => [key, read(one)]))
}

const greatestPower = 100

function numberOperand(column: Column, operator: string, value: unknown, at: Path): unknown {
  return whenGiven(value, (given) => {
    const parsed = types[column.type].parse(given, at)
    const size = Number(parsed)
    if ((operator === 'divide' || operator === 'modulo') && size === 0)
      throw new Invalid('Nothing is divided by 0.', at)
    if (operator === 'power' && (Math.abs(size) > greatestPower || (column.type !== 'FLOAT' && !(size >= 0)))) {
      throw new Invalid(`A power is at least 0 and at most ${greatestPower}.`, at)
    }
    return parsed
  })
}

function listOperand(column: Column, operator: string, value: unknown, at: Path): unknown {
  if (operator === 'unique') return requireTrue(value, at)
  if (operator !== 'insert') return operandParam(column, parseOperands(column, value, at))
  const { at: place, value: item } = value as { at: unknown; value: unknown }
  const least = whenGiven(place, (given) => {
    if (Number(given) >= 0) return given
    throw new Invalid('This is 0 or more.', [...at, 'at'])
  })
  return { at: least, value: operandParam(column, parseOperand(column, item, [...at, 'value'])) }
}

/** The new value, out of the row `alias` as it was. */
export function operationSql(scope: Pick<Scope, 'param'>, operation: Operation, alias: string): string {
  const { column, operator, operand } = operation
  const old = `${alias}.${quote(column.name)}`
  switch (operatorKind(column)) {
    case 'number':
      return `(${numberSql(scope, operation, old)})::${types[column.type].sql}`
    case 'list':
      return listSql(scope, operation, old)
    case 'text':
      return textSql(scope, operator, operand, old)
    case 'moment':
      return momentSql(scope, operation, old)
    default:
      return `not coalesce(${old}, false)`
  }
}

const signs: Readonly<Record<string, string>> = { increment: '+', decrement: '-', multiply: '*' }

/** Whole numbers are reckoned as exact ones, so that passing their range can be told before it happens. */
function numberSql({ param }: Pick<Scope, 'param'>, { column, operator, operand }: Operation, old: string): string {
  const { sql } = types[column.type]
  const isFloat = column.type === 'FLOAT'
  const as = isFloat ? 'float8' : 'numeric'
  const [a, b] = [`coalesce(${old}, 0)::${as}`, `${param(operand, sql)}::${as}`]
  // Of a quotient that is rounded something wrong is left.
  const exact = (value: string) => (isFloat ? `${value}::text::numeric` : value)
  const whole = (value: string) => (column.type === 'INTEGER' || column.type === 'BIGINT' ? `trunc(${value})` : value)
  if (operator === 'divide') return whole(`${a} / ${b}`)
  if (operator === 'modulo') return `mod(${exact(a)}, ${exact(b)})`
  if (operator === 'power') return whole(`power(${a}, ${b})`)
  return `${a} ${signs[operator]} ${b}`
}

function listSql({ param }: Pick<Scope, 'param'>, { column, operator, operand }: Operation, old: string): string {
  const type = columnType(column)
  const list = `(coalesce(${old}, '{}'::${type}))`
  const kept = (condition: string) =>
    `array(select u.item from unnest(${list}) with ordinality u (item, place) where ${condition} order by u.place)`
  switch (operator) {
    case 'append':
      return `${list} || ${param(operand, type)}`
    case 'prepend':
      return `${param(operand, type)} || ${list}`
    case 'insert': {
      const { at, value } = operand as { at: unknown; value: unknown }
      const place = `least(${param(at, 'int4')}, cardinality(${list}))`
      return `${list}[:${place}] || ${param(value, types[column.type].sql)} || ${list}[${place} + 1:]`
    }
    case 'remove':
      return kept(`u.item <> all(${param(operand, type)})`)
    case 'intersect':
      return kept(`u.item = any(${param(operand, type)})`)
    default:
      return `array(select u.item from unnest(${list}) with ordinality u (item, place) group by u.item order by min(u.place))`
  }
}

function textSql({ param }: Pick<Scope, 'param'>, operator: string, operand: unknown, old: string): string {
  if (operator === 'concat') return `coalesce(${old}, '') || ${param(operand, 'text')}`
  const { text, with: by } = operand as { text: unknown; with: unknown }
  return `documents.replaced(${old}, ${param(text, 'text')}, ${param(by, 'text')})`
}

const units: Readonly<Record<string, string>> = {
  years: 'years',
  months: 'months',
  days: 'days',
  hours: 'hours',
  minutes: 'mins',
  seconds: 'secs',
}

function momentSql({ param }: Pick<Scope, 'param'>, { column, operator, operand }: Operation, old: string): string {
  const isDate = column.type === 'DATE'
  if (operator === 'setNow') return isDate ? `(g."_updatedAt" at time zone 'UTC')::date` : 'g."_updatedAt"'
  const parts = Object.entries(operand as Input).map(([unit, value]) => `${units[unit]} => ${param(value, 'int4')}`)
  const interval = `make_interval(${parts.join(', ')})`
  return isDate ? `(${old} + ${interval})::date` : `(${old} at time zone 'UTC' + ${interval}) at time zone 'UTC'`
}

const ranges: Readonly<Record<string, readonly [string, string]>> = {
  INTEGER: ['-2147483648', '2147483647'],
  BIGINT: ['-9223372036854775808', '9223372036854775807'],
}

/** Why the new value cannot be: it passes the range of its type, or a bound that was given with the operator. */
export function operationReasons(scope: Pick<Scope, 'param'>, operation: Operation, alias: string): string[] {
  const { column, min, max } = operation
  if (operatorKind(column) === 'moment') return momentReasons(scope, operation, alias)
  if (operatorKind(column) !== 'number') return []
  const { sql } = types[column.type]
  const range = ranges[column.type]
  if (column.type === 'FLOAT' && min === null && max === null) return []
  const value = numberSql(scope, operation, `${alias}.${quote(column.name)}`)
  const conditions = [
    ...(range ? [`(${value}) between ${range[0]} and ${range[1]}`] : []),
    ...(column.type === 'DECIMAL' ? [`length(trunc(abs(${value}))::text) + scale(${value}) <= ${decimalDigits}`] : []),
    ...(min === null ? [] : [`(${value}) >= ${scope.param(min, sql)}`]),
    ...(max === null ? [] : [`(${value}) <= ${scope.param(max, sql)}`]),
  ]
  return conditions.map((condition) => `case when not (${condition}) then ${literal(`bounds::${column.key}`)} end`)
}

/** Moments that the API can tell. */
function momentReasons(scope: Pick<Scope, 'param'>, operation: Operation, alias: string): string[] {
  const { column, operator } = operation
  if (operator !== 'add') return []
  const value = momentSql(scope, operation, `${alias}.${quote(column.name)}`)
  const last = column.type === 'DATE' ? '9999-12-31' : '9999-12-31T23:59:59.999Z'
  const condition = `(${value}) between '0001-01-01' and ${literal(last)}`
  return [`case when not (${condition}) then ${literal(`bounds::${column.key}`)} end`]
}
