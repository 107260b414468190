import type { Prisma } from '../prisma/client/client.ts'
import { TaskRunStatus as Status } from '../prisma/client/enums.ts'
import type { Context } from '../src/context.ts'
import { cancelTaskRun, visibleTaskRuns } from '../src/modules/tasks/tasks.ts'
import { builder } from './builder.ts'
import { Header, headersOf } from './calls.ts'
import { changedField } from './changed.ts'
import { connectionOf } from './connections.ts'

const read = { audience: ['console', 'server'], scope: 'tasks.read' } as const
const write = { audience: ['console', 'server'], scope: 'tasks.write' } as const

const TaskRunStatus = builder.enumType('TaskRunStatus', {
  description: 'How a run stands.',
  values: {
    [Status.PENDING]: { description: 'Not yet begun.' },
    [Status.RUNNING]: { description: 'The address is being called.' },
    [Status.SUCCEEDED]: { description: 'The address answered 2xx.' },
    [Status.FAILED]: { description: 'It answered something else, or not at all.' },
    [Status.SKIPPED]: { description: 'Not called: the run before it was still under way.' },
    [Status.CANCELLED]: { description: 'Taken back before it began.' },
  },
})

export const TaskRun = builder.prismaObject('TaskRun', {
  description: 'One call of a task: at most one for each time that its schedule names.',
  fields: (t) => ({
    id: t.exposeID('id', { description: 'Names the run.' }),
    taskId: t.exposeID('taskId', { description: 'Of which task.' }),
    task: t.relation('task', { description: 'The task that it is a run of.' }),
    status: t.expose('status', { type: TaskRunStatus, description: 'How it stands.' }),
    scheduledAt: t.expose('scheduledAt', { type: 'DateTime', description: 'The time that the schedule named.' }),
    startedAt: t.expose('startedAt', { type: 'DateTime', nullable: true, description: 'When it began.' }),
    finishedAt: t.expose('finishedAt', { type: 'DateTime', nullable: true, description: 'When it ended.' }),
    durationMs: t.exposeInt('durationMs', { nullable: true, description: 'How long the call took, in milliseconds.' }),
    responseStatus: t.exposeInt('responseStatus', {
      nullable: true,
      description: 'The HTTP status; null when there was no answer.',
    }),
    responseHeaders: t.field({
      type: [Header],
      description: 'The headers of the answer, by name: up to 64, each up to 1,024 characters.',
      select: { responseHeaders: true },
      resolve: ({ responseHeaders }) => headersOf(responseHeaders),
    }),
    responseBody: t.exposeString('responseBody', { nullable: true, description: 'The beginning of the answer.' }),
    error: t.exposeString('error', {
      nullable: true,
      description: 'What went wrong, unless `responseStatus` says it.',
    }),
  }),
})

export const TaskRunList = connectionOf(TaskRun, 'TaskRun')

export const TaskRunWhere = builder.inputType('TaskRunWhere', {
  description: 'Which runs: those for which everything that is said here holds.',
  fields: (t) => ({
    status: t.field({ type: TaskRunStatus, description: 'That have this status.' }),
  }),
})

export function runsWhere(
  ctx: Context,
  where: typeof TaskRunWhere.$inferInput | null | undefined,
): Prisma.TaskRunWhereInput {
  return { AND: [where?.status == null ? {} : { status: where.status }, visibleTaskRuns(ctx)] }
}

builder.queryFields((t) => ({
  taskRun: t.prismaField({
    type: TaskRun,
    nullable: true,
    access: read,
    description: 'One run of a task; null when there is none of this id.',
    args: { id: t.arg.id({ required: true, description: 'Which run.' }) },
    resolve: (query, _root, { id }, ctx) =>
      ctx.db.taskRun.findFirst({ ...query, where: { AND: [{ id }, visibleTaskRuns(ctx)] } }),
  }),
}))

builder.mutationFields((t) => ({
  cancelTaskRun: t.prismaField({
    type: TaskRun,
    access: write,
    description: 'Takes back a run that has not begun.',
    args: { id: t.arg.id({ required: true, description: 'Which run.' }) },
    resolve: (_query, _root, { id }, ctx) => cancelTaskRun(ctx, id),
  }),
}))

changedField({
  type: 'TaskRun',
  noun: 'runs',
  idKey: 'runId',
  access: read,
  description: 'Runs of tasks: when they are planned, and when they have ended.',
  node: (t) =>
    t.prismaField({
      type: TaskRun,
      nullable: true,
      description: 'The run as it is now; null once it is gone.',
      resolve: (query, { id, ctx }) =>
        ctx.db.taskRun.findFirst({ ...query, where: { AND: [{ id }, visibleTaskRuns(ctx)] } }),
    }),
})
