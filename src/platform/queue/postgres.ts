import { PostgresBackend } from '@agendajs/postgres-backend'
import type { Pool } from 'pg'
import { type JobDepth, type JobPage, type JobRow, type Store, type StoredJob, slackMs } from './kinds.ts'

/** Any number of processes may start at once; one makes the table, the others wait for it. */
const lock = 0x6a6f6273

/** Agenda's jobs in a table of our own PostgreSQL, on our own pool. */
export function postgresStore(pool: Pool): Store {
  return {
    backend: new PostgresBackend({ pool, ensureSchema: false, disableNotifications: true }),
    prepare: () => prepare(pool),
    bringNear: async (name, plan, lock) => {
      // A job that was running has no time: `least` passes over it.
      await pool.query(
        `update agenda_jobs set locked_at = case when locked_at <= $3 then locked_at end, next_run_at = least(next_run_at, $4)
         where name = $1 and (next_run_at > $2 or locked_at > $3)`,
        [name, plan, lock, new Date()],
      )
    },
    newId: () => crypto.randomUUID(),
    insert: (jobs) => insert(pool, jobs),
    remove: async (id) => void (await pool.query('delete from agenda_jobs where id = $1', [id])),
    touch: async (id) => {
      const text = 'update agenda_jobs set locked_at = $2 where id = $1 and locked_at is not null'
      await pool.query({ name: 'queue.touch', text, values: [id, new Date()] })
    },
    dropFinished: (name, key) => dropFinished(pool, name, key),
    release: async (locker) => {
      // Long out of date: that is taken up whether or not the job is planned.
      await pool.query(
        `update agenda_jobs set locked_at = 'epoch' where last_modified_by = $1 and locked_at is not null`,
        [locker],
      )
    },
    forget: async (before) => {
      const { rowCount } = await pool.query(
        'delete from agenda_jobs where next_run_at is null and locked_at is null and last_run_at < $1',
        [before],
      )
      return rowCount ?? 0
    },
    page: (page) => readPage(pool, page),
    depths: async () => (await pool.query<JobDepth>(depthsQuery)).rows,
    close: async () => {},
  }
}

async function prepare(pool: Pool): Promise<void> {
  const made = `select to_regclass('public.agenda_jobs_key') is not null as made`
  const { rows } = await pool.query<{ made: boolean }>(made)
  if (rows[0]?.made) return
  const client = await pool.connect()
  try {
    await client.query('select pg_advisory_lock($1)', [lock])
    await new PostgresBackend({ pool, disableNotifications: true }).repository.connect()
    await client.query(`create unique index if not exists agenda_jobs_key on agenda_jobs (name, (data->>'key'))`)
    await client.query('select pg_advisory_unlock($1)', [lock])
    client.release()
  } catch (error) {
    // The lock goes with the connection.
    client.release(true)
    throw error
  }
}

async function insert(pool: Pool, jobs: readonly StoredJob[]): Promise<Set<string>> {
  const { rows } = await pool.query<{ id: string }>({
    name: 'queue.insert',
    text: `insert into agenda_jobs (id, name, next_run_at, data, locked_at, last_modified_by)
     select id, name, "nextRunAt", data, case when locker is not null then $2::timestamptz end, locker
     from jsonb_to_recordset($1::jsonb) as job(id uuid, name text, "nextRunAt" timestamptz, data jsonb, locker text)
     on conflict (name, (data->>'key')) do nothing returning id::text`,
    values: [JSON.stringify(jobs), new Date()],
  })
  return new Set(rows.map(({ id }) => id))
}

async function dropFinished(pool: Pool, name: string, key: string): Promise<boolean> {
  const { rows } = await pool.query<{ left: boolean }>(
    `with dropped as (
       delete from agenda_jobs where name = $1 and data->>'key' = $2 and next_run_at is null and locked_at is null returning id)
     select exists (select from agenda_jobs j where name = $1 and data->>'key' = $2 and j.id not in (select id from dropped)) as left`,
    [name, key],
  )
  return rows[0]?.left === false
}

const depthsQuery = `
  select name, count(*) filter (where locked_at is null)::int as due,
         count(*) filter (where locked_at is not null)::int as running,
         coalesce(extract(epoch from now() - min(wanted) filter (where locked_at is null)), 0)::float8 as "lagSeconds"
  from (
    select name, locked_at, next_run_at + case when last_run_at is null then interval '${slackMs} ms' else '0' end as wanted
    from agenda_jobs where next_run_at <= now() or locked_at is not null
  ) jobs group by name`

async function readPage(pool: Pool, { name, after, first }: JobPage): Promise<JobRow[]> {
  const { rows } = await pool.query<JobRow>(
    `select id::text, name, data->>'key' as key, next_run_at as "nextRunAt", last_run_at as "lastRunAt",
            last_finished_at as "finishedAt", coalesce(fail_count, 0) as "failCount", fail_reason as "failReason"
     from agenda_jobs where ($1::text is null or name = $1) and ($2::uuid is null or id > $2) order by id limit $3`,
    [name ?? null, after ?? null, first],
  )
  return rows
}
