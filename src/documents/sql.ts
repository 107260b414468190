import { Unavailable } from '../errors.ts'
import { columnSql, jsonObject, literal } from './json.ts'
import { type CollectionModel, type ProjectModel, quote } from './model.ts'
import { beyondSql, cursorSql, orderSql } from './order-sql.ts'
import type { Page } from './page.ts'
import { type Roles, readFilter } from './permissions.ts'
import type { ConnectionField, ConnectionPlan, EdgeField, Field, Plan } from './plan.ts'
import { openScope, type Scope } from './scope.ts'
import { join, whereSql } from './where-sql.ts'

/** Where a root field's rows come from: a table by id, a list, or a row that the caller has before him already. */
export type Root =
  | { kind: 'document'; plan: Plan; id: string }
  | { kind: 'connection'; connection: ConnectionPlan }
  | { kind: 'image'; plan: Plan; image: object }

export type Statement = { text: string; values: unknown[] }

/**
 * One statement for a root field, whatever its depth. Its one column `answer` is the JSON that the field's resolvers
 * expect, its one row is missing where there is no such document. Every table in it is read through `readFilter`.
 */
export function compile(model: ProjectModel, roles: Roles, root: Root): Statement {
  const scope = openScope(model, roles)
  const text = rootSql(scope, root)
  return { text, values: scope.values }
}

function rootSql(scope: Scope, root: Root): string {
  if (root.kind === 'connection') return `select ${connectionSql(scope, root.connection, [])} as answer`
  const collection = collectionOf(scope, root.plan.collectionId)
  const alias = scope.alias()
  if (root.kind === 'image') {
    const row = `jsonb_populate_record(null::${collection.table}, ${scope.param(JSON.stringify(root.image), 'jsonb')})`
    return `select ${documentSql(scope, root.plan, alias)} as answer from ${row} ${alias}`
  }
  const conditions = [
    `${alias}."_id" = ${scope.param(root.id, 'text')}`,
    readFilter(collection, scope.roles, alias, scope.param),
  ]
  return `select ${documentSql(scope, root.plan, alias)} as answer from ${collection.table} ${alias} where ${join(conditions, 'and', 'true')}`
}

function collectionOf(scope: Scope, id: string): CollectionModel {
  const collection = scope.model.collections.get(id)
  // A live subscription may have been planned on an older revision.
  if (!collection) throw new Unavailable('The schema of this project has changed. Ask anew.')
  return collection
}

function documentSql(scope: Scope, plan: Plan, alias: string): string {
  return jsonObject(plan.fields.map((field) => [field.key, fieldSql(scope, field, alias)] as const))
}

function fieldSql(scope: Scope, field: Field, alias: string): string {
  switch (field.kind) {
    case 'typename':
      return literal(field.name)
    case 'column':
      return columnSql(field.column, alias)
    case 'permissions':
      return permissionsSql(alias)
    case 'one':
      return oneSql(scope, field.plan, `${alias}.${quote(field.relation.key)}`)
    case 'many':
      return connectionSql(scope, field.connection, [{ column: field.reverse.column, equals: `${alias}."_id"` }])
  }
}

function permissionsSql(alias: string): string {
  const rights = ['read', 'update', 'delete'].map(
    (right, i) =>
      `select ${i} as place, ${literal(right.toUpperCase())} as "right", unnest(${alias}."_${right}") as role`,
  )
  return `(select coalesce(json_agg(json_build_object('right', p."right", 'role', p.role) order by p.place, p.role collate "C"), '[]') from (${rights.join(' union all ')}) p)`
}

/** A document that the caller may not read answers null, as one that is not set. */
function oneSql(scope: Scope, plan: Plan, key: string): string {
  const collection = collectionOf(scope, plan.collectionId)
  const alias = scope.alias()
  const conditions = [`${alias}."_id" = ${key}`, readFilter(collection, scope.roles, alias, scope.param)]
  return `(select ${documentSql(scope, plan, alias)} from ${collection.table} ${alias} where ${join(conditions, 'and', 'true')})`
}

/** Columns of a page's rows that no attribute can be called. */
const place = '"#place"'
const total = '"#total"'
const slot = (i: number) => `"#${i}"`

type Link = { column: string; equals: string }

/** A list as one JSON value: its rows are chosen first (`page`), then answered (`row`), then gathered. */
function connectionSql(scope: Scope, connection: ConnectionPlan, links: readonly Link[]): string {
  const { page, fields } = connection
  const collection = collectionOf(scope, connection.collectionId)
  const chosen = scope.alias()
  const row = scope.alias()
  const matching = (alias: string) => matchingSql(scope, collection, page, links, alias)
  const beyond = fields.some((field) => field.kind === 'pageInfo' && field.bounds)
  const columns = rowColumns(scope, connection, row)
  const entries = fields.map(
    (field, i) => [field.key, gatherSql(scope, field, slot(i), connection, collection, matching)] as const,
  )
  if (columns.length === 0 && !beyond) return jsonObject(entries)
  const inside = pageSql(scope, collection, page, matching, chosen, beyond)
  const numbered = `select ${chosen}.*, row_number() over () as ${place}${beyond ? `, count(*) over () as ${total}` : ''} from (${inside}) ${chosen}`
  const answered = columns.map(([name, value]) => {
    return `${beyond ? `case when ${row}.${place} <= ${page.limit} then ${value} end` : value} as ${name}`
  })
  const rows = `select ${[`${row}.${place}`, ...(beyond ? [`${row}.${total}`] : []), ...answered].join(', ')} from (${numbered}) ${row}`
  return `(select ${jsonObject(entries)} from (${rows}) p)`
}

