import type { Pool } from 'pg'
import type { Filled } from './fill.ts'

/** Comments by which PostGraphile calls the tables and columns as the project's own API does. */
export async function tagTables(sql: Pool, { projectId, ids }: Filled): Promise<void> {
  for (const [name, id] of Object.entries(ids)) {
    const table = `"${projectId}"."${id}"`
    // Ours and raw always give the id; PostGraphile would ask its caller for it.
    await sql.query(`alter table ${table} alter column "_id" set default 'doc_' || gen_random_uuid()`)
    await sql.query(`comment on table ${table} is '@name ${name}'`)
    const { rows } = await sql.query<{ name: string }>(
      'select column_name as name from information_schema.columns where table_schema = $1 and table_name = $2',
      [projectId, id],
    )
    for (const { name: column } of rows) {
      await sql.query(`comment on column ${table}."${column}" is '${tagsOf(column)}'`)
    }
    const { rows: keys } = await sql.query<{ name: string; column: string }>(
      `select k.conname as name, a.attname as column from pg_constraint k
       join pg_attribute a on a.attrelid = k.conrelid and a.attnum = k.conkey[1]
       where k.contype = 'f' and k.conrelid = $1::regclass`,
      [table],
    )
    for (const { name: key, column } of keys) {
      await sql.query(`comment on column ${table}."${column}" is '@name ${column}Id'`)
      await sql.query(
        `comment on constraint "${key}" on ${table} is E'@fieldName ${column}\\n@foreignFieldName ${name}'`,
      )
    }
  }
}

function tagsOf(column: string): string {
  if (column === '_id') return '@name rowId'
  return column.startsWith('_') ? '@behavior -*' : '@behavior +orderBy +filterBy'
}
