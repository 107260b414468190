import type { Execution as ExecutionRow, Prisma } from '../prisma/client/client.ts'
import { ExecutionStatus as Status, ExecutionTrigger as Trigger } from '../prisma/client/enums.ts'
import type { Context } from '../src/context.ts'
import {
  cancelExecution,
  createExecution,
  isExecutionVisible,
  visibleExecutions,
} from '../src/modules/executions/executions.ts'
import { builder } from './builder.ts'
import { Header, HeaderInput, headersOf } from './calls.ts'
import { changedField } from './changed.ts'
import { connectionOf } from './connections.ts'
import { Deployment } from './deployments.ts'
import { FunctionType } from './functions.ts'

const read = { audience: ['console', 'server', 'client'], scope: 'executions.read' } as const
const write = { audience: ['console', 'server', 'client'], scope: 'executions.write' } as const
/** What goes wrong within a function is for those who run the project. */
const within = { audience: ['console', 'server'] } as const
const ofFunctions = { ...within, scope: 'functions.read' } as const

const ExecutionStatus = builder.enumType('ExecutionStatus', {
  description: 'How an execution stands.',
  values: {
    [Status.PENDING]: { description: 'Not yet begun, or waiting for its next try.' },
    [Status.RUNNING]: { description: 'The function is being run.' },
    [Status.COMPLETED]: {
      description:
        'The function has answered, with whatever status. Whom a streamed answer was for may have left before its end: a line in `logs` says so.',
    },
    [Status.FAILED]: { description: 'There is no answer: `failure` says why.' },
    [Status.CANCELLED]: { description: 'Taken back before it began.' },
  },
})

const ExecutionTrigger = builder.enumType('ExecutionTrigger', {
  description: 'Why a function is run.',
  values: {
    [Trigger.API]: { description: '`createExecution` was called.' },
    [Trigger.HTTP]: { description: 'Its URL was called.' },
    [Trigger.EVENT]: { description: 'Something happened that it is run for.' },
    [Trigger.SCHEDULE]: { description: 'It was time.' },
    [Trigger.HOOK]: { description: 'It was asked whether something may be done.' },
  },
})

const ExecutionFailure = builder.enumType('ExecutionFailure', {
  description: 'Why there is no answer.',
  values: {
    THREW: { description: 'The function failed.' },
    TIMEOUT: { description: 'It took longer than it may.' },
    MEMORY: { description: 'It used more memory than it may.' },
    INVALID_ANSWER: { description: 'What it answered is no answer.' },
    TOO_LARGE: { description: 'Its answer is too large, or its variables are, together.' },
    CRASHED: {
      description:
        'What ran it went away, or who waited for it did, before it answered. It was not, or need not be, its own doing.',
    },
    UNAVAILABLE: { description: 'Nothing was there to run it.' },
    FORBIDDEN: {
      description: 'It was not run, or not tried again: who has asked for it may not run the function any more.',
    },
    DEPTH: { description: 'It was not run: too many runs, one through the other, have led to it.' },
  } as const,
})

const LogLevel = builder.enumType('LogLevel', {
  description: 'What a line of a log is.',
  values: {
    LOG: { description: 'Said by `log`.' },
    ERROR: { description: 'Said by `error`, or by us.' },
  } as const,
})

type Line = { at: number; level: string; text: string }

const LogLine = builder.objectRef<Line>('LogLine').implement({
  description: 'A line that was logged.',
  fields: (t) => ({
    at: t.field({ type: 'DateTime', description: 'When it was logged.', resolve: ({ at }) => new Date(at) }),
    level: t.field({
      type: LogLevel,
      description: 'What it is.',
      resolve: ({ level }) => (level === 'error' ? 'ERROR' : 'LOG'),
    }),
    text: t.exposeString('text', { description: 'What it says.' }),
  }),
})

