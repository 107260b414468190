import { z } from 'zod'
import { TaskMisfire as Misfire, TaskOverlap as Overlap } from '../prisma/client/enums.ts'
import { createTask, deleteTask, runTask, updateTask, visibleTasks } from '../src/modules/tasks/tasks.ts'
import { builder } from './builder.ts'
import { BasicAuthInput, HeaderInput, headerNames, username, verifyTls } from './calls.ts'
import { changedField } from './changed.ts'
import { connectionOf } from './connections.ts'
import { runsWhere, TaskRun, TaskRunList, TaskRunWhere } from './task-runs.ts'

const read = { audience: ['console', 'server'], scope: 'tasks.read' } as const
const write = { audience: ['console', 'server'], scope: 'tasks.write' } as const

const TaskStatus = builder.enumType('TaskStatus', {
  description: 'How a task stands.',
  values: {
    ENABLED: { description: 'It runs by its schedule.' },
    PAUSED: { description: 'It runs only when it is asked to.' },
    FAILING: { description: 'It runs by its schedule, and its last run failed.' },
  },
})

const TaskMisfire = builder.enumType('TaskMisfire', {
  description: 'What becomes of times that were missed by more than a minute, because nothing ran.',
  values: {
    [Misfire.SKIP]: { description: 'Nothing.' },
    [Misfire.RUN_ONCE]: { description: 'One run, for the last of them.' },
    [Misfire.RUN_ALL]: { description: 'A run for each of them, up to the last 100.' },
  },
})

const TaskOverlap = builder.enumType('TaskOverlap', {
  description: 'What becomes of a time that comes while a run of the task is waiting or under way.',
  values: {
    [Overlap.ALLOW]: { description: 'It runs beside it.' },
    [Overlap.SKIP]: { description: 'It is skipped, which its run says.' },
  },
})

const Task = builder.prismaObject('Task', {
  description: 'An HTTP call on a cron schedule.',
  fields: (t) => ({
    id: t.exposeID('id', { description: 'Names the task.' }),
    name: t.exposeString('name', { description: 'What people call it.' }),
    schedule: t.exposeString('schedule', { description: 'Five cron fields, or six with seconds first.' }),
    timeZone: t.exposeString('timeZone', { description: 'The time zone of the schedule.' }),
    method: t.exposeString('method', { description: 'The HTTP method.' }),
    url: t.exposeString('url', { description: 'What is called.' }),
    headerNames: t.stringList(headerNames),
    username: t.string(username),
    verifyTls: t.exposeBoolean('verifyTls', verifyTls),
    timeoutMs: t.exposeInt('timeoutMs', { description: 'For how long an answer is waited for, in milliseconds.' }),
    body: t.exposeString('body', { nullable: true, description: 'What is sent.' }),
    misfire: t.expose('misfire', { type: TaskMisfire, description: 'What becomes of times that were missed.' }),
    overlap: t.expose('overlap', { type: TaskOverlap, description: 'What becomes of a time that comes during a run.' }),
    status: t.field({
      type: TaskStatus,
      description: 'How it stands.',
      select: { enabled: true, failingSince: true },
      resolve: ({ enabled, failingSince }) => (!enabled ? 'PAUSED' : failingSince ? 'FAILING' : 'ENABLED'),
    }),
    enabled: t.exposeBoolean('enabled', { description: 'Whether it runs by its schedule.' }),
    nextRunAt: t.expose('nextRunAt', { type: 'DateTime', nullable: true, description: 'When it runs next.' }),
    previousRunAt: t.expose('previousRunAt', { type: 'DateTime', nullable: true, description: 'When it last ran.' }),
    createdAt: t.expose('createdAt', { type: 'DateTime', description: 'When it was made.' }),
    updatedAt: t.expose('updatedAt', { type: 'DateTime', description: 'When it was last changed.' }),
    runs: t.relatedConnection(
      'runs',
      {
        type: TaskRun,
        cursor: 'id',
        totalCount: true,
        description: 'Its runs, newest first.',
        args: { where: t.arg({ type: TaskRunWhere, description: 'Which; all, if left out.' }) },
        query: ({ where }, ctx) => ({ where: runsWhere(ctx, where), orderBy: { id: 'desc' } }),
      },
      ...TaskRunList,
    ),
  }),
})

export const TaskList = connectionOf(Task, 'Task')

builder.queryFields((t) => ({
  task: t.prismaField({
    type: Task,
    nullable: true,
    access: read,
    description: 'One task; null when there is none of this id.',
    args: { id: t.arg.id({ required: true, description: 'Which task.' }) },
    resolve: (query, _root, { id }, ctx) =>
      ctx.db.task.findFirst({ ...query, where: { AND: [{ id }, visibleTasks(ctx)] } }),
  }),
  tasks: t.prismaConnection(
    {
      type: Task,
      cursor: 'id',
      access: read,
      description: 'The tasks of the project, oldest first.',
      totalCount: (_root, _args, ctx) => ctx.db.task.count({ where: visibleTasks(ctx) }),
      resolve: (query, _root, _args, ctx) =>
        ctx.db.task.findMany({ ...query, where: visibleTasks(ctx), orderBy: { id: 'asc' } }),
    },
    ...TaskList,
  ),
}))

