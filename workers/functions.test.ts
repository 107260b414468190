import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import { setTimeout as wait } from 'node:timers/promises'
import type { Execution } from '../prisma/client/client.ts'
import { authenticate } from '../src/authenticate.ts'
import { asSystem, type Context, transaction } from '../src/context.ts'
import { endOrphans, giveUpExecution, reopenExecution } from '../src/modules/executions/attempts.ts'
import { cancelExecution, createExecution } from '../src/modules/executions/executions.ts'
import { planDueExecutions } from '../src/modules/executions/triggers.ts'
import { deleteFunction, updateFunction } from '../src/modules/functions/functions.ts'
import { createUser } from '../src/modules/users/users.ts'
import { type Answer, createPeer, type PeerRun } from '../src/testing/executor.ts'
import { makeFunction } from '../src/testing/functions.ts'
import { eventually } from '../src/testing/receiver.ts'
import { createWorld, type World } from '../src/testing/world.ts'
import { startWorkers } from './start.ts'
import '../src/testing/agenda.ts'

let world: World
let ctx: Context
let peer: Awaited<ReturnType<typeof createPeer>>
let workers: Awaited<ReturnType<typeof startWorkers>>
/** What each function does, by its id. */
const does = new Map<string, (run: PeerRun) => Answer | null | Promise<Answer | null>>()

before(async () => {
  peer = await createPeer((run) => does.get(run.functionId)?.(run) ?? {})
  world = await createWorld({ EXECUTORS: peer.url, EXECUTOR_SECRET: peer.secret })
  ctx = (await world.createProject()).owner
  workers = await startWorkers(world.app, { only: ['functions', 'schedules'], queue: { pollEveryMs: 200 } })
})
after(async () => {
  await workers.stop()
  await world.close()
  peer.close()
})

const failed = (reason: 'THREW' | 'CRASHED' | 'UNAVAILABLE' | 'TOO_LARGE'): Answer => ({
  response: null,
  failure: { reason, message: reason, stack: null },
})
const of = (functionId: string) => ctx.db.execution.findMany({ where: { functionId }, orderBy: { id: 'asc' } })
const runsOf = (functionId: string) => peer.runs.filter((run) => run.functionId === functionId)

/** Waits until all executions of a function have ended, and there are so many. */
async function ended(functionId: string, count: number, withinMs = 15_000): Promise<Execution[]> {
  for (const until = Date.now() + withinMs; Date.now() < until; await wait(50)) {
    const rows = await of(functionId)
    if (rows.length >= count && rows.every(({ finishedAt }) => finishedAt !== null)) return rows
  }
  throw new Error(
    `not ended: ${JSON.stringify((await of(functionId)).map(({ status, failure }) => ({ status, failure })))}`,
  )
}

/** What was told of the executions of a function, in order. */
async function toldOf(functionId: string): Promise<string[]> {
  const { rows } = await ctx.sql.query(`select type, payload from events.log where aggregate like $1 order by seq`, [
    `functions.${functionId}.executions.%`,
  ])
  return rows.map(({ type, payload: { failure = '', attempts = '' } }) =>
    `${type.slice('executions.'.length)} ${failure} ${attempts}`.trim(),
  )
}

const newUser = (as = ctx) =>
  createUser(as, { email: `${crypto.randomUUID()}@example.org`, password: 'correct horse', name: 'x' })

test('an event runs each function that waits for it, once, with what a webhook would be sent', async () => {
  const { id: functionId } = await makeFunction(ctx, undefined, { events: ['users.created'] })
  const { id: other } = await makeFunction(ctx, undefined, { events: ['users.deleted'] })
  const user = await newUser()
  const [execution] = await ended(functionId, 1)
  assert.deepEqual([execution?.status, execution?.trigger, execution?.attempts], ['COMPLETED', 'EVENT', 1])
  assert.deepEqual([execution?.actorKind, execution?.actorId], ['account', ctx.actor?.id])
  const [run, ...more] = runsOf(functionId)
  assert.equal(more.length, 0)
  const body = JSON.parse(String(run?.body))
  assert.deepEqual(
    [body.type, body.name, body.data],
    ['users.created', `users.${user.id}.created`, { userId: user.id }],
  )
  const { method, url, headers } = run?.request ?? {}
  assert.deepEqual([method, url, headers?.['tendril-trigger']], ['POST', '/', 'event'])
  assert.equal(headers?.['tendril-event'], `users.${user.id}.created`)
  assert.equal(execution?.key, headers?.['tendril-event-id'])
  assert.deepEqual(await of(other), [])
})

test('what was too large is not tried again: it would be so again', async () => {
  const { id: functionId } = await makeFunction(ctx, undefined, { maxAttempts: 5, retryAfterMs: 1_000 })
  does.set(functionId, () => failed('TOO_LARGE'))
  await createExecution(ctx, { functionId, async: true })
  const [execution] = await ended(functionId, 1)
  assert.deepEqual([execution?.failure, execution?.attempts, execution?.status], ['TOO_LARGE', 1, 'FAILED'])
})

