import { totalsSql } from './aggregate-sql.ts'
import { jsonList, jsonObject, literal } from './json.ts'
import { type CollectionModel, collectionOf } from './model.ts'
import { nearestSql } from './nearest-sql.ts'
import { beyondSql, cursorJson, orderSql } from './order-sql.ts'
import type { Page } from './page.ts'
import { readFilter } from './permissions.ts'
import type { ConnectionField, ConnectionPlan, EdgeField, Named, Plan } from './plan.ts'
import { whereSql } from './related-sql.ts'
import type { Scope } from './scope.ts'
import { join } from './where-sql.ts'

/** Columns of a page's rows that no attribute can be called. */
const place = '"#place"'
const total = '"#total"'
const slot = (i: number) => `"#${i}"`

/** The JSON of each row of a list. */
type DocumentSql = (scope: Scope, plan: Plan, alias: string) => string

/** What makes the rows of an alias those of the list, beside its filter. */
type Link = (alias: string) => string[]

/** Of all documents, and may be asked of an index that does not know all that are near. */
export const anyDocument: Link = () => []

/** A list as one JSON value: its rows are chosen first (`page`), then answered (`row`), then gathered. */
export function connectionSql(scope: Scope, connection: ConnectionPlan, link: Link, documentSql: DocumentSql): string {
  const { page, fields } = connection
  const collection = collectionOf(scope.model, connection.collectionId)
  const chosen = scope.alias()
  const row = scope.alias()
  const matching = (alias: string) => [
    ...link(alias),
    readFilter(scope, collection, alias),
    ...(page.where ? [whereSql(scope, page.where, alias)] : []),
  ]
  const beyond = fields.some(asksBounds)
  const columns = rowColumns(scope, connection, row, documentSql)
  const needsPlaces = beyond || page.backward || fields.some(({ kind }) => kind === 'pageInfo')
  const entries = fields.map(
    (field, i) => [field.key, gatherSql(scope, field, slot(i), connection, collection, matching, needsPlaces)] as const,
  )
  if (columns.length === 0 && !beyond) return jsonObject(entries)
  const inside = pageSql(scope, collection, connection, matching, chosen, link)
  if (!needsPlaces) {
    // An aggregate takes rows as they come, and they come in the order of the page.
    const values = columns.map(([name, value]) => `${value} as ${name}`)
    return `(select ${jsonObject(entries)} from (select ${values.join(', ')} from (${inside}) ${row}) p having true)`
  }
  const numbered = `select ${chosen}.*, row_number() over () as ${place}${beyond ? `, count(*) over () as ${total}` : ''} from (${inside}) ${chosen}`
  const answered = columns.map(([name, value]) => {
    return `${beyond ? `case when ${row}.${place} <= ${page.limit} then ${value} end` : value} as ${name}`
  })
  const rows = `select ${[`${row}.${place}`, ...(beyond ? [`${row}.${total}`] : []), ...answered].join(', ')} from (${numbered}) ${row}`
  // One row, though the answer may look at none of the page's.
  return `(select ${jsonObject(entries)} from (${rows}) p having true)`
}

function pageSql(
  scope: Scope,
  collection: CollectionModel,
  { page, fields }: ConnectionPlan,
  matching: Link,
  alias: string,
  link: Link,
): string {
  const limit = page.limit + (fields.some(asksBounds) ? 1 : 0)
  const mayMiss = link === anyDocument && !asksPlaces(fields)
  const near = link(alias).length === 0 ? nearestSql(scope, collection, page, limit, matching, mayMiss) : null
  const conditions = [...matching(alias), ...windowSql(scope, page, alias)]
  const where = join(conditions, 'and', 'true')
  const offset = page.offset !== 0 ? ` offset ${scope.param(page.offset, 'int8')}` : ''
  return `select ${alias}.* from ${near ?? collection.table} ${alias} where ${where} order by ${orderSql(scope, page.order, alias, page.backward)} limit ${limit}${offset}`
}

function windowSql(scope: Scope, { order, after, before }: Page, alias: string): string[] {
  return [
    ...(after ? [beyondSql(scope, order, after, alias, false)] : []),
    ...(before ? [beyondSql(scope, order, before, alias, true)] : []),
  ]
}

/** What is computed for each row of the page: one column for each place in the answer that holds it. */
function rowColumns(
  scope: Scope,
  { fields, page }: ConnectionPlan,
  alias: string,
  documentSql: DocumentSql,
): [string, string][] {
  const nodes = fields.flatMap((field, i): [string, string][] => {
    if (field.kind === 'nodes') return [[slot(i), documentSql(scope, field.plan, alias)]]
    if (field.kind === 'edges') return [[slot(i), edgeSql(scope, field.fields, alias, page, documentSql)]]
    return []
  })
  return asksPlaces(fields) ? [['"#cursor"', cursorJson(scope, page.order, alias)], ...nodes] : nodes
}

