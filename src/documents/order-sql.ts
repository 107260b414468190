import { directionSql } from './directions.ts'
import { comparableSql, literal, valueJson } from './json.ts'
import { metresSql } from './metres.ts'
import { type Column, collectionOf, type Neighbour } from './model.ts'
import { vectorDistanceSql } from './operators-vector.ts'
import type { OrderTerm } from './order.ts'
import { orderText, type Place } from './page.ts'
import { readFilter } from './permissions.ts'
import { requireReadable } from './readable.ts'
import { joinSql } from './related-sql.ts'
import type { Scope } from './scope.ts'
import { searchSql } from './search.ts'
import { itemType, operandParam } from './values.ts'
import { join, subjectOf } from './where-sql.ts'

export function orderSql(scope: Scope, order: readonly OrderTerm[], alias: string, backward: boolean): string {
  return order
    .map((term) => `${termSql(scope, term, alias)} ${directionSql(term, { required: term.required, backward })}`)
    .join(', ')
}

/** What a row of `alias` is ordered by. Whoever may not read it is refused. */
function termSql(scope: Scope, term: OrderTerm, alias: string): string {
  if (term.kind === 'shuffle') return `hashtextextended(${alias}."_id", ${scope.param(term.seed, 'int8')})`
  return wayValueSql(scope, term.way, alias, (end) => {
    return term.kind === 'count' ? countSql(scope, term.of, end) : columnSql(scope, term, end)
  })
}

function columnSql(scope: Scope, term: Extract<OrderTerm, { column: Column }>, alias: string): string {
  requireReadable(term.column, scope.caller.roles)
  if (term.kind === 'column') return comparableSql(term.column, alias)
  const subject = subjectOf(scope, term.column, alias)
  switch (term.kind) {
    case 'metres':
      return metresSql(subject.name, scope.param(operandParam(term.column, term.from), 'point'))
    case 'vector':
      return vectorDistanceSql(subject, term.from, term.measure)
    case 'rank': {
      const { vector, query } = searchSql(subject, term.search)
      return `ts_rank(${vector}, ${query})::float8`
    }
  }
}

/** A value at the end of a way of relations: null where it leads to nothing that the caller may read. */
function wayValueSql(scope: Scope, way: readonly Neighbour[], alias: string, endSql: (end: string) => string): string {
  const [neighbour, ...rest] = way
  if (!neighbour) return endSql(alias)
  requireReadable(neighbour, scope.caller.roles)
  const related = collectionOf(scope.model, neighbour.collectionId)
  const other = scope.alias()
  const conditions = [joinSql(neighbour.join, alias, other), readFilter(scope, related, other)]
  const value = wayValueSql(scope, rest, other, endSql)
  return `(select ${value} from ${related.table} ${other} where ${join(conditions, 'and', 'true')})`
}

function countSql(scope: Scope, neighbour: Neighbour, alias: string): string {
  requireReadable(neighbour, scope.caller.roles)
  const related = collectionOf(scope.model, neighbour.collectionId)
  const other = scope.alias()
  const conditions = [joinSql(neighbour.join, alias, other), readFilter(scope, related, other)]
  return `(select count(*)::int4 from ${related.table} ${other} where ${join(conditions, 'and', 'true')})`
}

/** The rows strictly beyond a place: after it, or before it. */
export function beyondSql(
  scope: Scope,
  order: readonly OrderTerm[],
  place: Place,
  alias: string,
  before: boolean,
): string {
  const [only] = order
  if (order.every(({ required, descending }) => required && descending === only?.descending)) {
    // One comparison of rows is what an index on the order can answer.
    const columns = order.map((term) => termSql(scope, term, alias)).join(', ')
    const values = order.map((term, i) => scope.param(operandParam(term, place[i]), itemType(term))).join(', ')
    return `(${columns}) ${only?.descending !== before ? '<' : '>'} (${values})`
  }
  return order.reduceRight((rest, term, i) => {
    const { beyond, same, bound } = beyondTerm(scope, term, place[i] ?? null, alias, before)
    if (rest === '') return beyond
    const either = join([beyond, join([same, rest], 'and', 'true')], 'or', 'false')
    // Only of the first one: it is what an index can begin with.
    return i === 0 ? join([bound, either], 'and', 'true') : either
  }, '')
}

function beyondTerm(scope: Scope, term: OrderTerm, value: Place[number], alias: string, before: boolean) {
  const name = termSql(scope, term, alias)
  const greater = term.descending === before
  const nullsBeyond = !term.required && term.nullsFirst === before
  if (value === null) {
    return { beyond: nullsBeyond ? 'false' : `${name} is not null`, same: `${name} is null`, bound: 'true' }
  }
  const given = scope.param(operandParam(term, value), itemType(term))
  const beyond = greater ? `${name} > ${given}` : `${name} < ${given}`
  return {
    beyond: nullsBeyond ? `${beyond} or ${name} is null` : beyond,
    same: `${name} = ${given}`,
    bound: nullsBeyond ? 'true' : `${name} ${greater ? '>=' : '<='} ${given}`,
  }
}

/** The JSON text of an opaque name of a row's place: what `placeOf` reads. */
export function cursorJson(scope: Scope, order: readonly OrderTerm[], alias: string): string {
  const values = order
    .map((term) => valueJson({ type: term.type, list: false }, termSql(scope, term, alias)))
    .join(` || ',' || `)
  const place = `'[' || ${literal(JSON.stringify(orderText(order)))} || ',' || ${values} || ']'`
  return `('"' || translate(encode(convert_to(${place}, 'UTF8'), 'base64'), E'+/=\\n', '-_') || '"')`
}