const Execution = builder.prismaObject('Execution', {
  description: 'One run of a function, with all its tries.',
  fields: (t) => ({
    id: t.exposeID('id', { description: 'Names the execution.' }),
    functionId: t.exposeID('functionId', { description: 'The function that is run.' }),
    deploymentId: t.exposeID('deploymentId', {
      nullable: true,
      description: 'The deployment that was run, or is to be.',
    }),
    status: t.expose('status', { type: ExecutionStatus, description: 'How it stands.' }),
    trigger: t.expose('trigger', { type: ExecutionTrigger, description: 'Why it is run.' }),
    attempts: t.exposeInt('attempts', { description: 'How often it was tried.' }),
    method: t.exposeString('method', { description: 'The method of its request.' }),
    path: t.exposeString('url', { description: 'The path and query of its request.' }),
    responseStatus: t.exposeInt('responseStatus', { nullable: true, description: 'The status that was answered.' }),
    responseHeaders: t.field({
      type: [Header],
      description:
        'The headers of the answer, by name: whole from `createExecution`, and later up to 64, each up to 1,024 characters, cookies as `***`.',
      select: { responseHeaders: true },
      resolve: ({ responseHeaders }) => headersOf(responseHeaders),
    }),
    responseBody: t.exposeString('responseBody', {
      nullable: true,
      description: 'The answer: whole from `createExecution`, and of it up to 64 KiB later. Text, as UTF-8.',
    }),
    failure: t.field({
      type: ExecutionFailure,
      nullable: true,
      description: 'Why there is no answer.',
      select: { failure: true },
      resolve: ({ failure }) => failure as 'THREW' | null,
    }),
    durationMs: t.exposeInt('durationMs', { nullable: true, description: 'How long its last try took.' }),
    isCold: t.exposeBoolean('isCold', { nullable: true, description: 'Whether it had to be made ready first.' }),
    scheduledAt: t.expose('scheduledAt', {
      type: 'DateTime',
      nullable: true,
      description: 'It is not run, or tried again, before then; null: as soon as can be.',
    }),
    startedAt: t.expose('startedAt', { type: 'DateTime', nullable: true, description: 'When its last try began.' }),
    finishedAt: t.expose('finishedAt', { type: 'DateTime', nullable: true, description: 'When it ended.' }),
    createdAt: t.expose('createdAt', { type: 'DateTime', description: 'When it was asked for.' }),
  }),
})

builder.prismaObjectFields(Execution, (t) => ({
  function: t.relation('function', {
    type: FunctionType,
    access: ofFunctions,
    description: 'The function that is run.',
  }),
  deployment: t.prismaField({
    type: Deployment,
    nullable: true,
    access: ofFunctions,
    description: 'The deployment that was run, or is to be; null once it is deleted.',
    select: { deploymentId: true },
    resolve: (query, { deploymentId }, _args, ctx) =>
      deploymentId === null ? null : ctx.db.deployment.findUnique({ ...query, where: { id: deploymentId } }),
  }),
  error: t.exposeString('error', {
    nullable: true,
    access: within,
    description: 'What went wrong, with where it did in your sources.',
  }),
  logs: t.field({
    type: [LogLine],
    access: within,
    description: 'What it has logged in its last try: up to 1,000 lines and 64 KiB.',
    select: { logs: true },
    resolve: ({ logs }) => logs as Line[],
  }),
  memoryBytes: t.float({
    nullable: true,
    access: within,
    description: 'The memory that the function held at its end, where that is known.',
    select: { memoryBytes: true },
    resolve: ({ memoryBytes }) => (memoryBytes === null ? null : Number(memoryBytes)),
  }),
}))

const ExecutionList = connectionOf(Execution, 'Execution')

const ExecutionWhere = builder.inputType('ExecutionWhere', {
  description: 'Which executions: those for which everything that is said here holds.',
  fields: (t) => ({
    functionId: t.id({ description: 'Of this function.' }),
    status: t.field({ type: ExecutionStatus, description: 'That have this status.' }),
    trigger: t.field({ type: ExecutionTrigger, description: 'That are run for this reason.' }),
    from: t.field({ type: 'DateTime', description: 'That were asked for from this moment on.' }),
    to: t.field({ type: 'DateTime', description: 'That were asked for before this moment.' }),
  }),
})

