import { Prisma, type Task, type TaskRun } from '../../../prisma/client/client.ts'
import { type Context, type DbContext, transaction } from '../../context.ts'
import { emit } from '../../event.ts'
import { newId } from '../../lib/ids.ts'
import { runCreated, runFinished } from './events.ts'
import { tickAfter, ticksBetween } from './schedule.ts'

type Planned = { status: 'SKIPPED'; error: string; finishedAt: Date }

/** Plans one run. There is one for each task and time: null when that one has been planned already. */
export async function createRun(
  tx: DbContext,
  task: Pick<Task, 'id' | 'projectId'>,
  scheduledAt: Date,
  skipped?: Planned,
): Promise<TaskRun | null> {
  const data = { id: newId('run'), projectId: task.projectId, taskId: task.id, scheduledAt, ...skipped }
  const [run] = await tx.db.taskRun.createManyAndReturn({ data: [data], skipDuplicates: true })
  if (!run) return null
  await emit(tx, runCreated, { taskId: task.id, runId: run.id }, task.projectId)
  return run
}

/** A time is missed when it was so long ago. Until then it is late, and runs however late it is: a leader may have died. */
export const missedAfterMs = 60_000
/** Of late times no more than that, one for each second. */
export const maxLate = 61
/** Of missed times the last so many run, where all shall. */
export const maxMissed = 100

/**
 * Plans a run for each time that has come of tasks that are due, and when they are next due, in one transaction: whoever
 * does it beside us skips them. Answers how many tasks were due.
 */
export async function planDueRuns(ctx: Context, limit = 50): Promise<number> {
  return transaction(ctx, async (tx) => {
    const now = ctx.clock()
    const due = await tx.query<{ id: string }>(
      `select id from tasks where enabled and "nextRunAt" <= $1 order by "nextRunAt" limit $2 for update skip locked`,
      [now, limit],
    )
    for (const { id } of due) {
      const task = await tx.db.task.findUniqueOrThrow({ where: { id } })
      const times = timesDue(task, now)
      for (const time of times) await createRun(tx, task, time, await whySkipped(tx, task))
      const previousRunAt = times.at(-1) ?? task.previousRunAt
      await tx.db.task.update({ where: { id }, data: { previousRunAt, nextRunAt: tickAfter(task, now) } })
    }
    return due.length
  })
}

async function whySkipped(tx: DbContext, { id, overlap }: Task): Promise<Planned | undefined> {
  if (overlap === 'ALLOW') return undefined
  const before = await tx.db.taskRun.findFirst({ where: { taskId: id, status: { in: ['PENDING', 'RUNNING'] } } })
  return before
    ? { status: 'SKIPPED', error: 'The run before it was still under way.', finishedAt: tx.clock() }
    : undefined
}

/** All times that are late, and of those that were missed what the task says: none, all, or the last if none is late. */
function timesDue(task: Task, now: Date): Date[] {
  const from = task.nextRunAt ?? now
  const missedUpTo = new Date(now.getTime() - missedAfterMs)
  const late = ticksBetween(task, from > missedUpTo ? from : missedUpTo, now, maxLate)
  if (task.misfire === 'SKIP' || from > missedUpTo) return late
  // The moment itself is late, not missed.
  const before = new Date(missedUpTo.getTime() - 1)
  if (task.misfire === 'RUN_ALL') return [...ticksBetween(task, from, before, maxMissed), ...late]
  return late.length > 0 ? late : ticksBetween(task, from, before, 1)
}

/**
 * Begins a run, and answers its task. Null when there is nothing left to do. A run that is under way already was cut off
 * with its worker: it is begun again, and the call says by its `tendril-run-id` that it is the same.
 */
export async function beginRun(ctx: Context, id: string): Promise<(TaskRun & { task: Task }) | null> {
  const { count } = await ctx.db.taskRun.updateMany({
    where: { id, status: { in: ['PENDING', 'RUNNING'] }, task: { deletedAt: null, project: { deletedAt: null } } },
    data: { status: 'RUNNING', startedAt: ctx.clock() },
  })
  return count === 0 ? null : ctx.db.taskRun.findUnique({ where: { id }, include: { task: true } })
}

/** Makes a run whose job was given up wait for it again. */
export async function reopenRun({ db }: DbContext, id: string, projectId: string): Promise<void> {
  const where = { id, projectId, status: 'FAILED' } as const
  await db.taskRun.updateMany({ where, data: { status: 'PENDING', error: null, finishedAt: null } })
}

export type RunOutcome = {
  status: number | null
  headers: Record<string, string> | null
  body: string | null
  error: string | null
  durationMs: number | null
}

/** Ends a run with what came of it. One that has ended stays as it is. */
export async function finishRun(ctx: Context, id: string, outcome: RunOutcome): Promise<void> {
  const { status: responseStatus, body: responseBody, error, durationMs } = outcome
  const responseHeaders = outcome.headers ?? Prisma.DbNull
  const isSuccess = responseStatus !== null && responseStatus >= 200 && responseStatus < 300
  const status = isSuccess ? ('SUCCEEDED' as const) : ('FAILED' as const)
  await transaction(ctx, async (tx) => {
    const [run] = await tx.db.taskRun.updateManyAndReturn({
      where: { id, status: { in: ['PENDING', 'RUNNING'] } },
      data: { status, responseStatus, responseHeaders, responseBody, error, durationMs, finishedAt: ctx.clock() },
    })
    if (!run) return
    await tx.query(
      'update tasks set "failingSince" = case when $2 then null else coalesce("failingSince", $3) end where id = $1',
      [run.taskId, isSuccess, ctx.clock()],
    )
    await emit(tx, runFinished, { taskId: run.taskId, runId: id, status }, run.projectId)
  })
}
