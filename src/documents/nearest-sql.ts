import { beyondEarthSql, boxAroundSql, metresSql } from './metres.ts'
import { type CollectionModel, quote } from './model.ts'
import { indexedDistanceSql } from './operators-vector.ts'
import type { OrderTerm } from './order.ts'
import type { Page } from './page.ts'
import { readsAll } from './permissions.ts'
import type { Scope } from './scope.ts'
import { operandParam } from './values.ts'
import { join, subjectOf } from './where-sql.ts'

type Nearest = Extract<OrderTerm, { kind: 'metres' | 'vector' }>

/**
 * The documents among which those of a page are that is ordered by what is nearest, in the place of the whole table. Null
 * where no index finds them. `matching` is what holds of an alias's rows besides; `mayMiss` says whether the page may do
 * without some that are near. That a table is written in whole below is for when too few are found: it is not read else.
 */
export function nearestSql(
  scope: Scope,
  collection: CollectionModel,
  { order: [term], after, before, backward, offset }: Page,
  limit: number,
  matching: (alias: string) => readonly string[],
  mayMiss: boolean,
): string | null {
  const isNearest = term?.kind === 'metres' || term?.kind === 'vector'
  if (!isNearest || term.descending || term.nullsFirst || after || before || backward || offset !== 0 || limit === 0)
    return null
  if (term.way.length > 0 || !term.column.nearest.includes(term.kind === 'metres' ? 'METRES' : term.measure))
    return null
  if (term.kind === 'metres') return placesSql(scope, collection, term, limit, matching)
  // What such an index finds depends on all that is in it, so also on what a caller may not read.
  return mayMiss && readsAll(collection, scope.caller) ? vectorsSql(scope, collection, term, limit, matching) : null
}

/**
 * The index knows distances on a plane. As many of those that are nearest there are within some metres, and so are the
 * nearest on the earth: in a box around it, which the index knows as well.
 */
function placesSql(
  scope: Scope,
  { table }: CollectionModel,
  { column, from }: Extract<Nearest, { kind: 'metres' }>,
  limit: number,
  matching: (alias: string) => readonly string[],
): string {
  const [near, all] = [scope.alias(), scope.alias()]
  const origin = scope.param(operandParam(column, from), 'point')
  const place = `${near}.${quote(column.name)}`
  const some = `select ${metresSql(place, origin)} as metres from ${table} ${near} where ${join(matching(near), 'and', 'true')} order by ${place} <-> ${origin} limit ${limit}`
  const box = `select case when count(metres) = ${limit} then ${boxAroundSql(origin, 'max(metres)')} end as box from (${some}) n`
  const inside = `${all}.${quote(column.name)} <@ (select box from circle) or ${beyondEarthSql(`${all}.${quote(column.name)}`)}`
  return `(with circle as materialized (${box}) select ${all}.* from ${table} ${all} where ${inside} union all select ${all}.* from ${table} ${all} where (select box from circle) is null)`
}

function vectorsSql(
  scope: Scope,
  { table }: CollectionModel,
  { column, from, measure }: Extract<Nearest, { kind: 'vector' }>,
  limit: number,
  matching: (alias: string) => readonly string[],
): string {
  const row = scope.alias()
  const distance = indexedDistanceSql(subjectOf(scope, column, row), from, measure)
  const near = `select ${row}.* from ${table} ${row} where ${join([...matching(row)], 'and', 'true')} order by ${distance} fetch first ${limit} rows with ties`
  const count = '(select count(*) from near)'
  return `(with near as materialized (${near}) select * from near where ${count} >= ${limit} union all select ${row}.* from ${table} ${row} where ${count} < ${limit})`
}
