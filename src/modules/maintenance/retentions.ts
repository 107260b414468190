import type { Env } from '../../env.ts'
import { deploymentLimits } from '../deployments/limits.ts'

const hour = 3_600_000
const day = 24 * hour

export type Retention = {
  /** In words, for the page of limits. */
  what: string
  table: string
  /** Which rows of it, older than `$1`. */
  rows: string
  keepMs: (env: Env) => number
  /** How long that is where nobody has set it, if `keepMs` does not say it. */
  said?: string
  /** What sets it. */
  setBy?: string
}

/** What is deleted by its age, and when. */
export const retentions: readonly Retention[] = [
  { what: 'notes that an event had its effect', table: 'processed', rows: 'at < $1', keepMs: () => 14 * day },
  // Done jobs stay for a moment only, so that a second claim finds them; given-up ones for as long as they may be asked about.
  { what: 'notes of jobs that are done', table: 'job_attempts', rows: 'attempts = -1 and at < $1', keepMs: () => hour },
  { what: 'jobs that were given up', table: 'job_attempts', rows: 'at < $1', keepMs: () => 30 * day },
  { what: 'runs of jobs that have ended', table: 'job_runs', rows: '"finishedAt" < $1', keepMs: () => 7 * day },
  {
    what: 'the audit log',
    table: 'audits',
    // The first half finds what may be too old, by the index of `at`.
    rows: `at < $1::timestamptz - (select min("auditDays") from projects) * interval '1 day'
      and at < $1::timestamptz - coalesce((select p."auditDays" from projects p where p.id = audits."projectId"), 14) * interval '1 day'`,
    keepMs: () => 0,
    said: '14 days',
    setBy: '`auditDays` of the project',
  },
  {
    what: 'deliveries that have ended, with their attempts',
    table: 'deliveries',
    rows: `status <> 'PENDING' and "updatedAt" < $1`,
    keepMs: (env) => env.KEEP_DELIVERIES_DAYS * day,
    setBy: '`KEEP_DELIVERIES_DAYS`',
  },
  {
    what: 'runs of tasks that have ended',
    table: 'task_runs',
    rows: `status not in ('PENDING', 'RUNNING') and "createdAt" < $1`,
    keepMs: (env) => env.KEEP_RUNS_DAYS * day,
    setBy: '`KEEP_RUNS_DAYS`',
  },
  {
    what: 'executions of functions that have ended',
    table: 'executions',
    rows: `status not in ('PENDING', 'RUNNING') and "createdAt" < $1`,
    keepMs: (env) => env.KEEP_EXECUTIONS_DAYS * day,
    setBy: '`KEEP_EXECUTIONS_DAYS`',
  },
  {
    what: 'uploads of deployments that do not go on',
    table: 'deployments',
    rows: `status = 'UPLOADING' and "updatedAt" < $1`,
    keepMs: () => deploymentLimits.uploadHours * hour,
  },
  {
    what: 'mails',
    table: 'mails',
    rows: `"createdAt" < $1`,
    keepMs: (env) => env.KEEP_MAILS_DAYS * day,
    setBy: '`KEEP_MAILS_DAYS`',
  },
  {
    what: 'answers to an `idempotencyKey`, and how far imports have come',
    table: 'idempotencies',
    rows: '"createdAt" < $1',
    keepMs: () => day,
  },
  { what: 'sessions, after their end', table: 'sessions', rows: '"expiresAt" < $1', keepMs: () => 0 },
  { what: 'verifications, after their end', table: 'verifications', rows: '"expiresAt" < $1', keepMs: () => day },
  {
    what: 'counts of wrong passwords and of sign-ups, after their end',
    table: 'account_attempts',
    rows: 'until < $1',
    keepMs: () => 0,
  },
  { what: 'usage by the hour', table: 'usage', rows: `period = 'HOUR' and at < $1`, keepMs: () => 30 * day },
  { what: 'usage by the day', table: 'usage', rows: `period = 'DAY' and at < $1`, keepMs: () => 400 * day },
]

/** How long the queue remembers a job that has ended. */
export const keepJobsMs = 2 * day

/** How long a day of the event log is kept after its end, and longer where somebody has not read it yet. */
export const keepLogHours = 48

/**
 * What callers make as many of as they like, guests too, is deleted by its number besides, but not while what its events lead to
 * may still look it up. What has a `key` is not: there is one for each event or time, and the row is what says so.
 */
export const countedExecutions = {
  what: 'executions beyond those that a project keeps',
  /** How long after its end it stays: it may have waited for days. */
  leastMs: 10 * 60_000,
  /** `$1`: how many are kept. The projects that have more, and when what goes was made. */
  beyond: `
    with many as materialized (select "projectId" from executions where key is null group by 1 having count(*) > $1)
    select "projectId", at from many cross join lateral (
      select "createdAt" as at from executions e where e."projectId" = many."projectId" and key is null
      order by "createdAt" desc offset $1 limit 1) oldest`,
  /** In the order of the index that has these alone: PostgreSQL would read the whole table for the few that are left. */
  rows: `"projectId" = $1 and "createdAt" <= $2 and "finishedAt" <= $3 and key is null
    and status not in ('PENDING', 'RUNNING') order by "createdAt"`,
} as const
