import type { Pool } from 'pg'
import { newId } from '../../lib/ids.ts'
import { isGone } from './session.ts'

/** How often a job may be started without coming to an end before it is taken for one that kills its worker. */
export const maxStarts = 5

/** The right to run one job, held until `at` is older than the lease or its process is gone. `at` is also what fences a zombie out. */
export type Lease = { job: string; at: Date; startedAt: Date; attempt: number }

/** Whose job it is, and what it was given: kept, so that it can be shown and replayed. */
export type Claim = { job: string; projectId: string | null; data: unknown; worker: number | null; attempt: number }

export type Start = { kind: 'started'; lease: Lease } | { kind: 'busy' } | { kind: 'done' } | { kind: 'quarantined' }

/** What `attempts` holds once the job is done: it stays for a while, so that a second claim finds nothing to do. */
const done = -1

type Started = { job: string; at: Date; quarantinedAt: Date | null }

/** Writes the attempts of jobs that may be started; answers nothing of the others. */
async function writeStarts(sql: Pool, claims: readonly Claim[], leaseMs: number): Promise<Started[]> {
  const { rows } = await sql.query<Started>({
    name: 'queue.starts',
    text: `insert into job_attempts as a (job, attempts, at, worker, "projectId", data)
     select job, 1, clock_timestamp(), worker, "projectId", data
     from jsonb_to_recordset($1::jsonb) as claim(job text, worker int, "projectId" text, data jsonb) order by job
     on conflict (job) do update
       set attempts = a.attempts + 1, at = clock_timestamp(), worker = excluded.worker, "projectId" = excluded."projectId",
           data = excluded.data, "replayedAt" = null,
           "quarantinedAt" = case when a.attempts >= $3 then clock_timestamp() end,
           error = case when a.attempts >= $3 then 'It was started ' || a.attempts || ' times and never ended.' else a.error end
       where a."quarantinedAt" is null
         and (a.attempts = 0 or a.attempts > 0 and (a.at < clock_timestamp() - $2 * interval '1 ms' or ${isGone('a.worker')}))
     returning job, at, "quarantinedAt"`,
    values: [JSON.stringify(claims), leaseMs, maxStarts],
  })
  return rows
}

const leaseOf = ({ job, at }: Started, attempt: number): Lease => ({ job, at, startedAt: at, attempt })

/** The leases of those jobs that nobody has run, runs or has given up. */
export async function startNew(sql: Pool, claims: readonly Claim[], leaseMs: number): Promise<Map<string, Lease>> {
  if (claims.length === 0) return new Map()
  const started = await writeStarts(sql, claims, leaseMs)
  return new Map(started.filter((row) => !row.quarantinedAt).map((row) => [row.job, leaseOf(row, 1)]))
}

/**
 * Writes the attempt before the run, and thereby decides in PostgreSQL who runs the job: Agenda's lock alone may let two
 * in. A start that finds too many starts that never ended quarantines the job.
 */
export async function startAttempt(sql: Pool, claim: Claim, leaseMs: number): Promise<Start> {
  const { job, attempt } = claim
  const [row] = await writeStarts(sql, [claim], leaseMs)
  if (row?.quarantinedAt) return { kind: 'quarantined' }
  if (row) return { kind: 'started', lease: leaseOf(row, attempt) }
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

/** How a run came to its end; `again` is none: it is the same run that goes on later. */
export type End =
  | { outcome: 'SUCCEEDED' | 'CANCELLED' | 'AGAIN' }
  | { outcome: 'FAILED'; error: string; givenUp: boolean }

/** Keeps how a run ended, and of a project's job that it has been; given up, it is not started again. */
export async function endAttempt(sql: Pool, { job, at, startedAt, attempt }: Lease, end: End): Promise<void> {
  const error = end.outcome === 'FAILED' ? end.error.slice(0, 1000) : null
  const givenUp = end.outcome === 'FAILED' && end.givenUp
  const attempts = end.outcome === 'SUCCEEDED' ? done : 0
  await sql.query(
    `with ended as (
       update job_attempts set attempts = $3, error = $4, "quarantinedAt" = case when $5 then clock_timestamp() end
       where job = $1 and at = $2 returning "projectId", worker)
     insert into job_runs (id, "projectId", job, attempt, outcome, error, worker, "startedAt", "finishedAt")
     select $6, "projectId", $1, $7, $8::text::"JobRunOutcome", $4, worker, $9, clock_timestamp() from ended
     where "projectId" is not null and $8 <> 'AGAIN'`,
    [job, at, attempts, error, givenUp, newId('jrn'), attempt, end.outcome, startedAt],
  )
}

/** Notes the jobs of projects that are about to be enqueued, so that it is seen that they wait. */
export async function noteWaiting(
  sql: Pool,
  jobs: readonly { job: string; projectId: string; data: unknown }[],
): Promise<void> {
  if (jobs.length === 0) return
  await sql.query(
    `insert into job_attempts (job, "projectId", data)
     select distinct on (job) job, "projectId", data from jsonb_to_recordset($1::jsonb) as j(job text, "projectId" text, data jsonb)
     on conflict do nothing`,
    [JSON.stringify(jobs)],
  )
}

/** Strikes the note that a job was given up: what it was for is wanted again, by whatever job. */
export async function forgetGivenUp(
  tx: { query: (text: string, values: readonly unknown[]) => Promise<unknown> },
  job: string,
): Promise<void> {
  await tx.query('delete from job_attempts where job = $1 and "quarantinedAt" is not null', [job])
}

/** Forgets that a job is done, for one that is owed all the same. */
export async function forgetDone(sql: Pool, job: string): Promise<void> {
  await sql.query('delete from job_attempts where job = $1 and attempts = $2', [job, done])
}
