/** Answers all documents of a collection, page by page, as they were at one moment. */
import type { Context } from '../context.ts'
import { columnJson, jsonList, jsonObject, jsonText, literal } from './json.ts'
import { type CollectionModel, type Neighbour, type ProjectModel, quote } from './model.ts'
import { holderOf } from './permissions.ts'
import { whereSql } from './related-sql.ts'
import { openScope } from './scope.ts'
import { type Sealed, unseal } from './sealed.ts'
import { parseWhere } from './where.ts'
import { join } from './where-sql.ts'

export type Export = {
  /** Only what matches; everything, if null. */
  where: unknown
  /** Only what comes behind this id. */
  after: string | null
}

const pageBytes = 1_000_000
const firstPage = 50
const largestPage = 2_000

/** Yields pages of lines, each the JSON of one document, in the order of ids: whoever has some goes on behind the last. */
export async function* exportPages(
  ctx: Context,
  model: ProjectModel,
  collection: CollectionModel,
  { where, after }: Export,
): AsyncGenerator<string> {
  const scope = openScope(model, holderOf(ctx).read)
  const condition = where === null ? null : parseWhere(model, collection, where, ['where'])
  const matching = condition ? whereSql(scope, condition, 't') : 'true'
  const bound = scope.bound()
  const [last, limit] = [`$${bound.length + 1}::text`, `$${bound.length + 2}::int`]
  const text = `select t."_id" as id, ${lineSql(collection)} as line from ${collection.table} t
    where ${join([matching, `t."_id" > ${last}`], 'and', 'true')} order by t."_id" limit ${limit}`
  const open = opener(ctx, collection)
  const client = await ctx.sql.connect()
  let broken: Error | undefined
  try {
    await client.query('begin isolation level repeatable read read only')
    let id = after ?? ''
    for (let size = firstPage; ; ) {
      const { rows } = await client.query<{ id: string; line: string }>(text, [...bound, id, size])
      if (rows.length === 0) break
      const page = `${rows.map(({ line }) => open(line)).join('\n')}\n`
      yield page
      id = rows.at(-1)?.id ?? ''
      if (rows.length < size) break
      size = Math.max(1, Math.min(largestPage, Math.floor(pageBytes / (page.length / rows.length))))
    }
  } catch (error) {
    broken = error as Error
    throw error
  } finally {
    if (!broken) await client.query('commit').catch((error) => (broken = error))
    client.release(broken)
  }
}

/** The fields of each line, in order. */
export function exportedFields(collection: CollectionModel): string[] {
  return entriesOf(collection).map(([key]) => key)
}

function lineSql(collection: CollectionModel): string {
  return jsonObject(entriesOf(collection))
}

function entriesOf(collection: CollectionModel): (readonly [string, string])[] {
  const { columns, neighbours, documentPermissions } = collection
  const own = [...columns.values()].map((column) => [column.key, columnJson(column, 't')] as const)
  const keys = [...neighbours.values()].flatMap((neighbour) => {
    const sql = neighbour.own ? keySql(neighbour) : null
    return sql === null ? [] : [[neighbour.key, sql] as const]
  })
  const granted = documentPermissions ? [['permissions', grantsSql] as const] : []
  return [...own, ...keys, ...granted]
}

function keySql({ join: way }: Neighbour): string | null {
  if (way.kind === 'to') return jsonText(`t.${quote(way.column)}`)
  if (way.kind !== 'link') return null
  const theirs = `l.${quote(way.theirs)}`
  return `(select ${jsonList(`to_json(${theirs})::text`, theirs)} from ${way.table} l where l.${quote(way.mine)} = t."_id")`
}

const granted = ['read', 'update', 'delete'].map(
  (right, i) => `select ${i} as place, ${literal(right.toUpperCase())} as "right", unnest(t."_${right}") as role`,
)
const grant = jsonObject([
  ['right', jsonText('p."right"')],
  ['role', jsonText('p.role')],
])
const grantsSql = `(select ${jsonList(grant, 'p.place, p.role collate "C"')} from (${granted.join(' union all ')}) p)`

/** Puts what is encrypted into lines as it is. */
function opener(ctx: Context, { columns }: CollectionModel): (line: string) => string {
  const encrypted = [...columns.values()].filter((column) => column.encrypted)
  if (encrypted.length === 0) return (line) => line
  return (line) => {
    const values = JSON.parse(line)
    for (const { key, attributeId } of encrypted) {
      const sealed = values[key] as Sealed | null
      if (sealed) values[key] = unseal(ctx, attributeId ?? '', sealed)
    }
    return JSON.stringify(values)
  }
}
