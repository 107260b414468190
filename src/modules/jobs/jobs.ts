import type { JobAttempt, Prisma } from '../../../prisma/client/client.ts'
import { type Context, consoleProjectId, type DbContext, transaction } from '../../context.ts'
import { Conflict, NotFound } from '../../errors.ts'
import { type EventDef, emit } from '../../event.ts'
import { reopenExecution } from '../executions/attempts.ts'
import { runExecutionJob } from '../executions/jobs.ts'
import { sendMailJob } from '../mails/jobs.ts'
import { reopenMail } from '../mails/mails.ts'
import { requireOperator } from '../operators/operators.ts'
import { runTaskJob } from '../tasks/jobs.ts'
import { reopenRun } from '../tasks/runs.ts'
import { jobDiscarded, jobReplayed } from './events.ts'
import { visibleJobRuns, visibleJobs } from './visible.ts'

export type JobStatus = 'PENDING' | 'RUNNING' | 'DEAD' | 'DONE'

/** What `attempts` says of a job, see `platform/queue/attempts.ts`. */
const rowsOf: Readonly<Record<JobStatus, Prisma.JobAttemptWhereInput>> = {
  PENDING: { quarantinedAt: null, attempts: 0 },
  RUNNING: { quarantinedAt: null, attempts: { gt: 0 } },
  DEAD: { quarantinedAt: { not: null } },
  DONE: { quarantinedAt: null, attempts: -1 },
}

export function statusOf({ quarantinedAt, attempts }: Pick<JobAttempt, 'quarantinedAt' | 'attempts'>): JobStatus {
  if (quarantinedAt) return 'DEAD'
  if (attempts === 0) return 'PENDING'
  return attempts > 0 ? 'RUNNING' : 'DONE'
}

export const nameOf = (job: string) => job.slice(0, job.indexOf(':'))
export const keyOf = (job: string) => job.slice(job.indexOf(':') + 1)

type Filter = { name?: string | null | undefined; status?: JobStatus | null | undefined }

export async function jobsWhere(ctx: Context, { name, status }: Filter): Promise<Prisma.JobAttemptWhereInput> {
  const named = name == null ? {} : { job: { startsWith: `${name}:` } }
  return { AND: [await visibleJobs(ctx), named, status ? rowsOf[status] : {}] }
}

type RunFilter = { name?: string | null | undefined; jobId?: string | null | undefined }

export async function runsWhere(ctx: Context, { name, jobId }: RunFilter): Promise<Prisma.JobRunWhereInput> {
  const named = name == null ? {} : { job: { startsWith: `${name}:` } }
  return { AND: [await visibleJobRuns(ctx), named, jobId == null ? {} : { job: jobId }] }
}

/** What was given up with a job is put back, so that it finds something to do. */
const reopen: Readonly<Record<string, (tx: DbContext, data: unknown) => Promise<void>>> = {
  [sendMailJob.name]: (tx, data) => reopenMail(tx, sendMailJob.data.parse(data).mailId, tx.projectId),
  [runExecutionJob.name]: (tx, data) => reopenExecution(tx, runExecutionJob.data.parse(data).executionId, tx.projectId),
  [runTaskJob.name]: (tx, data) => reopenRun(tx, runTaskJob.data.parse(data).runId, tx.projectId),
}

/** Runs a job again that was given up: the worker `jobs` hears of it and enqueues it. Effects that it had are not had twice. */
export async function replayJob(ctx: Context, id: string): Promise<JobAttempt> {
  return revise(ctx, id, jobReplayed, (now) => ({ attempts: 0, replayedAt: now }))
}

/** Strikes a job that was given up from the list. */
export async function discardJob(ctx: Context, id: string): Promise<JobAttempt> {
  return revise(ctx, id, jobDiscarded, (now) => ({ attempts: -1, at: now }))
}

async function revise(
  ctx: Context,
  id: string,
  event: EventDef<{ jobId: string }>,
  /** At PostgreSQL's time, by which the queue goes. */
  changes: (now: Date) => Prisma.JobAttemptUpdateManyMutationInput,
): Promise<JobAttempt> {
  if (ctx.projectId !== consoleProjectId) requireOperator(ctx)
  const visible = await visibleJobs(ctx)
  return transaction(ctx, async (tx) => {
    const mine = { AND: [{ job: id }, visible] }
    const [{ now } = { now: tx.clock() }] = await tx.query<{ now: Date }>('select clock_timestamp() as now')
    const [job] = await tx.db.jobAttempt.updateManyAndReturn({
      where: { AND: [mine, rowsOf.DEAD] },
      data: { ...changes(now), quarantinedAt: null, error: null },
    })
    if (!job) {
      if (await tx.db.jobAttempt.findFirst({ where: mine })) throw new Conflict('Only a dead job can be taken up.')
      throw new NotFound('There is no such job.')
    }
    if (event === jobReplayed) await reopen[nameOf(id)]?.(tx, job.data)
    await emit(tx, event, { jobId: id })
    return job
  })
}
