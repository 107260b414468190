import {
  type AggregateField,
  type AggregatePlan,
  type Facet,
  type Group,
  type Having,
  type Measured,
  typedOf,
} from './aggregate.ts'
import { directionSql } from './directions.ts'
import { jsonList, jsonObject, literal, valueJson } from './json.ts'
import { type CollectionModel, collectionOf, quote } from './model.ts'
import { readFilter } from './permissions.ts'
import { requireReadable } from './readable.ts'
import { joinSql, whereSql } from './related-sql.ts'
import type { Scope } from './scope.ts'
import { join } from './where-sql.ts'

/** The groups of the documents that the caller may read, as one JSON list. */
export function aggregateSql(scope: Scope, plan: AggregatePlan): string {
  const collection = collectionOf(scope.model, plan.collectionId)
  const [row, source, page] = [scope.alias(), scope.alias(), scope.alias()]
  const conditions = [readFilter(scope, collection, row), ...(plan.where ? [whereSql(scope, plan.where, row)] : [])]
  const keys = plan.groups.map((group, i) => `${groupSql(scope, group, row)} as ${keyName(i)}`)
  const rows = `select ${[`${row}.*`, ...keys].join(', ')} from ${collection.table} ${row} where ${join(conditions, 'and', 'true')}`
  const order = plan.order.map((term) => `${measuredSql(scope, term.measured, source)} ${directionSql(term)}`)
  const clauses = [
    ...(keys.length > 0 ? [`group by ${keys.map((_, i) => `${source}.${keyName(i)}`).join(', ')}`] : []),
    `having ${plan.having ? havingSql(scope, plan, plan.having, source) : 'true'}`,
    ...(order.length > 0 ? [`order by ${order.join(', ')}`] : []),
    `limit ${plan.limit}`,
    ...(plan.offset !== 0 ? [`offset ${scope.param(plan.offset, 'int8')}`] : []),
  ]
  const place = order.length > 0 ? `row_number() over (order by ${order.join(', ')})` : '1'
  const answer = objectSql(scope, plan.fields, source)
  return `(select ${jsonList(`${page}.answer`, `${page}.place`)} from (select ${answer} as answer, ${place} as place from (${rows}) ${source} ${clauses.join(' ')}) ${page})`
}

function havingSql(scope: Scope, plan: AggregatePlan, having: Having, source: string): string {
  const inside = (one: Having) => havingSql(scope, plan, one, source)
  switch (having.kind) {
    case 'all':
      return join(having.of.map(inside), 'and', 'true')
    case 'some':
      return join(having.of.map(inside), 'or', 'false')
    case 'not':
      return `(${inside(having.of)}) is not true`
    case 'compare': {
      const { measured, operator, value } = having
      const column = typedOf(measured, plan.groups)
      return operator.sql({ param: scope.param, column, name: measuredSql(scope, measured, source) }, value)
    }
  }
}

/** What is computed of all rows of a collection that match, as one JSON object. */
export function totalsSql(
  scope: Scope,
  { table }: CollectionModel,
  fields: readonly AggregateField[],
  matching: (alias: string) => string[],
): string {
  const [row, source] = [scope.alias(), scope.alias()]
  const rows = `select ${row}.* from ${table} ${row} where ${join(matching(row), 'and', 'true')}`
  // One row, though nothing may be computed in it.
  return `(select ${objectSql(scope, fields, source)} from (${rows}) ${source} having true)`
}

const keyName = (place: number) => `"#${place}"`

function objectSql(scope: Scope, fields: readonly AggregateField[], source: string): string {
  return jsonObject(
    fields.map((field) => {
      if (field.kind === 'typename') return [field.key, literal(JSON.stringify(field.name))] as const
      if (field.kind === 'null') return [field.key, "'null'"] as const
      if (field.kind === 'object') return [field.key, objectSql(scope, field.fields, source)] as const
      const { measured } = field
      return [field.key, valueJson({ type: measured.type, list: false }, measuredSql(scope, measured, source))] as const
    }),
  )
}

/** What is computed of a group. Whoever may not read a field is refused what is computed of it. */
function measuredSql(scope: Scope, measured: Measured, source: string): string {
  if (measured.of === 'count') return 'count(*)'
  if (measured.of === 'key') return `${source}.${keyName(measured.place)}`
  const value = facetSql(scope, measured.facet, source)
  switch (measured.of) {
    case 'countDistinct':
      return `count(distinct ${value})`
    case 'avg':
      return measured.type === 'FLOAT' ? `avg(${added(measured.facet, value)})::float8` : `trim_scale(avg(${value}))`
    case 'sum':
      return `sum(${added(measured.facet, value)})`
    default:
      return `${measured.of}(${value})`
  }
}

/** The sum of floats depends on their order: without one of their own, on where rows lie that the caller may not even read. */
function added(facet: Facet, value: string): string {
  return facet.kind === 'column' && facet.column.type === 'FLOAT' ? `${value} order by ${value}` : value
}

/** A relation leads nowhere where the caller may not read what it points at. */
function facetSql(scope: Scope, facet: Facet, alias: string): string {
  const { roles } = scope.caller
  if (facet.kind === 'column') {
    requireReadable(facet.column, roles)
    return `${alias}.${quote(facet.column.name)}`
  }
  requireReadable(facet.neighbour, roles)
  const related = collectionOf(scope.model, facet.neighbour.collectionId)
  const other = scope.alias()
  const conditions = [joinSql(facet.neighbour.join, alias, other), readFilter(scope, related, other)]
  return `(select ${other}."_id" from ${related.table} ${other} where ${join(conditions, 'and', 'true')})`
}

/** Periods begin in UTC, weeks on Monday. */
function groupSql(scope: Scope, { facet, each }: Group, alias: string): string {
  const value = facetSql(scope, facet, alias)
  if (each === 'VALUE') return value
  const unit = literal(each.toLowerCase())
  if (facet.type === 'DATE') return `date_trunc(${unit}, ${value}::timestamp)::date`
  return `date_trunc(${unit}, ${value} at time zone 'UTC') at time zone 'UTC'`
}
