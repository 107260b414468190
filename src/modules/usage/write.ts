import type { Services } from '../../context.ts'
import type { Counted } from '../../platform/meter.ts'

type Sql = Pick<Services['sql'], 'query'>

/** Rows of numbers, for projects that are there; each belongs to an hour and to a day. Sorted, so that no two writers lock each other out. */
const rowsOf = `
  select n."projectId", n.metric, period.name::"UsagePeriod" as period, date_trunc(period.name, n.at, 'UTC') as at, sum(n.value)::bigint
  from numbers n join projects p on p.id = n."projectId" and p."deletedAt" is null
    cross join (values ('HOUR'), ('DAY')) as period (name)
  group by 1, 2, 3, 4 order by 1, 3, 2, 4`

const into = `insert into usage ("projectId", metric, period, at, value) ${rowsOf}
  on conflict ("projectId", period, metric, at) do update set value =`

const numbersOf = (at: string) => `with numbers as (
  select r."projectId", r.metric, ${at}::timestamptz as at, r.value
  from jsonb_to_recordset($1::jsonb) as r("projectId" text, metric text, value bigint))`

const additions = `${numbersOf('$2')} ${into} usage.value + excluded.value`
const measures = `${numbersOf('$2')} ${into} excluded.value`

/** Adds to what was used. */
export async function addUsage(sql: Sql, counted: readonly Counted[], at: Date): Promise<void> {
  await sql.query(additions, [JSON.stringify(counted), at])
}

/** Says how much there is. */
export async function setUsage(sql: Sql, measured: readonly Counted[], at: Date): Promise<void> {
  await sql.query(measures, [JSON.stringify(measured), at])
}

/** One statement, one transaction: the place in the log moves with what was counted up to there. */
const countEvents = `
  with cursor as (select seq from consumers where name = 'usage' for update),
  last as (select least(c.seq + $1::bigint, h.seq) as seq from cursor c, events.head h where c.seq < h.seq),
  numbers as (
    select l."projectId", l.type as metric, date_trunc('hour', l.at, 'UTC') as at, count(*) as value
    from events.log l, cursor, last where l.seq > cursor.seq and l.seq <= last.seq group by 1, 2, 3),
  written as (${into} usage.value + excluded.value returning 1),
  moved as (update consumers c set seq = last.seq, at = now() from last where c.name = 'usage' returning 1)
  select "projectId", metric, sum(value)::int as value, (select count(*) from written)::int as written,
    (select count(*) from moved)::int as moved
  from numbers group by 1, 2`

/** Counts the next events of the log, each once, whoever tries how often. Answers them; null when there are none. */
export async function countLog(sql: Sql, most: number): Promise<Counted[] | null> {
  await sql.query(`insert into consumers (name, seq) values ('usage', 0) on conflict do nothing`)
  const { rows } = await sql.query<Counted>(countEvents, [most])
  return rows.length === 0 ? null : rows.map(({ projectId, metric, value }) => ({ projectId, metric, value }))
}
