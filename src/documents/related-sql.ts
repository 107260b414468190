import { type Join, quote } from './model.ts'
import { readFilter } from './permissions.ts'
import { requireReadableWhere } from './readable.ts'
import type { Scope } from './scope.ts'
import { type Condition, number } from './where.ts'
import { conditionSql, join } from './where-sql.ts'

/** A filter as a condition on the rows of `alias`. Related rows that the caller may not read are not there for it either. */
export function whereSql(scope: Scope, condition: Condition, alias: string): string {
  requireReadableWhere(condition, scope.caller.roles)
  return readableSql(scope, condition, alias)
}

function readableSql(scope: Scope, condition: Condition, alias: string): string {
  return conditionSql(scope, condition, alias, ({ neighbour, quantifier, of }, row) => {
    const related = scope.model.collections.get(neighbour.collectionId)
    const compared = (name: string) => {
      if (typeof quantifier === 'string') return ''
      return join(
        quantifier.map(({ operator, value }) => operator.sql({ param: scope.param, column: number, name }, value)),
        'and',
        'true',
      )
    }
    if (!related) return typeof quantifier === 'string' ? `${quantifier !== 'some'}` : compared('0')
    const other = scope.alias()
    const inside = readableSql(scope, of, other)
    const conditions = [
      joinSql(neighbour.join, row, other),
      readFilter(scope, related, other),
      quantifier === 'every' ? `(${inside}) is not true` : inside,
    ]
    if (typeof quantifier !== 'string')
      return compared(`(select count(*) from ${related.table} ${other} where ${join(conditions, 'and', 'true')})`)
    const exists = `exists (select from ${related.table} ${other} where ${join(conditions, 'and', 'true')})`
    return quantifier === 'some' ? exists : `not ${exists}`
  })
}

/** What makes a row of `other` one of those that `row` leads to. */
export function joinSql(way: Join, row: string, other: string): string {
  switch (way.kind) {
    case 'to':
      return `${other}."_id" = ${row}.${quote(way.column)}`
    case 'from':
      return `${other}.${quote(way.column)} = ${row}."_id"`
    case 'link': {
      const [mine, theirs] = [quote(way.mine), quote(way.theirs)]
      return `${other}."_id" in (select l.${theirs} from ${way.table} l where l.${mine} = ${row}."_id")`
    }
  }
}
