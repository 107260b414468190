import { z } from 'zod'
import { FunctionIdentity as Identity } from '../prisma/client/enums.ts'
import { createFunction, deleteFunction, updateFunction, visibleFunctions } from '../src/modules/functions/functions.ts'
import type { HookRule } from '../src/modules/functions/hooks.ts'
import { knownRuntimes } from '../src/modules/functions/runtimes.ts'
import type { RuntimeState } from '../src/platform/sandbox.ts'
import { builder } from './builder.ts'
import { changedField } from './changed.ts'
import { connectionOf } from './connections.ts'
import { FunctionHook, FunctionHookInput } from './function-hooks.ts'

const read = { audience: ['console', 'server'], scope: 'functions.read' } as const
const write = { audience: ['console', 'server'], scope: 'functions.write' } as const

const FunctionIdentity = builder.enumType('FunctionIdentity', {
  description: 'As whom a function speaks to the API of its project.',
  values: {
    [Identity.CALLER]: {
      description: 'As the user who called it, for as long as their session lasts; as itself, where no user did.',
    },
    [Identity.FUNCTION]: { description: 'As itself, with its scopes, whoever called it.' },
  },
})

export const FunctionType = builder.prismaObject('Function', {
  description: 'Code of the project that is run when something happens, when it is time, or when it is asked for.',
  fields: (t) => ({
    id: t.exposeID('id', { description: 'Names the function.' }),
    name: t.exposeString('name', { description: 'What people call it.' }),
    runtime: t.exposeString('runtime', { description: 'What runs it: see `runtimes`.' }),
    entrypoint: t.exposeString('entrypoint', { description: 'The file of a deployment that is run.' }),
    execute: t.exposeStringList('execute', { description: 'The roles that may run it.' }),
    scopes: t.exposeStringList('scopes', { description: 'What it may do when it acts for itself.' }),
    runAs: t.expose('runAs', { type: FunctionIdentity, description: 'As whom it speaks to the API.' }),
    events: t.exposeStringList('events', { description: 'Patterns of the events that it is run for.' }),
    hooks: t.field({
      type: [FunctionHook],
      description: 'What it decides on before it happens, once it has a deployment.',
      resolve: ({ hooks }) => hooks as HookRule[],
    }),
    schedule: t.exposeString('schedule', {
      nullable: true,
      description: 'When it is run by the clock: five cron fields, or six with seconds first.',
    }),
    timeZone: t.exposeString('timeZone', { description: 'The time zone of the schedule.' }),
    timeoutMs: t.exposeInt('timeoutMs', { description: 'How long a run may take, in milliseconds.' }),
    memoryMb: t.exposeInt('memoryMb', { description: 'How much memory it may use, in MB.' }),
    isTrusted: t.exposeBoolean('isTrusted', {
      description: 'Whether it runs faster, with a weaker wall around its memory.',
    }),
    maxAttempts: t.exposeInt('maxAttempts', {
      description: 'How often a run that nobody waits for is tried until it succeeds.',
    }),
    retryAfterMs: t.exposeInt('retryAfterMs', {
      description: 'How long to wait before the second try, in milliseconds; twice as long before each further one.',
    }),
    logging: t.exposeBoolean('logging', { description: 'Whether what it logs is kept.' }),
    enabled: t.exposeBoolean('enabled', { description: 'Whether it can be run.' }),
    deploymentId: t.exposeID('deploymentId', {
      nullable: true,
      description: 'The deployment that is run; null before there is one.',
    }),
    nextRunAt: t.expose('nextRunAt', { type: 'DateTime', nullable: true, description: 'When the clock runs it next.' }),
    previousRunAt: t.expose('previousRunAt', {
      type: 'DateTime',
      nullable: true,
      description: 'When the clock last ran it.',
    }),
    createdAt: t.expose('createdAt', { type: 'DateTime', description: 'When it was made.' }),
    updatedAt: t.expose('updatedAt', { type: 'DateTime', description: 'When it was last changed.' }),
  }),
})

const FunctionList = connectionOf(FunctionType, 'Function')

const RuntimeEngine = builder.enumType('RuntimeEngine', {
  description: 'Where functions of a runtime run.',
  values: {
    ISOLATE: { description: 'In an isolate, which starts in milliseconds.' },
    DOCKER: { description: 'In a container.' },
  },
})

