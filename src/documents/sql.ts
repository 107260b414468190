import type { AggregateRoot } from './aggregate.ts'
import { aggregateSql } from './aggregate-sql.ts'
import { limitedSql } from './answer-size.ts'
import { anyDocument, connectionSql } from './connection-sql.ts'
import { documentSql } from './document-sql.ts'
import { rowOfImage } from './json.ts'
import { type Keeping, keepingOf } from './keeping.ts'
import { collectionOf, type ProjectModel } from './model.ts'
import { readFilter } from './permissions.ts'
import type { ConnectionPlan, Plan } from './plan.ts'
import { type Caller, openScope, type Scope } from './scope.ts'
import { join } from './where-sql.ts'

/** Where a root field's rows come from: a table by id, a list, or a row that the caller has before him already. */
export type Root =
  | { kind: 'document'; plan: Plan; id: unknown }
  | { kind: 'connection'; connection: ConnectionPlan }
  | { kind: 'image'; plan: Plan; image: object }
  | AggregateRoot

/** Its values may be deferred: `bind` gives those of one request. */
export type Statement = { text: string; values: readonly unknown[] }

/** One that reads, and how its answers may be kept: null for not at all. */
export type Reading = Statement & { keeping: Keeping | null }

/**
 * One statement for a root field, whatever its depth. Its one column `answer` is the text of the field's JSON, by response
 * keys; its one row is missing where there is no such document. Every table in it is read through `readFilter`.
 */
export function compile(model: ProjectModel, caller: Caller, root: Root): Reading {
  const scope = openScope(model, caller)
  const text = limitedSql(rootSql(scope, root))
  return { text, values: scope.values, keeping: root.kind === 'image' ? null : keepingOf(scope, text) }
}

/** Whether PostgreSQL makes the whole answer: what is encrypted it cannot open. */
export function isWhole(root: Root): boolean {
  if (root.kind === 'aggregate') return true
  return root.kind === 'connection' ? isWholeList(root.connection) : isWholeDocument(root.plan)
}

export function isWholeDocument({ fields }: Plan): boolean {
  return fields.every((field) => {
    if (field.kind === 'column') return !field.column.encrypted
    if (field.kind === 'one') return isWholeDocument(field.plan)
    return field.kind !== 'many' || isWholeList(field.connection)
  })
}

function isWholeList({ fields }: ConnectionPlan): boolean {
  return fields.every((field) => {
    if (field.kind === 'nodes') return isWholeDocument(field.plan)
    return field.kind !== 'edges' || field.fields.every((edge) => edge.kind !== 'node' || isWholeDocument(edge.plan))
  })
}

function rootSql(scope: Scope, root: Root): string {
  if (root.kind === 'aggregate') return `select ${aggregateSql(scope, root.aggregate)} as answer`
  if (root.kind === 'connection')
    return `select ${connectionSql(scope, root.connection, anyDocument, documentSql)} as answer`
  const collection = collectionOf(scope.model, root.plan.collectionId)
  const alias = scope.alias()
  const answer = `select ${documentSql(scope, root.plan, alias)} as answer from`
  if (root.kind === 'image') {
    const image = `(select ${scope.param(JSON.stringify(root.image), 'jsonb')} as image)`
    return `${answer} (${rowOfImage(collection, 'logged.image')} from ${image} logged) ${alias}`
  }
  const conditions = [`${alias}."_id" = ${scope.param(root.id, 'text')}`, readFilter(scope, collection, alias)]
  return `${answer} ${collection.table} ${alias} where ${join(conditions, 'and', 'true')}`
}
