import { comparableSql } from './json.ts'
import { type Column, quote } from './model.ts'
import type { Scope } from './scope.ts'
import { itemType, operandParam } from './values.ts'
import type { Condition, Operator } from './where.ts'

/** What makes SQL of a condition on related rows. */
type RelatedSql = (condition: Extract<Condition, { kind: 'related' }>, alias: string) => string

type Params = Pick<Scope, 'param'>

/** A filter as a condition on the rows of `alias`. */
export function conditionSql(scope: Params, condition: Condition, alias: string, related: RelatedSql): string {
  const inside = (one: Condition) => conditionSql(scope, one, alias, related)
  switch (condition.kind) {
    case 'all':
      return join(condition.of.map(inside), 'and', 'true')
    case 'some':
      return join(condition.of.map(inside), 'or', 'false')
    case 'not':
      return `(${inside(condition.of)}) is not true`
    case 'compare':
      return compare(scope, condition.column, condition.operator, condition.value, alias)
    case 'related':
      return related(condition, alias)
  }
}

/** One that looks at no other rows. */
export function ownSql(scope: Params, condition: Condition, alias: string): string {
  return conditionSql(scope, condition, alias, () => {
    throw new Error('This condition looks at other rows.')
  })
}

export function join(conditions: readonly string[], word: 'and' | 'or', none: 'true' | 'false'): string {
  const needed = conditions.filter((one) => one !== none)
  if (needed.length < 2) return needed[0] ?? none
  return needed.map((one) => `(${one})`).join(` ${word} `)
}

const signs: Partial<Record<Operator, string>> = { gt: '>', gte: '>=', lt: '<', lte: '<=' }

function compare({ param }: Params, column: Column, operator: Operator, value: unknown, alias: string): string {
  const name = `${alias}.${quote(column.name)}`
  const type = itemType(column)
  const operand = (of = type) => param(operandParam(column, value), of)
  switch (operator) {
    case 'isNull':
      return `${name} is ${value === true ? '' : 'not '}null`
    case 'eq':
      return `${name} = ${operand()}`
    case 'ne':
      return `${name} is distinct from ${operand()}`
    case 'in':
      return `${name} = any(${operand(`${type}[]`)})`
    case 'notIn':
      return `(${name} = any(${operand(`${type}[]`)})) is not true`
    case 'contains':
      return `strpos(${name}, ${operand()}) > 0`
    case 'startsWith':
      return `starts_with(${name}, ${operand()})`
    case 'endsWith': {
      const text = operand()
      return `right(${name}, length(${text})) = ${text}`
    }
    default:
      return `${comparableSql(column, alias)} ${signs[operator]} ${operand()}`
  }
}
