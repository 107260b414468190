import { connectionSql } from './connection-sql.ts'
import { columnJson, jsonList, jsonObject, jsonText, literal } from './json.ts'
import { collectionOf } from './model.ts'
import { mayUse, readFilter } from './permissions.ts'
import type { Field, Named, Plan } from './plan.ts'
import { joinSql } from './related-sql.ts'
import type { Scope } from './scope.ts'
import { join } from './where-sql.ts'

/** The JSON of a row, as `plan` asks for it. */
export function documentSql(scope: Scope, plan: Plan, alias: string): string {
  return jsonObject(plan.fields.map((field) => [field.key, fieldSql(scope, field, alias)] as const))
}

function fieldSql(scope: Scope, field: Field, alias: string): string {
  switch (field.kind) {
    case 'typename':
      return literal(JSON.stringify(field.name))
    case 'column':
      return mayUse(field.column.rights, 'read', scope.caller.roles) ? columnJson(field.column, alias) : "'null'"
    case 'permissions':
      return permissionsSql(field.fields, alias)
    case 'one':
      return oneSql(scope, field, alias)
    case 'many':
      return manySql(scope, field, alias)
  }
}

/** A document that the caller may not read answers null, as one that is not set. */
function oneSql(scope: Scope, { neighbour, plan }: Extract<Field, { kind: 'one' }>, alias: string): string {
  if (!mayUse(neighbour.rights, 'read', scope.caller.roles)) return "'null'"
  const collection = collectionOf(scope.model, plan.collectionId)
  const other = scope.alias()
  const conditions = [joinSql(neighbour.join, alias, other), readFilter(scope, collection, other)]
  return `coalesce((select ${documentSql(scope, plan, other)} from ${collection.table} ${other} where ${join(conditions, 'and', 'true')}), 'null')`
}

function manySql(scope: Scope, { neighbour, connection }: Extract<Field, { kind: 'many' }>, alias: string): string {
  const isReadable = mayUse(neighbour.rights, 'read', scope.caller.roles)
  return connectionSql(
    scope,
    connection,
    (other) => (isReadable ? [joinSql(neighbour.join, alias, other)] : ['false']),
    documentSql,
  )
}

function permissionsSql(fields: readonly Named[], alias: string): string {
  const rights = ['read', 'update', 'delete'].map(
    (right, i) =>
      `select ${i} as place, ${literal(right.toUpperCase())} as "right", unnest(${alias}."_${right}") as role`,
  )
  const values: Readonly<Record<string, string>> = {
    right: jsonText('p."right"'),
    role: jsonText('p.role'),
    __typename: literal('"Permission"'),
  }
  const entries = fields.map(({ key, name }) => [key, values[name] ?? "'null'"] as const)
  return `(select ${jsonList(jsonObject(entries), 'p.place, p.role collate "C"')} from (${rights.join(' union all ')}) p)`
}