test('what is asked for without waiting is run soon, or when it is said; what is taken back is not', async () => {
  const { id: functionId } = await makeFunction(ctx)
  const soon = await createExecution(ctx, { functionId, async: true, body: 'soon', path: '/a?b' })
  const later = await createExecution(ctx, { functionId, scheduledAt: new Date(Date.now() + 1_500), body: 'later' })
  const never = await createExecution(ctx, { functionId, scheduledAt: new Date(Date.now() + 1_500) })
  await cancelExecution(ctx, never.id)
  const rows = await ended(functionId, 3)
  assert.deepEqual(
    rows.map(({ id, status }) => [id, status]),
    [
      [soon.id, 'COMPLETED'],
      [later.id, 'COMPLETED'],
      [never.id, 'CANCELLED'],
    ],
  )
  assert.ok((rows[1]?.startedAt ?? 0) >= (later.scheduledAt ?? 1))
  assert.deepEqual(
    runsOf(functionId).map(({ body, request }) => [String(body), request.url]),
    [
      ['soon', '/a?b'],
      ['later', '/'],
    ],
  )
})

test('a run that fails is tried again as the function says; that nothing is there to run it is no try', async () => {
  const { id: functionId } = await makeFunction(ctx, undefined, { maxAttempts: 2, retryAfterMs: 1_000 })
  const { id: crashing } = await makeFunction(ctx, undefined, { maxAttempts: 2, retryAfterMs: 1_000 })
  const outcomes = [failed('UNAVAILABLE'), failed('THREW'), { body: 'at last' }]
  does.set(functionId, () => outcomes.shift() ?? null)
  does.set(crashing, () => failed('CRASHED'))
  const { id } = await createExecution(ctx, { functionId, async: true })
  await createExecution(ctx, { functionId: crashing, async: true })
  const [row] = await ended(functionId, 1)
  assert.deepEqual([row?.id, row?.status, row?.attempts, row?.responseBody], [id, 'COMPLETED', 2, 'at last'])
  assert.equal(row?.failure, null)
  const [given] = await ended(crashing, 1)
  assert.deepEqual([given?.status, given?.attempts, given?.failure], ['FAILED', 2, 'CRASHED'])
  await eventually(async () =>
    assert.deepEqual(await toldOf(functionId), ['created', 'retried UNAVAILABLE 0', 'retried THREW 1', 'finished']),
  )
  await eventually(async () => assert.deepEqual(await toldOf(crashing), ['created', 'retried CRASHED 1', 'finished']))
})

test('the clock runs a function once for each time, whoever asks', async () => {
  const at = (time: string): Context => ({ ...ctx, clock: () => new Date(time) })
  const { id: functionId } = await makeFunction(at('2099-01-01T02:59:00Z'), undefined, { schedule: '0 3 * * *' })
  const due = asSystem({ ...world.app, clock: () => new Date('2099-01-03T03:00:01Z') }, 'schedules', '')
  const planned = await Promise.all([1, 2, 3].map(() => planDueExecutions(due, 10)))
  assert.deepEqual(planned.sort(), [0, 0, 1])
  const [execution, ...more] = await ended(functionId, 1)
  assert.equal(more.length, 0)
  assert.deepEqual([execution?.trigger, execution?.key], ['SCHEDULE', 'schedule 2099-01-03T03:00:00.000Z'])
  const { headers } = runsOf(functionId)[0]?.request ?? {}
  assert.equal(headers?.['tendril-trigger'], 'schedule')
  assert.equal(headers?.['tendril-scheduled-at'], '2099-01-03T03:00:00.000Z')
  const { nextRunAt } = await ctx.db.function.findUniqueOrThrow({ where: { id: functionId } })
  assert.deepEqual(nextRunAt, new Date('2099-01-04T03:00:00Z'))
})

test('a time that has come is not lost where the function is given the schedule that it has', async () => {
  const at = (time: string): Context => ({ ...ctx, clock: () => new Date(time) })
  const timed = { schedule: '0 3 * * *', enabled: true }
  const { id: functionId } = await makeFunction(at('2098-01-01T02:59:00Z'), undefined, timed)
  await updateFunction(at('2098-01-01T03:00:00.200Z'), functionId, { ...timed, name: 'pushed' })
  await planDueExecutions(
    asSystem({ ...world.app, clock: () => new Date('2098-01-01T03:00:01Z') }, 'schedules', ''),
    10,
  )
  assert.equal((await ended(functionId, 1)).length, 1)
})

