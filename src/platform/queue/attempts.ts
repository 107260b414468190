import type { Pool } from 'pg'
import { isGone } from './session.ts'

/** How often a job may be started without coming to an end before it is taken for one that kills its worker. */
export const maxStarts = 5

/** The right to run one job, held until `at` is older than the lease or its process is gone. `at` is also what fences a zombie out. */
export type Lease = { job: string; at: Date }

export type Start = { kind: 'started'; lease: Lease } | { kind: 'busy' } | { kind: 'done' } | { kind: 'quarantined' }

/** What `attempts` holds once the job is done: it stays for a while, so that a second claim finds nothing to do. */
const done = -1

/**
 * Writes the attempt before the run, and thereby decides in PostgreSQL who runs the job: Agenda's lock alone may let two
 * in. A start that finds too many starts that never ended quarantines the job.
 */
export async function startAttempt(
  sql: Pool,
  job: string,
  leaseMs: number,
  worker: number | null = null,
): Promise<Start> {
  const { rows } = await sql.query<{ attempts: number; at: Date; quarantinedAt: Date | null }>(
    `insert into job_attempts as a (job, attempts, at, worker) values ($1, 1, clock_timestamp(), $4)
     on conflict (job) do update
       set attempts = a.attempts + 1, at = clock_timestamp(), worker = $4,
           "quarantinedAt" = case when a.attempts >= $3 then clock_timestamp() end,
           error = case when a.attempts >= $3 then 'It was started ' || a.attempts || ' times and never ended.' else a.error end
       where a."quarantinedAt" is null
         and (a.attempts = 0 or a.attempts > 0 and (a.at < clock_timestamp() - $2 * interval '1 ms' or ${isGone('a.worker')}))
     returning attempts, at, "quarantinedAt"`,
    [job, leaseMs, maxStarts, worker],
  )
  const [row] = rows
  if (row?.quarantinedAt) return { kind: 'quarantined' }
  if (row) return { kind: 'started', lease: { job, at: row.at } }
  const found = await sql.query<{ attempts: number; quarantinedAt: Date | null }>(
    'select attempts, "quarantinedAt" from job_attempts where job = $1',
    [job],
  )
  if (found.rows[0]?.quarantinedAt) return { kind: 'quarantined' }
  return { kind: found.rows[0]?.attempts === done ? 'done' : 'busy' }
}

/** Keeps the lease. False when it is lost: somebody else runs the job. */
export async function renewLease(sql: Pool, lease: Lease): Promise<boolean> {
  const { rows } = await sql.query<{ at: Date }>(
    'update job_attempts set at = clock_timestamp() where job = $1 and at = $2 returning at',
    [lease.job, lease.at],
  )
  if (rows[0]) lease.at = rows[0].at
  return rows.length > 0
}

/** The run came to an end, and the job with it unless it shall run again. */
export async function endAttempt(sql: Pool, { job, at }: Lease, isDone: boolean): Promise<void> {
  const attempts = isDone ? done : 0
  await sql.query('update job_attempts set attempts = $3, error = null where job = $1 and at = $2', [job, at, attempts])
}

/** The run failed; given up, it is not started again. */
export async function failAttempt(sql: Pool, { job, at }: Lease, error: string, givenUp: boolean): Promise<void> {
  await sql.query(
    `update job_attempts set attempts = 0, error = $3, "quarantinedAt" = case when $4 then clock_timestamp() end
     where job = $1 and at = $2`,
    [job, at, error.slice(0, 1000), givenUp],
  )
}

/** Forgets that a job is done, for one that is owed all the same. */
export async function forgetDone(sql: Pool, job: string): Promise<void> {
  await sql.query('delete from job_attempts where job = $1 and attempts = $2', [job, done])
}
