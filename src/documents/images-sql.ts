import { limitedSql } from './answer-size.ts'
import { documentSql } from './document-sql.ts'
import { rowOfImage } from './json.ts'
import { collectionOf, type ProjectModel } from './model.ts'
import { collectParams } from './param.ts'
import type { Plan } from './plan.ts'
import { type Caller, openScope, type Scope } from './scope.ts'
import { bind, type Deferred, isDeferred } from './slots.ts'

/** One statement about many logged rows, each read by the rights of some caller. */
export type ImagesStatement = {
  text: string
  /** The same for all who share the statement; its first is what is asked. */
  values: readonly unknown[]
  /** What of a caller it needs, as text. */
  brought: readonly Deferred[]
}

/**
 * Reads rows as `plan` asks for them, of callers for whom the same rights decide. What else they bring, their roles and
 * their id, comes with each row. Its one value is a JSON list of texts, each the JSON of a row.
 */
export function compileImages(model: ProjectModel, caller: Caller, plan: Plan): ImagesStatement {
  const collection = collectionOf(model, plan.collectionId)
  const { param, values } = collectParams()
  const asked = param(null, 'jsonb')
  const brought: Deferred[] = []
  const place = (value: unknown, type: string) => {
    if (!isDeferred(value)) return param(value, type)
    const known = brought.indexOf(value)
    return `asked.v${known < 0 ? brought.push(value) - 1 : known}::${type}`
  }
  const scope: Scope = { ...openScope(model, caller), param: place }
  const alias = scope.alias()
  const answer = documentSql(scope, plan, alias)
  const columns = ['place int', 'image jsonb', ...brought.map((_value, i) => `v${i} text`)].join(', ')
  const rows = `jsonb_to_recordset(${asked}) as asked (${columns})`
  const image = `cross join lateral (${rowOfImage(collection, 'asked.image')}) ${alias}`
  const text = limitedSql(
    `select coalesce(json_agg(read.answer order by read.place), '[]')::text as answer from (select asked.place, ${answer} as answer from ${rows} ${image}) read`,
  )
  return { text, values, brought }
}

/** What a caller brings to such a statement: equal texts, equal answers about one row. */
export function broughtBy({ brought }: ImagesStatement, { roles, userId }: Caller): (string | null)[] {
  return bind(brought, { variables: {}, roles: roles ?? [], userId }).map(asText)
}

function asText(value: unknown): string | null {
  if (Array.isArray(value)) return `{${value.map((item) => JSON.stringify(item)).join(',')}}`
  return value === null || value === undefined ? null : String(value)
}