const Runtime = builder.objectRef<RuntimeState>('Runtime').implement({
  description: 'Something that functions can be written for.',
  fields: (t) => ({
    name: t.exposeString('name', { description: 'Give it as the `runtime` of a function.' }),
    engine: t.field({
      type: RuntimeEngine,
      description: 'Where its functions run.',
      resolve: ({ engine }) => (engine === 'docker' ? 'DOCKER' : 'ISOLATE'),
    }),
    isAvailable: t.boolean({
      description: 'Whether its functions can run right now.',
      resolve: ({ unavailable }) => unavailable === null,
    }),
    unavailableReason: t.string({
      nullable: true,
      description: 'Why its functions cannot run right now; null when they can.',
      resolve: ({ unavailable }) => unavailable,
    }),
  }),
})

builder.queryFields((t) => ({
  function: t.prismaField({
    type: FunctionType,
    nullable: true,
    access: read,
    description: 'One function; null when there is none of this id.',
    args: { id: t.arg.id({ required: true, description: 'Which function.' }) },
    resolve: (query, _root, { id }, ctx) =>
      ctx.db.function.findFirst({ ...query, where: { AND: [{ id }, visibleFunctions(ctx)] } }),
  }),
  functions: t.prismaConnection(
    {
      type: FunctionType,
      cursor: 'id',
      access: read,
      description: 'The functions of the project, oldest first.',
      totalCount: (_root, _args, ctx) => ctx.db.function.count({ where: visibleFunctions(ctx) }),
      resolve: (query, _root, _args, ctx) =>
        ctx.db.function.findMany({ ...query, where: visibleFunctions(ctx), orderBy: { id: 'asc' } }),
    },
    ...FunctionList,
  ),
  runtimes: t.field({
    type: [Runtime],
    access: read,
    description: 'What functions can be written for, and what of it can run right now.',
    resolve: (_root, _args, ctx) => knownRuntimes(ctx),
  }),
}))

const name = z.string().trim().min(1).max(128)
const text = (max: number) => z.string().max(max)
const whole = (least: number, most: number) => z.number().int().min(least).max(most)
const timeout = whole(1_000, 900_000)
const memory = whole(64, 1_024)
const attempts = whole(1, 10)
const wait = whole(1_000, 3_600_000)

builder.mutationFields((t) => ({
  createFunction: t.prismaFieldWithInput({
    typeOptions: { description: 'A new function.' },
    type: FunctionType,
    access: write,
    description: 'Makes a function. It runs once it has a deployment.',
    input: {
      name: t.input.string({
        required: true,
        validate: name,
        description: 'What people call it: 1 to 128 characters.',
      }),
      runtime: t.input.string({
        required: true,
        validate: text(64),
        description: 'What runs it: one of `runtimes`, or one like `node-22` that is yet to be offered.',
      }),
      entrypoint: t.input.string({
        validate: text(256),
        description:
          'The file of a deployment that is run; if left out, what its runtime has for it, as `index.js`, `index.ts` or `main.py`.',
      }),
      execute: t.input.stringList({
        description:
          'The roles that may run it, as in permissions: `any`, `users`, `label:staff`, …; none, if left out.',
      }),
      scopes: t.input.stringList({
        description:
          'What it may do when it acts for itself, as keys: none that you do not have; nothing, if left out.',
      }),
      runAs: t.input.field({
        type: FunctionIdentity,
        description: 'As whom it speaks to the API; `CALLER`, if left out.',
      }),
      events: t.input.stringList({
        description: 'Patterns of the events that it is run for, as those of webhooks: up to 50; none, if left out.',
      }),
      hooks: t.input.field({
        type: [FunctionHookInput],
        description: 'What it decides on before it happens: up to 20; nothing, if left out.',
      }),
      schedule: t.input.string({
        validate: text(128),
        description: 'When it is run by the clock: five cron fields, or six with seconds first; never, if left out.',
      }),
      timeZone: t.input.string({ validate: text(64), description: 'An IANA time zone; UTC, if left out.' }),
      timeoutMs: t.input.int({
        validate: timeout,
        description: 'How long a run may take, 1,000 to 900,000 ms; 15,000, if left out.',
      }),
      memoryMb: t.input.int({
        validate: memory,
        description: 'How much memory it may use, 64 to 1,024 MB, in an isolate to 512; 128, if left out.',
      }),
      isTrusted: t.input.boolean({
        description: 'Whether it runs faster, with a weaker wall around its memory. Whoever runs the server allows it.',
      }),
      maxAttempts: t.input.int({
        validate: attempts,
        description: 'How often a run that nobody waits for is tried until it succeeds, 1 to 10; 3, if left out.',
      }),
      retryAfterMs: t.input.int({
        validate: wait,
        description:
          'How long to wait before the second try, 1,000 to 3,600,000 ms; twice as long before each further one; 10,000, if left out.',
      }),
      logging: t.input.boolean({ description: 'Whether what it logs is kept; it is, if left out.' }),
      enabled: t.input.boolean({ description: 'Whether it can be run; it can, if left out.' }),
    },
    resolve: (_query, _root, { input }, ctx) => createFunction(ctx, input),
  }),
}))

