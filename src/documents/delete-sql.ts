import { allowed, where } from './insert-sql.ts'
import { imageText } from './json.ts'
import type { CollectionModel } from './model.ts'
import { type Logged, outboxSql } from './outbox-sql.ts'
import { rightFilter } from './permissions.ts'
import { readable } from './update-sql.ts'
import { join } from './where-sql.ts'
import { bulkLimit, type Writing } from './writing.ts'

/** Which rows of `t` are deleted, and only in which version. */
export type Removal = { condition: string; ifVersion: number | null }

/** Locks the rows that are to go, or refuses. */
export function lockSql(writing: Writing, { condition, ifVersion }: Removal): string {
  const { scope, collection, holder } = writing
  const right = rightFilter('delete', collection, holder.write, 't', scope)
  const reasons = [
    ...(right === 'true' ? [] : [`case when (${right}) is not true then 'forbidden' end`]),
    ...(ifVersion === null ? [] : [`case when t."_version" <> ${scope.param(ifVersion, 'int4')} then 'version' end`]),
  ]
  const conditions = join([condition, readable(writing, 't')], 'and', 'true')
  const rows = `select t.* from ${collection.table} t where ${conditions} order by t."_id" limit ${bulkLimit + 1} for update`
  return `select t.* from (${rows}) t ${where(allowed(reasons))}`
}

/** The event of a row `b` that goes. */
function deletedOf(collection: CollectionModel): Logged {
  return { action: 'deleted', id: 'b."_id"', before: imageText(collection, 'b'), after: "'null'", changed: "'[]'" }
}

/** Tells of documents that are locked and about to be deleted. */
export function farewellSql({ scope, collection }: Writing, ids: readonly string[]): string {
  const rows = `from ${collection.table} b where b."_id" = any(${scope.param(ids, 'text[]')}) order by b."_id"`
  return `with logged as (${outboxSql(scope, collection, deletedOf(collection), rows)}) select '[]' as answer`
}

/** Deletes the rows of `before`, which are locked, with their events; answers their ids. */
export function removeSql({ scope, collection }: Writing, before: string): string {
  return `with before as materialized (${before}),
    gone as (delete from ${collection.table} t using before b where t."_id" = b."_id"
      and (select documents.allow(case when count(*) > ${bulkLimit} then 'many' end) from before) returning t."_id"),
    logged as (${outboxSql(scope, collection, deletedOf(collection), 'from before b join gone g on g."_id" = b."_id" order by b."_id"')})
    select to_json(array(select "_id" from gone order by "_id"))::text as answer`
}