test('a function whose write runs it again is cut at a depth, which its execution says, and nothing runs for ever', async () => {
  const { id: functionId } = await makeFunction(ctx, undefined, { events: ['users.created'], scopes: ['users.write'] })
  does.set(functionId, async (run) => {
    const authorization = `Bearer ${run.token}`
    const request = { projectId: ctx.projectId, authorization, requestId: 'r', ip: '', userAgent: '' }
    await newUser(await authenticate(world.app, request))
    return {}
  })
  await newUser()
  const rows = await ended(functionId, 7)
  await wait(500)
  assert.equal((await of(functionId)).length, 7)
  assert.deepEqual(
    rows.map(({ depth, status }) => [depth, status]),
    [0, 1, 2, 3, 4, 5, 6].map((depth) => [depth, depth > 5 ? 'FAILED' : 'COMPLETED']),
  )
  assert.deepEqual([rows[6]?.failure, runsOf(functionId).length], ['DEPTH', 6])
  assert.match(rows[6]?.error ?? '', /It was not run: 5 runs/)
  await updateFunction(ctx, functionId, { enabled: false })
})

test('a function that is run for whatever happens to executions does not run for ever either', async () => {
  const { owner } = await world.createProject()
  const { id: functionId } = await makeFunction(owner, undefined, { events: ['executions.finished'] })
  await createExecution(owner, { functionId })
  await ended(functionId, 7)
  await wait(500)
  assert.deepEqual(
    (await of(functionId)).map(({ depth }) => depth),
    [0, 1, 2, 3, 4, 5, 6],
  )
})

test('a run for which somebody waited, and whose process is gone, has failed', async () => {
  const { id: functionId } = await makeFunction(ctx)
  const started = new Date(Date.now() - 110_000)
  const row = { projectId: ctx.projectId, functionId, actorKind: 'system', trigger: 'API', status: 'RUNNING' } as const
  await ctx.db.execution.createMany({
    data: [
      { ...row, id: 'exe_gone', attempts: 1, createdAt: started, startedAt: started },
      { ...row, id: 'exe_there', attempts: 1, startedAt: new Date() },
    ],
  })
  assert.equal(await endOrphans(asSystem(world.app, 'test', ''), 10), 1)
  assert.deepEqual(
    (await of(functionId)).map(({ status, failure }) => [status, failure]),
    [
      ['FAILED', 'CRASHED'],
      ['RUNNING', null],
    ],
  )
})

test('what waits for a function that is disabled or deleted is not run', async () => {
  const { id: functionId } = await makeFunction(ctx)
  const { id: gone } = await makeFunction(ctx)
  const scheduledAt = new Date(Date.now() + 700)
  for (const id of [functionId, gone]) await createExecution(ctx, { functionId: id, scheduledAt })
  await updateFunction(ctx, functionId, { enabled: false })
  await deleteFunction(ctx, gone)
  const [row] = await ended(functionId, 1)
  assert.deepEqual([row?.status, row?.failure, row?.attempts], ['FAILED', 'UNAVAILABLE', 0])
  assert.deepEqual([runsOf(functionId), runsOf(gone)], [[], []])
})

test('a run that was given up with its job is said to be, and can be put back', async () => {
  const { id: functionId } = await makeFunction(ctx)
  const { id } = await createExecution(ctx, { functionId, scheduledAt: new Date(Date.now() + 3_600_000) })
  await giveUpExecution(asSystem(world.app, 'test', ''), id, 'its worker died')
  const [given] = await of(functionId)
  assert.deepEqual([given?.status, given?.error], ['FAILED', 'The run was given up: its worker died'])
  await transaction(ctx, (tx) => reopenExecution(tx, id, ctx.projectId))
  const [again] = await of(functionId)
  assert.deepEqual([again?.status, again?.error, again?.finishedAt], ['PENDING', null, null])
})

test('runs of a quarter of an hour in two projects leave room for the runs of a third and a fourth', async () => {
  const many = [await world.createProject(), await world.createProject()].map(({ owner }) => owner)
  const waiting: (() => void)[] = []
  const long = () => new Promise<Answer>((resolve) => waiting.push(() => resolve({})))
  const asked: { functionId: string; count: number }[] = []
  for (const owner of many) {
    const { id: functionId } = await makeFunction(owner)
    does.set(functionId, long)
    for (let i = 0; i < 12; i++) await createExecution(owner, { functionId, async: true })
    asked.push({ functionId, count: 12 })
  }
  await eventually(() => assert.equal(waiting.length, 20), 10_000)
  for (const { owner } of [await world.createProject(), await world.createProject()]) {
    const { id: functionId } = await makeFunction(owner)
    await createExecution(owner, { functionId, async: true })
    await ended(functionId, 1, 5_000)
  }
  const release = setInterval(() => {
    for (const end of waiting.splice(0)) end()
  }, 20)
  for (const { functionId, count } of asked) await ended(functionId, count)
  clearInterval(release)
})
