import { Invalid } from '../errors.ts'
import { negated, type Operator, type Operators, operandSql, operandsSql, present, type Typed } from './operator.ts'
import { geometryOperators } from './operators-geometry.ts'
import { jsonOperators } from './operators-json.ts'
import { listOperators } from './operators-list.ts'
import { textOperators } from './operators-text.ts'
import { vectorOperators } from './operators-vector.ts'
import { whenGiven } from './slots.ts'
import type { ColumnType } from './types.ts'
import type { Value } from './value.ts'
import { compareValues, parseOperand, parseOperands } from './values.ts'

const isNull: Operator = {
  parse: (_column, value) => value === true,
  sql: ({ name }, wanted) => `${name} is ${wanted === true ? '' : 'not '}null`,
  matches: (_column, value, wanted) => (value === null) === wanted,
}

const eq: Operator = {
  parse: parseOperand,
  sql: (subject, operand) => `${subject.name} = ${operandSql(subject, operand)}`,
  matches: present((value, operand, column) => compareValues(column, value, operand) === 0),
}

const ne: Operator = {
  parse: parseOperand,
  sql: (subject, operand) => `${subject.name} is distinct from ${operandSql(subject, operand)}`,
  matches: (column, value, operand) =>
    value === null || operand === null ? value !== operand : compareValues(column, value, operand) !== 0,
}

const isIn: Operator = {
  parse: parseOperands,
  sql: (subject, operands) => `${subject.name} = any(${operandsSql(subject, operands)})`,
  matches: present(
    (value, operands, column) =>
      Array.isArray(operands) && operands.some((one) => compareValues(column, value, one) === 0),
  ),
}

const between: Operator = {
  parse: (column, value, at) =>
    whenGiven(value, (given) => {
      if (Array.isArray(given) && given.length === 2) return parseOperands(column, given, at)
      throw new Invalid('This is two values, from and to.', at)
    }),
  sql: (subject, operands) => {
    const pair = operandsSql(subject, operands)
    return `${subject.name} between (${pair})[1] and (${pair})[2]`
  },
  matches: present((value, operands, column) => {
    const [from = null, to = null] = operands as readonly Value[]
    return compareValues(column, value, from) >= 0 && compareValues(column, value, to) <= 0
  }),
}

function sign(text: string, holds: (order: number) => boolean): Operator {
  return {
    parse: parseOperand,
    sql: (subject, operand) => `${subject.name} ${text} ${operandSql(subject, operand)}`,
    matches: present((value, operand, column) => holds(compareValues(column, value, operand))),
  }
}

const sameness = { isNull, eq, ne }
const equality = { ...sameness, in: isIn, notIn: negated(isIn) }
const ordered = {
  ...equality,
  gt: sign('>', (order) => order > 0),
  gte: sign('>=', (order) => order >= 0),
  lt: sign('<', (order) => order < 0),
  lte: sign('<=', (order) => order <= 0),
  between,
  notBetween: negated(between),
}
const text = { ...ordered, ...textOperators }

const operators: Readonly<Record<ColumnType, Operators>> = {
  ID: ordered,
  STRING: text,
  TEXT: text,
  EMAIL: text,
  URL: text,
  ENUM: equality,
  INTEGER: ordered,
  BIGINT: ordered,
  FLOAT: ordered,
  DECIMAL: ordered,
  BOOLEAN: sameness,
  DATETIME: ordered,
  DATE: ordered,
  IP: ordered,
  UUID: ordered,
  JSON: jsonOperators,
  POINT: { isNull, ...geometryOperators.POINT },
  LINE: { isNull, ...geometryOperators.LINE },
  POLYGON: { isNull, ...geometryOperators.POLYGON },
  VECTOR: { isNull, ...vectorOperators },
}
const lists: Operators = { isNull, ...listOperators }

/** What a column can be filtered by, by the names that its filter has for it. */
export function operatorsOf({ type, list }: Typed): Operators {
  return list ? lists : operators[type]
}
