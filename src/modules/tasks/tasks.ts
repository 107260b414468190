import type { Prisma, Task, TaskRun } from '../../../prisma/client/client.ts'
import { type Context, type DbContext, takeTurn, transaction } from '../../context.ts'
import { Conflict, Invalid, LimitExceeded, NotFound } from '../../errors.ts'
import { emit } from '../../event.ts'
import { newId } from '../../lib/ids.ts'
import { type BasicAuth, type Header, keepBasicAuth, keepHeaders, requireSameServer } from '../calls/secrets.ts'
import { operatorRows, requireOperator } from '../operators/operators.ts'
import { runFinished, taskCreated, taskDeleted, taskUpdated } from './events.ts'
import { requireCallable, requireMethod } from './request.ts'
import { createRun } from './runs.ts'
import { type Schedule, tickAfter, whyNotSchedule } from './schedule.ts'

export const maxTasks = 100

/** The tasks of the project that is asked, for those who run it. */
export function visibleTasks(ctx: Context): Prisma.TaskWhereInput {
  return { ...operatorRows(ctx), deletedAt: null }
}

export function visibleTaskRuns(ctx: Context): Prisma.TaskRunWhereInput {
  return { ...operatorRows(ctx), task: { deletedAt: null } }
}

export type TaskChanges = {
  name?: string | null | undefined
  schedule?: string | null | undefined
  timeZone?: string | null | undefined
  method?: string | null | undefined
  url?: string | null | undefined
  headers?: readonly Header[] | null | undefined
  /** Null: none. */
  basicAuth?: BasicAuth | null | undefined
  verifyTls?: boolean | null | undefined
  timeoutMs?: number | null | undefined
  misfire?: Task['misfire'] | null | undefined
  overlap?: Task['overlap'] | null | undefined
  body?: string | null | undefined
  enabled?: boolean | null | undefined
}
export type NewTask = TaskChanges & { name: string; schedule: string; url: string }

/** Makes a task, which first runs at the next time that its schedule names. */
export async function createTask(ctx: Context, input: NewTask): Promise<Task> {
  requireOperator(ctx)
  const data = changesOf(ctx, input)
  const times = { schedule: input.schedule, timeZone: input.timeZone ?? 'UTC' }
  requireSchedule(times)
  const enabled = input.enabled ?? true
  return transaction(ctx, async (tx) => {
    await takeTurn(tx, `tasks ${ctx.projectId}`)
    const count = await tx.db.task.count({ where: { projectId: ctx.projectId, deletedAt: null } })
    if (count >= maxTasks) throw new LimitExceeded(`A project has at most ${maxTasks} tasks.`)
    const nextRunAt = enabled ? tickAfter(times, ctx.clock()) : null
    const { name, schedule, url } = input
    const task = await tx.db.task.create({
      data: { ...data, id: newId('tsk'), projectId: ctx.projectId, name, schedule, url, nextRunAt },
    })
    await emit(tx, taskCreated, { taskId: task.id })
    return task
  })
}

/** Changes a task. Its next run follows from its schedule anew where that is another. */
export async function updateTask(ctx: Context, id: string, changes: TaskChanges): Promise<Task> {
  requireOperator(ctx)
  const data = changesOf(ctx, changes)
  return transaction(ctx, async (tx) => {
    const before = await findForUpdate(ctx, tx, id)
    requireSameServer(before, changes)
    const times = { schedule: changes.schedule ?? before.schedule, timeZone: changes.timeZone ?? before.timeZone }
    requireSchedule(times)
    const enabled = changes.enabled ?? before.enabled
    const isNew = times.schedule !== before.schedule || times.timeZone !== before.timeZone || enabled !== before.enabled
    const nextRunAt = enabled ? tickAfter(times, ctx.clock()) : null
    const task = await tx.db.task.update({ where: { id }, data: isNew ? { ...data, nextRunAt } : data })
    await emit(tx, taskUpdated, { taskId: id })
    return task
  })
}

/** Deletes a task; the deletes worker takes its runs away. A call that is under way is not called back. */
export async function deleteTask(ctx: Context, id: string): Promise<string> {
  requireOperator(ctx)
  return transaction(ctx, async (tx) => {
    await findForUpdate(ctx, tx, id)
    await tx.db.task.update({ where: { id }, data: { deletedAt: ctx.clock(), enabled: false, nextRunAt: null } })
    await emit(tx, taskDeleted, { taskId: id })
    return id
  })
}

/** Runs a task now, whether it is enabled or not. Its schedule stays as it is. */
export async function runTask(ctx: Context, id: string): Promise<TaskRun> {
  requireOperator(ctx)
  return transaction(ctx, async (tx) => {
    const task = await findForUpdate(ctx, tx, id)
    const run = await createRun(tx, task, ctx.clock())
    if (!run) throw new LimitExceeded('The task has just been run.', 1_000)
    return run
  })
}

/** Takes back a run that has not begun. */
export async function cancelTaskRun(ctx: Context, id: string): Promise<TaskRun> {
  requireOperator(ctx)
  return transaction(ctx, async (tx) => {
    const where = { AND: [{ id }, visibleTaskRuns(ctx)] }
    if (!(await tx.db.taskRun.findFirst({ where }))) throw new NotFound('There is no such run.')
    const [cancelled] = await tx.db.taskRun.updateManyAndReturn({
      where: { id, status: 'PENDING' },
      data: { status: 'CANCELLED', finishedAt: ctx.clock() },
    })
    if (!cancelled) throw new Conflict('The run has begun, or has ended.')
    const status = 'CANCELLED' as const
    await emit(tx, runFinished, { taskId: cancelled.taskId, runId: id, status })
    return cancelled
  })
}

async function findForUpdate(ctx: Context, tx: DbContext, id: string): Promise<Task> {
  await tx.query('select 1 as locked from tasks where id = $1 for update', [id])
  const task = await tx.db.task.findFirst({ where: { AND: [{ id }, visibleTasks(ctx)] } })
  if (!task) throw new NotFound('There is no such task.')
  return task
}

function changesOf(ctx: Context, changes: TaskChanges) {
  const { name, schedule, timeZone, method, url, headers, basicAuth, body, enabled } = changes
  const { verifyTls, timeoutMs, misfire, overlap } = changes
  if (basicAuth && headers?.some((header) => header.name.toLowerCase() === 'authorization'))
    throw new Invalid('Basic authentication sets the header “authorization” itself.', ['input', 'headers'])
  return {
    ...(name != null && { name }),
    ...(schedule != null && { schedule }),
    ...(timeZone != null && { timeZone }),
    ...(method != null && { method: requireMethod(method) }),
    ...(url != null && { url: requireCallable(url) }),
    ...(headers != null && { headers: keepHeaders(ctx.env, headers) }),
    ...(basicAuth !== undefined && { basicAuth: keepBasicAuth(ctx.env, basicAuth) }),
    ...(verifyTls != null && { verifyTls }),
    ...(timeoutMs != null && { timeoutMs }),
    ...(misfire != null && { misfire }),
    ...(overlap != null && { overlap }),
    ...(body !== undefined && { body }),
    ...(enabled != null && { enabled }),
  }
}

function requireSchedule(times: Schedule): void {
  const wrong = whyNotSchedule(times)
  if (wrong) throw new Invalid(wrong.message, ['input', wrong.field])
}
