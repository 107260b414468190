import type { Column } from './model.ts'
import type { Param } from './param.ts'
import { defer, isDeferred } from './slots.ts'
import type { Value } from './value.ts'
import { itemType, operandParam } from './values.ts'

/** What of a column an operator has to know. */
export type Typed = Pick<Column, 'type' | 'list'> & Partial<Pick<Column, 'language' | 'dimensions'>>

/** What is looked at: the SQL of a value of a column's type. */
export type Subject = { param: Param; column: Typed; name: string }

export type Present = Exclude<Value, null>

export type Operator = {
  /** Reads what it is given. Throws Invalid with the path of what is wrong in it. */
  parse: (column: Typed, value: unknown, at: readonly string[]) => unknown
  /** Its condition. It may be null, which counts as false. */
  sql: (subject: Subject, operand: unknown) => string
  /** The same of a logged value. Left out where PostgreSQL alone can tell: live filters and rules cannot use it. */
  matches?: (column: Typed, value: Value, operand: Value) => boolean
}

export type Operators = Readonly<Record<string, Operator>>

/** Of a comparison that no null satisfies, neither as the value nor as the operand. */
export function present(
  compare: (value: Present, operand: Present, column: Typed) => boolean,
): NonNullable<Operator['matches']> {
  return (column, value, operand) => value !== null && operand !== null && compare(value, operand, column)
}

/** True exactly where the other one is not. */
export function negated({ parse, sql, matches }: Operator): Operator {
  return {
    parse,
    sql: (subject, operand) => `(${sql(subject, operand)}) is not true`,
    ...(matches && { matches: (column, value, operand) => !matches(column, value, operand) }),
  }
}

export function operandSql({ param, column }: Subject, operand: unknown): string {
  return param(operandParam(column, operand), itemType(column))
}

export function operandsSql({ param, column }: Subject, operands: unknown): string {
  return param(operandParam(column, operands), `${itemType(column)}[]`)
}

/** `read` of operands, now or once there are some. */
export function mapOperands(operands: readonly unknown[], read: (values: readonly unknown[]) => unknown): unknown {
  if (!operands.some(isDeferred)) return read(operands)
  return defer((given) => read(operands.map((one) => (isDeferred(one) ? one.read(given) : one))))
}

/** The same of one. That of null is null. */
export function mapOperand(operand: unknown, read: (value: Present) => unknown): unknown {
  return mapOperands([operand], ([value]) => (value === null ? null : read(value as Present)))
}