builder.mutationFields((t) => ({
  updateFunction: t.prismaFieldWithInput({
    typeOptions: { description: 'Changes of a function. What is left out stays.' },
    type: FunctionType,
    access: write,
    description: 'Changes a function. What is left out stays. You must be allowed all that the function may do.',
    input: {
      id: t.input.id({ required: true, description: 'Which function.' }),
      name: t.input.string({ validate: name, description: 'What people call it: 1 to 128 characters.' }),
      runtime: t.input.string({
        validate: text(64),
        description: 'What runs it; deployments that are there stay what they are.',
      }),
      entrypoint: t.input.string({
        validate: text(256),
        description: 'The file that is run; deployments that are there stay what they are.',
      }),
      execute: t.input.stringList({ description: 'The roles that may run it, up to 100; replaces those before.' }),
      scopes: t.input.stringList({
        description: 'What it may do when it acts for itself; replaces those before. None that you do not have.',
      }),
      runAs: t.input.field({ type: FunctionIdentity, description: 'As whom it speaks to the API.' }),
      events: t.input.stringList({
        description: 'Patterns of the events that it is run for, up to 50; replaces those before.',
      }),
      hooks: t.input.field({
        type: [FunctionHookInput],
        description: 'What it decides on before it happens; replaces those before.',
      }),
      schedule: t.input.string({
        validate: text(128),
        description: 'When it is run by the clock; null for never.',
      }),
      timeZone: t.input.string({ validate: text(64), description: 'An IANA time zone.' }),
      timeoutMs: t.input.int({ validate: timeout, description: 'How long a run may take, 1,000 to 900,000 ms.' }),
      memoryMb: t.input.int({ validate: memory, description: 'How much memory it may use, 64 to 1,024 MB.' }),
      isTrusted: t.input.boolean({
        description: 'Whether it runs faster, with a weaker wall around its memory. Whoever runs the server allows it.',
      }),
      maxAttempts: t.input.int({
        validate: attempts,
        description: 'How often a run that nobody waits for is tried until it succeeds, 1 to 10.',
      }),
      retryAfterMs: t.input.int({
        validate: wait,
        description: 'How long to wait before the second try, 1,000 to 3,600,000 ms.',
      }),
      logging: t.input.boolean({ description: 'Whether what it logs is kept.' }),
      enabled: t.input.boolean({ description: 'Whether it can be run.' }),
    },
    resolve: (_query, _root, { input: { id, ...changes } }, ctx) => updateFunction(ctx, id, changes),
  }),
  deleteFunction: t.id({
    access: write,
    description: 'Deletes a function with its deployments, variables and executions. Answers its id.',
    args: { id: t.arg.id({ required: true, description: 'Which function.' }) },
    resolve: (_root, { id }, ctx) => deleteFunction(ctx, id),
  }),
}))

changedField({
  type: 'Function',
  noun: 'functions',
  idKey: 'functionId',
  access: read,
  description: 'Functions that are made, changed and deleted.',
  node: (t) =>
    t.prismaField({
      type: FunctionType,
      nullable: true,
      description: 'The function as it is now; null once it is gone.',
      resolve: (query, { id, ctx }) =>
        ctx.db.function.findFirst({ ...query, where: { AND: [{ id }, visibleFunctions(ctx)] } }),
    }),
})
