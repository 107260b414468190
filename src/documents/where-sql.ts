import { type Column, quote } from './model.ts'
import type { Subject } from './operator.ts'
import type { Scope } from './scope.ts'
import type { Condition } from './where.ts'

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
      return condition.operator.sql(subjectOf(scope, condition.column, alias), condition.value)
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

export function subjectOf({ param }: Params, column: Column, alias: string): Subject {
  return { param, column, name: `${alias}.${quote(column.name)}` }
}
