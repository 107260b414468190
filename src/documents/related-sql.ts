import { type Join, quote } from './model.ts'
import { readFilter } from './permissions.ts'
import type { Scope } from './scope.ts'
import type { Condition } from './where.ts'
import { conditionSql, join } from './where-sql.ts'

/** A filter as a condition on the rows of `alias`. Related rows that the caller may not read are not there for it either. */
export function whereSql(scope: Scope, condition: Condition, alias: string): string {
  return conditionSql(scope, condition, alias, ({ neighbour, of }, row) => {
    const related = scope.model.collections.get(neighbour.collectionId)
    if (!related) return 'false'
    const other = scope.alias()
    const conditions = [
      joinSql(neighbour.join, row, other),
      readFilter(scope, related, other),
      whereSql(scope, of, other),
    ]
    return `exists (select from ${related.table} ${other} where ${join(conditions, 'and', 'true')})`
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
