import type { World } from './world.ts'

/** Every row of every table, as text. How far the readers of the log have come, what is counted, and the queue, move by themselves. */
export async function dump({ app: { sql } }: Pick<World, 'app'>): Promise<Map<string, string>> {
  const { rows } = await sql.query<{ name: string }>(
    `select format('%I.%I', schemaname, tablename) as name from pg_tables
     where schemaname not in ('pg_catalog', 'information_schema') and tablename not in ('account_attempts', 'consumers', 'job_attempts', 'job_runs', 'usage') and tablename not like 'agenda%'`,
  )
  const parts = rows.map(
    ({ name }) =>
      `select '${name}' as name, coalesce(string_agg(t::text, E'\\n' order by t::text), '') as text from ${name} t`,
  )
  const tables = await sql.query<{ name: string; text: string }>(parts.join(' union all '))
  return new Map(tables.rows.map(({ name, text }) => [name, text]))
}

/** The tables in which something has changed between two of them. */
export function changed(before: ReadonlyMap<string, string>, after: ReadonlyMap<string, string>): string[] {
  return [...after].flatMap(([table, text]) => (before.get(table) === text ? [] : [table]))
}