const name = z.string().trim().min(1).max(128)
const text = (max: number) => z.string().max(max)
const timeout = z.number().int().min(1_000).max(60_000)

builder.mutationFields((t) => ({
  createTask: t.prismaFieldWithInput({
    typeOptions: { description: 'A new task.' },
    type: Task,
    access: write,
    description: 'Makes a task.',
    input: {
      name: t.input.string({
        required: true,
        validate: name,
        description: 'What people call it: 1 to 128 characters.',
      }),
      schedule: t.input.string({
        required: true,
        validate: text(128),
        description: 'Five cron fields, or six with seconds first.',
      }),
      timeZone: t.input.string({ validate: text(64), description: 'An IANA time zone; UTC, if left out.' }),
      method: t.input.string({ validate: text(16), description: 'The HTTP method; GET, if left out.' }),
      url: t.input.string({ required: true, validate: text(2048), description: 'What to call.' }),
      headers: t.input.field({ type: [HeaderInput], description: 'Headers of the call: up to 32.' }),
      basicAuth: t.input.field({ type: BasicAuthInput, description: 'The login of the call.' }),
      verifyTls: t.input.boolean({
        description: 'Whether the certificate of an https address is checked; it is, if left out.',
      }),
      timeoutMs: t.input.int({
        validate: timeout,
        description: 'For how long to wait for an answer, 1,000 to 60,000 ms; 30,000, if left out.',
      }),
      misfire: t.input.field({
        type: TaskMisfire,
        description: 'What becomes of times that were missed; `RUN_ONCE`, if left out.',
      }),
      overlap: t.input.field({
        type: TaskOverlap,
        description: 'What becomes of a time that comes during a run; `ALLOW`, if left out.',
      }),
      body: t.input.string({ validate: text(65_536), description: 'What to send, up to 64 KiB.' }),
      enabled: t.input.boolean({ description: 'Whether it runs by its schedule; it does, if left out.' }),
    },
    resolve: (_query, _root, { input }, ctx) => createTask(ctx, input),
  }),
  updateTask: t.prismaFieldWithInput({
    typeOptions: { description: 'Changes of a task. What is left out stays.' },
    type: Task,
    access: write,
    description: 'Changes a task. What is left out stays.',
    input: {
      id: t.input.id({ required: true, description: 'Which task.' }),
      name: t.input.string({ validate: name, description: 'What people call it: 1 to 128 characters.' }),
      schedule: t.input.string({ validate: text(128), description: 'Five cron fields, or six with seconds first.' }),
      timeZone: t.input.string({ validate: text(64), description: 'An IANA time zone.' }),
      method: t.input.string({ validate: text(16), description: 'The HTTP method.' }),
      url: t.input.string({
        validate: text(2048),
        description: 'What to call: at another server, with headers and login given again, or none.',
      }),
      headers: t.input.field({
        type: [HeaderInput],
        description: 'Headers of the call, up to 32; replaces those before.',
      }),
      basicAuth: t.input.field({ type: BasicAuthInput, description: 'The login of the call; null removes it.' }),
      verifyTls: t.input.boolean({ description: 'Whether the certificate of an https address is checked.' }),
      timeoutMs: t.input.int({
        validate: timeout,
        description: 'For how long to wait for an answer, 1,000 to 60,000 ms.',
      }),
      misfire: t.input.field({ type: TaskMisfire, description: 'What becomes of times that were missed.' }),
      overlap: t.input.field({ type: TaskOverlap, description: 'What becomes of a time that comes during a run.' }),
      body: t.input.string({ validate: text(65_536), description: 'What to send, up to 64 KiB; null for nothing.' }),
      enabled: t.input.boolean({ description: 'Whether it runs by its schedule.' }),
    },
    resolve: (_query, _root, { input: { id, ...changes } }, ctx) => updateTask(ctx, id, changes),
  }),
}))

builder.mutationFields((t) => ({
  runTask: t.prismaField({
    type: TaskRun,
    access: write,
    description: 'Runs a task now, whatever its schedule.',
    args: { id: t.arg.id({ required: true, description: 'Which task.' }) },
    resolve: (_query, _root, { id }, ctx) => runTask(ctx, id),
  }),
  deleteTask: t.id({
    access: write,
    description: 'Deletes a task and its runs. Answers its id.',
    args: { id: t.arg.id({ required: true, description: 'Which task.' }) },
    resolve: (_root, { id }, ctx) => deleteTask(ctx, id),
  }),
}))

changedField({
  type: 'Task',
  noun: 'tasks',
  idKey: 'taskId',
  access: read,
  description: 'Tasks that are made, changed and deleted.',
  node: (t) =>
    t.prismaField({
      type: Task,
      nullable: true,
      description: 'The task as it is now; null once it is gone.',
      resolve: (query, { id, ctx }) => ctx.db.task.findFirst({ ...query, where: { AND: [{ id }, visibleTasks(ctx)] } }),
    }),
})