function wanted(ctx: Context, where: typeof ExecutionWhere.$inferInput | null | undefined): Prisma.ExecutionWhereInput {
  const { functionId, status, trigger, from, to } = where ?? {}
  const asked = {
    ...(functionId != null && { functionId }),
    ...(status != null && { status }),
    ...(trigger != null && { trigger }),
    createdAt: { ...(from != null && { gte: from }), ...(to != null && { lt: to }) },
  }
  return { AND: [asked, visibleExecutions(ctx)] }
}

builder.prismaObjectFields(FunctionType, (t) => ({
  executions: t.relatedConnection(
    'executions',
    {
      type: Execution,
      cursor: 'id',
      totalCount: true,
      access: { ...within, scope: 'executions.read' },
      description: 'Its executions, newest first.',
      args: { where: t.arg({ type: ExecutionWhere, description: 'Which; all, if left out.' }) },
      query: ({ where }, ctx) => ({ where: wanted(ctx, where), orderBy: { id: 'desc' } }),
    },
    ...ExecutionList,
  ),
}))

builder.queryFields((t) => ({
  execution: t.prismaField({
    type: Execution,
    nullable: true,
    access: read,
    description: 'One execution; null when there is none of this id. Users see those that they have asked for.',
    args: { id: t.arg.id({ required: true, description: 'Which execution.' }) },
    resolve: (query, _root, { id }, ctx) =>
      ctx.db.execution.findFirst({ ...query, where: { AND: [{ id }, visibleExecutions(ctx)] } }),
  }),
  executions: t.prismaConnection(
    {
      type: Execution,
      cursor: 'id',
      access: read,
      description: 'Executions, newest first. Users see those that they have asked for.',
      args: { where: t.arg({ type: ExecutionWhere, description: 'Which; all, if left out.' }) },
      totalCount: (_root, { where }, ctx) => ctx.db.execution.count({ where: wanted(ctx, where) }),
      resolve: (query, _root, { where }, ctx) =>
        ctx.db.execution.findMany({ ...query, where: wanted(ctx, where), orderBy: { id: 'desc' } }),
    },
    ...ExecutionList,
  ),
}))

builder.mutationFields((t) => ({
  createExecution: t.prismaFieldWithInput({
    typeOptions: { description: 'What a function is to be run with, and when.' },
    type: Execution,
    access: write,
    description:
      'Runs a function, and answers when it has ended; with `async` or `scheduledAt` at once. Users and guests need a role that may run it.',
    input: {
      functionId: t.input.id({ required: true, description: 'Which function.' }),
      method: t.input.string({ description: 'The method of its request; POST, if left out.' }),
      path: t.input.string({
        description: 'The path and query of its request, up to 2,048 characters; /, if left out.',
      }),
      headers: t.input.field({
        type: [HeaderInput],
        description:
          'Headers of its request: up to 64, with up to 8,192 characters. Those that begin with `tendril-` are ours.',
      }),
      body: t.input.string({ description: 'The body of its request: up to 512 KiB.' }),
      async: t.input.boolean({
        description: 'Whether it is run later, and tried again as the function says; not, if left out.',
      }),
      scheduledAt: t.input.field({
        type: 'DateTime',
        description:
          'Run it then, up to a year ahead, and at once where that is past by up to a minute; tried again as the function says.',
      }),
    },
    resolve: (_query, _root, { input }, ctx): Promise<ExecutionRow> => createExecution(ctx, input),
  }),
  cancelExecution: t.prismaField({
    type: Execution,
    access: write,
    description: 'Takes back an execution that has not begun, or waits for its next try.',
    args: { id: t.arg.id({ required: true, description: 'Which execution.' }) },
    resolve: (_query, _root, { id }, ctx) => cancelExecution(ctx, id),
  }),
}))

changedField({
  type: 'Execution',
  noun: 'executions',
  idKey: 'executionId',
  access: read,
  isVisible: isExecutionVisible,
  description:
    'Executions: when they are planned, when a try has failed and the next is planned, and when they have ended. Of one that somebody waits for only the end is told. Users are told of those that they have asked for.',
  node: (t) =>
    t.prismaField({
      type: Execution,
      nullable: true,
      description: 'The execution as it is now; null once it is gone.',
      resolve: (query, { id, ctx }) =>
        ctx.db.execution.findFirst({ ...query, where: { AND: [{ id }, visibleExecutions(ctx)] } }),
    }),
})