function matchingSql(
  scope: Scope,
  collection: CollectionModel,
  { where }: Page,
  links: readonly Link[],
  alias: string,
): string[] {
  return [
    ...links.map(({ column, equals }) => `${alias}.${quote(column)} = ${equals}`),
    readFilter(collection, scope.roles, alias, scope.param),
    ...(where ? [whereSql(scope, where, alias)] : []),
  ]
}

type Matching = (alias: string) => string[]

function pageSql(
  scope: Scope,
  collection: CollectionModel,
  page: Page,
  matching: Matching,
  alias: string,
  beyond: boolean,
): string {
  const conditions = [...matching(alias), ...windowSql(scope, page, alias)]
  const where = join(conditions, 'and', 'true')
  const offset = page.offset > 0 ? ` offset ${scope.param(page.offset, 'int8')}` : ''
  const limit = page.limit + (beyond ? 1 : 0)
  return `select ${alias}.* from ${collection.table} ${alias} where ${where} order by ${orderSql(page.order, alias, page.backward)} limit ${limit}${offset}`
}

function windowSql(scope: Scope, { order, after, before }: Page, alias: string): string[] {
  return [
    ...(after ? [beyondSql(scope, order, after, alias, false)] : []),
    ...(before ? [beyondSql(scope, order, before, alias, true)] : []),
  ]
}

/** What is computed for each row of the page: one column for each place in the answer that holds it. */
function rowColumns(scope: Scope, { fields, page }: ConnectionPlan, alias: string): [string, string][] {
  const needsCursor = fields.some((field) =>
    field.kind === 'edges'
      ? field.fields.some(({ kind }) => kind === 'cursor')
      : field.kind === 'pageInfo' && field.cursors,
  )
  const nodes = fields.flatMap((field, i): [string, string][] => {
    if (field.kind === 'nodes') return [[slot(i), documentSql(scope, field.plan, alias)]]
    if (field.kind === 'edges') return [[slot(i), edgeSql(scope, field.fields, alias, page)]]
    return []
  })
  return needsCursor ? [['"#cursor"', cursorSql(page.order, alias)], ...nodes] : nodes
}

function edgeSql(scope: Scope, fields: readonly EdgeField[], alias: string, page: Page): string {
  return jsonObject(
    fields.map((field) => {
      if (field.kind === 'typename') return [field.key, literal(field.name)]
      return [field.key, field.kind === 'cursor' ? cursorSql(page.order, alias) : documentSql(scope, field.plan, alias)]
    }),
  )
}

function gatherSql(
  scope: Scope,
  field: ConnectionField,
  column: string,
  { page, fields }: ConnectionPlan,
  collection: CollectionModel,
  matching: Matching,
): string {
  switch (field.kind) {
    case 'typename':
      return literal(field.name)
    case 'totalCount': {
      const alias = scope.alias()
      return `(select count(*) from ${collection.table} ${alias} where ${join(matching(alias), 'and', 'true')})`
    }
    case 'pageInfo':
      return pageInfoSql(scope, page, field, collection, matching)
    default: {
      const beyond = fields.some((one) => one.kind === 'pageInfo' && one.bounds)
      const within = beyond ? ` filter (where p.${place} <= ${page.limit})` : ''
      return `coalesce(json_agg(p.${column} order by p.${place}${page.backward ? ' desc' : ''})${within}, '[]')`
    }
  }
}

function pageInfoSql(
  scope: Scope,
  page: Page,
  field: { bounds: boolean; cursors: boolean },
  collection: CollectionModel,
  matching: Matching,
): string {
  const [near, far] = field.bounds ? boundsSql(scope, page, collection, matching) : ['false', 'false']
  const nearest = field.cursors ? `max(p."#cursor") filter (where p.${place} = 1 and ${page.limit} > 0)` : 'null'
  const farthest = field.cursors
    ? `(array_agg(p."#cursor" order by p.${place} desc) filter (where p.${place} <= ${page.limit}))[1]`
    : 'null'
  const sides = page.backward ? ([far, near, farthest, nearest] as const) : ([near, far, nearest, farthest] as const)
  const names = ['hasPreviousPage', 'hasNextPage', 'startCursor', 'endCursor']
  return jsonObject(names.map((name, i) => [name, sides[i] ?? 'null'] as const))
}

/** Whether rows lie on the side where the page begins, and beyond its end. */
function boundsSql(scope: Scope, page: Page, collection: CollectionModel, matching: Matching): [string, string] {
  const outside = (place: Page['after'], before: boolean) => {
    if (!place) return 'false'
    const alias = scope.alias()
    const not = `(${beyondSql(scope, page.order, place, alias, before)}) is not true`
    return `exists (select from ${collection.table} ${alias} where ${join([...matching(alias), not], 'and', 'true')})`
  }
  const after = page.offset > 0 ? skippedSql(scope, collection, matching) : outside(page.after, false)
  const before = outside(page.before, true)
  const more = `coalesce(max(p.${total}) > ${page.limit}, false)`
  return page.backward ? [before, join([more, after], 'or', 'false')] : [after, join([more, before], 'or', 'false')]
}

/** With an offset something lies before the page exactly when there is anything at all. */
function skippedSql(scope: Scope, collection: CollectionModel, matching: Matching): string {
  const alias = scope.alias()
  return `exists (select from ${collection.table} ${alias} where ${join(matching(alias), 'and', 'true')})`
}
