import type { Pool } from 'pg'
import { qualified } from '../../src/modules/collections/tables.ts'
import { stocks } from '../../src/modules/usage/metrics.ts'
import { setUsage } from '../../src/modules/usage/write.ts'
import type { Counted } from '../../src/platform/meter.ts'
import type { Run } from '../implement.ts'

const projectsAtOnce = 50
/** A table of up to so many bytes is counted; of a larger one PostgreSQL's own estimate is good enough. */
const countedBytes = 8_000_000

/** Looks how much there is in each project where something happened since it was last looked at. */
export async function measureStocks({ sql, statsd, clock, signal }: Pick<Run, 'sql' | 'statsd' | 'clock' | 'signal'>) {
  const moved = await movedProjects(sql)
  for (let i = 0; i < moved.length; i += projectsAtOnce) {
    signal.throwIfAborted()
    const ids = moved.slice(i, i + projectsAtOnce)
    const measured = [...(await countNouns(sql, ids)), ...(await measureDocuments(sql, ids))]
    await setUsage(sql, measured, clock())
    statsd.set(measured)
  }
}

/** What was looked at within an hour is looked at again in that hour, for it may have moved since. */
async function movedProjects(sql: Pool): Promise<string[]> {
  const { rows } = await sql.query<{ id: string }>(
    `select p.id from projects p join events.project_heads h on h."projectId" = p.id
     where p."deletedAt" is null and h."movedAt" >= coalesce(
       (select max(u.at) from usage u where u."projectId" = p.id and u.period = 'HOUR' and u.metric = 'storage.bytes'), 'epoch')
     order by p.id`,
  )
  return rows.map(({ id }) => id)
}

async function countNouns(sql: Pool, ids: readonly string[]): Promise<Counted[]> {
  const counts = Object.entries(stocks).map(
    ([noun, table]) =>
      `select p.id as "projectId", '${noun}.stored' as metric, (select count(*)::int from ${table} t where t."projectId" = p.id) as value
       from unnest($1::text[]) as p (id)`,
  )
  return (await sql.query<Counted>(counts.join(' union all '), [ids])).rows
}

type Table = { projectId: string; name: string; bytes: string; heap: string; estimate: number }

async function measureDocuments(sql: Pool, ids: readonly string[]): Promise<Counted[]> {
  const { rows: tables } = await sql.query<Table>(
    `select n.nspname as "projectId", c.relname as name, pg_total_relation_size(c.oid) as bytes, pg_relation_size(c.oid) as heap,
       greatest(c.reltuples, 0) * pg_relation_size(c.oid) / current_setting('block_size')::int / greatest(c.relpages, 1) as estimate
     from pg_class c join pg_namespace n on n.oid = c.relnamespace where n.nspname = any($1) and c.relkind = 'r'`,
    [ids],
  )
  const stored = new Map(ids.map((id) => [id, 0]))
  const bytes = new Map(ids.map((id) => [id, 0]))
  for (const table of tables) {
    bytes.set(table.projectId, (bytes.get(table.projectId) ?? 0) + Number(table.bytes))
    if (!table.name.startsWith('col_')) continue
    stored.set(table.projectId, (stored.get(table.projectId) ?? 0) + (await countDocuments(sql, table)))
  }
  const measured = (metric: string, values: Map<string, number>) =>
    [...values].map(([projectId, value]) => ({ projectId, metric, value }))
  return [...measured('documents.stored', stored), ...measured('storage.bytes', bytes)]
}

async function countDocuments(sql: Pool, { projectId, name, heap, estimate }: Table): Promise<number> {
  if (Number(heap) > countedBytes) return Math.round(estimate)
  try {
    const { rows } = await sql.query<{ count: string }>(`select count(*) from ${qualified(projectId, name)}`)
    return Number(rows[0]?.count)
  } catch (error) {
    // It has just been dropped.
    if ((error as { code?: string }).code === '42P01') return 0
    throw error
  }
}