function edgeSql(
  scope: Scope,
  fields: readonly EdgeField[],
  alias: string,
  page: Page,
  documentSql: DocumentSql,
): string {
  return jsonObject(
    fields.map((field) => {
      if (field.kind === 'typename') return [field.key, literal(JSON.stringify(field.name))]
      return [
        field.key,
        field.kind === 'cursor' ? cursorJson(scope, page.order, alias) : documentSql(scope, field.plan, alias),
      ]
    }),
  )
}

function gatherSql(
  scope: Scope,
  field: ConnectionField,
  column: string,
  { page, fields }: ConnectionPlan,
  collection: CollectionModel,
  matching: Link,
  needsPlaces: boolean,
): string {
  switch (field.kind) {
    case 'typename':
      return literal(JSON.stringify(field.name))
    case 'totalCount': {
      const alias = scope.alias()
      return `(select count(*)::text from ${collection.table} ${alias} where ${join(matching(alias), 'and', 'true')})`
    }
    case 'aggregate':
      return totalsSql(scope, collection, field.fields, matching)
    case 'pageInfo':
      return pageInfoSql(scope, page, field.fields, collection, matching)
    default: {
      if (!needsPlaces) return jsonList(`p.${column}`)
      const beyond = fields.some(asksBounds)
      const within = beyond ? ` filter (where p.${place} <= ${page.limit})` : ''
      return jsonList(`p.${column}`, `p.${place}${page.backward ? ' desc' : ''}`, within)
    }
  }
}

function asksBounds(field: ConnectionField): boolean {
  return field.kind === 'pageInfo' && field.fields.some(({ name }) => name.startsWith('has'))
}

/** Whether cursors are asked for. */
function asksPlaces(fields: readonly ConnectionField[]): boolean {
  return fields.some((field) => {
    if (field.kind === 'edges') return field.fields.some(({ kind }) => kind === 'cursor')
    return field.kind === 'pageInfo' && field.fields.some(({ name }) => name.endsWith('Cursor'))
  })
}

function pageInfoSql(
  scope: Scope,
  page: Page,
  fields: readonly Named[],
  collection: CollectionModel,
  matching: Link,
): string {
  const nearest = `max(p."#cursor") filter (where p.${place} = 1 and ${page.limit} > 0)`
  const farthest = `(array_agg(p."#cursor" order by p.${place} desc) filter (where p.${place} <= ${page.limit}))[1]`
  const [start, end] = page.backward ? [farthest, nearest] : [nearest, farthest]
  // Only what is asked for is made: PostgreSQL refuses parameters that a statement does not use.
  const values: Readonly<Record<string, () => string>> = {
    hasPreviousPage: () => {
      const skipped =
        page.offset === 0
          ? outsideSql(scope, page, 'after', collection, matching)
          : skippedSql(scope, page, collection, matching)
      return `(${page.backward ? join([moreSql(page), skipped], 'or', 'false') : skipped})::text`
    },
    hasNextPage: () => {
      const beyond = outsideSql(scope, page, 'before', collection, matching)
      return `(${page.backward ? beyond : join([moreSql(page), beyond], 'or', 'false')})::text`
    },
    startCursor: () => `coalesce(${start}, 'null')`,
    endCursor: () => `coalesce(${end}, 'null')`,
    __typename: () => literal('"PageInfo"'),
  }
  return jsonObject(fields.map(({ key, name }) => [key, values[name]?.() ?? "'null'"] as const))
}

/** Whether the rows from which the page was cut go on. */
function moreSql({ limit }: Page): string {
  return `coalesce(max(p.${total}) > ${limit}, false)`
}

/** Whether rows lie on the other side of a cursor. */
function outsideSql(
  scope: Scope,
  page: Page,
  side: 'after' | 'before',
  collection: CollectionModel,
  matching: Link,
): string {
  const place = page[side]
  if (!place) return 'false'
  const alias = scope.alias()
  const not = `(${beyondSql(scope, page.order, place, alias, side === 'before')}) is not true`
  return `exists (select from ${collection.table} ${alias} where ${join([...matching(alias), not], 'and', 'true')})`
}

/** With an offset something lies before the page exactly when there is anything at all. */
function skippedSql(scope: Scope, page: Page, collection: CollectionModel, matching: Link): string {
  const alias = scope.alias()
  const any = `exists (select from ${collection.table} ${alias} where ${join(matching(alias), 'and', 'true')})`
  return `${scope.param(page.offset, 'int8')} > 0 and ${any}`
}
