import { Invalid } from '../errors.ts'
import { type Bounds, boundsSql, parseBounds } from './bounds.ts'
import { negated, type Operator, operandSql, operandsSql, present, type Typed } from './operator.ts'
import type { Value } from './value.ts'
import { compareValues, parseOperand, parseOperands } from './values.ts'

function holds(column: Typed, list: unknown, item: Value): boolean {
  return Array.isArray(list) && list.some((one) => compareValues(column, one, item) === 0)
}

/** The signs are those that GIN indexes answer. */
const has: Operator = {
  parse: parseOperand,
  sql: (subject, item) => `${subject.name} @> array[${operandSql(subject, item)}]`,
  matches: present((list, item, column) => holds(column, list, item)),
}

const hasAny: Operator = {
  parse: parseOperands,
  sql: (subject, items) => `${subject.name} && ${operandsSql(subject, items)}`,
  matches: present((list, items, column) => Array.isArray(items) && items.some((item) => holds(column, list, item))),
}

const hasAll: Operator = {
  parse: parseOperands,
  sql: (subject, items) => `${subject.name} @> ${operandsSql(subject, items)}`,
  matches: present((list, items, column) => Array.isArray(items) && items.every((item) => holds(column, list, item))),
}

const isEmpty: Operator = {
  parse: (_column, value) => value === true,
  sql: ({ name }, wanted) => `cardinality(${name}) ${wanted === true ? '=' : '>'} 0`,
  matches: present((list, wanted) => (Array.isArray(list) && list.length === 0) === wanted),
}

const holdsFor: Readonly<Record<string, (a: number, b: number) => boolean>> = {
  eq: (a, b) => a === b,
  gt: (a, b) => a > b,
  gte: (a, b) => a >= b,
  lt: (a, b) => a < b,
  lte: (a, b) => a <= b,
}

const length: Operator = {
  parse: (_column, value, at) =>
    parseBounds(value, at, (given, below) => {
      if (Number.isInteger(given)) return given
      throw new Invalid('This is not a whole number.', below)
    }),
  sql: ({ name, param }, bounds) =>
    boundsSql(`cardinality(${name})`, bounds as Bounds, (count) => param(count, 'int8')),
  matches: present(
    (list, bounds) =>
      Array.isArray(list) &&
      Object.entries(bounds as Bounds).every(([name, count]) => holdsFor[name]?.(list.length, Number(count))),
  ),
}

export const listOperators = { has, hasAny, hasAll, hasNone: negated(hasAny), isEmpty, length }
