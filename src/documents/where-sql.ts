import { comparableSql } from './json.ts'
import { type CollectionModel, type Column, quote } from './model.ts'
import { readFilter } from './permissions.ts'
import type { Scope } from './scope.ts'
import { sqlType } from './values.ts'
import type { Condition, Operator } from './where.ts'

/** A filter as a condition on the rows of `alias`. Related rows that the caller may not read are not there for it either. */
export function whereSql(scope: Scope, condition: Condition, alias: string): string {
  switch (condition.kind) {
    case 'all':
      return join(
        condition.of.map((one) => whereSql(scope, one, alias)),
        'and',
        'true',
      )
    case 'some':
      return join(
        condition.of.map((one) => whereSql(scope, one, alias)),
        'or',
        'false',
      )
    case 'not':
      return `(${whereSql(scope, condition.of, alias)}) is not true`
    case 'compare':
      return compare(scope, condition.column, condition.operator, condition.value, alias)
    case 'related': {
      const related = scope.model.collections.get(condition.relation.collectionId)
      return related ? existsSql(scope, related, `${alias}.${quote(condition.relation.key)}`, condition.of) : 'false'
    }
  }
}

function existsSql(scope: Scope, related: CollectionModel, key: string, of: Condition): string {
  const alias = scope.alias()
  const conditions = [
    `${alias}."_id" = ${key}`,
    readFilter(related, scope.roles, alias, scope.param),
    whereSql(scope, of, alias),
  ]
  return `exists (select from ${related.table} ${alias} where ${join(conditions, 'and', 'true')})`
}

export function join(conditions: readonly string[], word: 'and' | 'or', none: 'true' | 'false'): string {
  const needed = conditions.filter((one) => one !== none)
  if (needed.length < 2) return needed[0] ?? none
  return needed.map((one) => `(${one})`).join(` ${word} `)
}

const signs: Partial<Record<Operator, string>> = { gt: '>', gte: '>=', lt: '<', lte: '<=' }

function compare({ param }: Scope, column: Column, operator: Operator, value: unknown, alias: string): string {
  const name = `${alias}.${quote(column.name)}`
  const type = sqlType(column.type)
  switch (operator) {
    case 'isNull':
      return `${name} is ${value === true ? '' : 'not '}null`
    case 'eq':
      return `${name} = ${param(value, type)}`
    case 'ne':
      return `${name} is distinct from ${param(value, type)}`
    case 'in':
      return `${name} = any(${param(value, `${type}[]`)})`
    case 'notIn':
      return `(${name} = any(${param(value, `${type}[]`)})) is not true`
    case 'contains':
      return `strpos(${name}, ${param(value, type)}) > 0`
    case 'startsWith':
      return `starts_with(${name}, ${param(value, type)})`
    case 'endsWith': {
      const text = param(value, type)
      return `right(${name}, length(${text})) = ${text}`
    }
    default:
      return `${comparableSql(column, alias)} ${signs[operator]} ${param(value, type)}`
  }
}
