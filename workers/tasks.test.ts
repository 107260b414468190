import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import type { Context } from '../src/context.ts'
import { planDueRuns } from '../src/modules/tasks/runs.ts'
import { cancelTaskRun, createTask, deleteTask, type NewTask, runTask, updateTask } from '../src/modules/tasks/tasks.ts'
import { createEgress } from '../src/platform/egress.ts'
import { createMailer } from '../src/platform/mail.ts'
import { createReceiver } from '../src/testing/receiver.ts'
import { createWorld, type World } from '../src/testing/world.ts'
import { tasks } from './tasks.ts'

let world: World
let receiver: Awaited<ReturnType<typeof createReceiver>>
const egress = createEgress(['127.0.0.0/8'])
const signal = new AbortController().signal

before(async () => {
  world = await createWorld()
  receiver = await createReceiver()
})
after(async () => {
  receiver.close()
  await egress.close()
  await world.close()
})

/** A project whose clock stands at that time. */
async function at(time: string): Promise<Context & { set: (time: string) => Context }> {
  const { owner } = await world.createProject()
  const set = (text: string): Context => ({ ...owner, clock: () => new Date(text) })
  return { ...set(time), set }
}
const make = (ctx: Context, input: Partial<NewTask> = {}) =>
  createTask(ctx, { name: 't', schedule: '*/5 * * * *', url: receiver.url, ...input })
const runs = (ctx: Context, taskId: string) =>
  ctx.db.taskRun.findMany({ where: { taskId }, orderBy: { scheduledAt: 'asc' } })
const work = async (ctx: Context, runId: string) => {
  const [job] = tasks.outgoing?.({ egress, mailer: createMailer(world.env), atEnd: () => {} }) ?? []
  await job?.run({ ...ctx, key: runId, signal }, { runId })
  return ctx.db.taskRun.findUniqueOrThrow({ where: { id: runId } })
}

test('a task is planned once for each of its times, however many clocks there are', async () => {
  const ctx = await at('2026-11-23T12:01:00Z')
  const task = await make(ctx)
  assert.deepEqual(task.nextRunAt, new Date('2026-11-23T12:05:00Z'))
  assert.equal(await planDueRuns(ctx), 0)
  const later = ctx.set('2026-11-23T12:05:00.003Z')
  const planned = await Promise.all([1, 2, 3].map(() => planDueRuns(later)))
  assert.deepEqual(planned.sort(), [0, 0, 1])
  assert.deepEqual(
    (await runs(ctx, task.id)).map((run) => run.scheduledAt.toISOString()),
    ['2026-11-23T12:05:00.000Z'],
  )
})

test('times missed while everything was down run once, for the last of them', async () => {
  const ctx = await at('2026-11-23T12:01:00Z')
  const task = await make(ctx)
  await planDueRuns(ctx.set('2026-11-23T15:32:10Z'))
  assert.deepEqual(
    (await runs(ctx, task.id)).map((run) => run.scheduledAt.toISOString()),
    ['2026-11-23T15:30:00.000Z'],
  )
  const { nextRunAt } = await ctx.db.task.findUniqueOrThrow({ where: { id: task.id } })
  assert.deepEqual(nextRunAt, new Date('2026-11-23T15:35:00Z'))
})

test('times that are late by less than a minute run each', async () => {
  const ctx = await at('2026-11-23T12:01:00Z')
  const task = await make(ctx, { schedule: '*/10 * * * * *' })
  await planDueRuns(ctx.set('2026-11-23T12:01:35Z'))
  assert.deepEqual(
    (await runs(ctx, task.id)).map((run) => run.scheduledAt.getUTCSeconds()),
    [10, 20, 30],
  )
})

test('times that were missed: none, the last, or all run, as the task says', async () => {
  for (const [misfire, expected] of [
    ['SKIP', []],
    ['RUN_ONCE', ['15:30']],
    ['RUN_ALL', ['15:00', '15:15', '15:30']],
  ] as const) {
    const ctx = await at('2026-11-23T14:46:00Z')
    const task = await make(ctx, { schedule: '*/15 * * * *', misfire })
    await planDueRuns(ctx.set('2026-11-23T15:32:10Z'))
    const planned = (await runs(ctx, task.id)).map(({ scheduledAt }) => scheduledAt.toISOString().slice(11, 16))
    assert.deepEqual(planned, expected)
  }
})

test('a clock that jumps onto a time, back, and there again: that time runs, what was missed goes by the task, and nothing twice', async () => {
  for (const [misfire, expected] of [
    ['SKIP', ['15:30']],
    ['RUN_ONCE', ['15:30']],
    ['RUN_ALL', ['15:00', '15:15', '15:30']],
  ] as const) {
    const ctx = await at('2026-11-23T14:46:00Z')
    const task = await make(ctx, { schedule: '*/15 * * * *', misfire })
    for (const time of ['15:30:20', '14:50:00', '15:16:00', '15:30:40'])
      await planDueRuns(ctx.set(`2026-11-23T${time}Z`))
    const planned = (await runs(ctx, task.id)).map(({ scheduledAt }) => scheduledAt.toISOString().slice(11, 16))
    assert.deepEqual(planned, expected)
  }
})

test('a time that comes during a run is skipped where the task says so, and its run says why', async () => {
  const ctx = await at('2026-11-23T12:01:00Z')
  const task = await make(ctx, { overlap: 'SKIP' })
  await planDueRuns(ctx.set('2026-11-23T12:05:01Z'))
  await planDueRuns(ctx.set('2026-11-23T12:10:01Z'))
  const [first, second] = await runs(ctx, task.id)
  assert.deepEqual([first?.status, second?.status], ['PENDING', 'SKIPPED'])
  assert.match(second?.error ?? '', /still under way/)
  await work(ctx, first?.id ?? '')
  await planDueRuns(ctx.set('2026-11-23T12:15:01Z'))
  assert.equal((await runs(ctx, task.id))[2]?.status, 'PENDING')
})

test('a run that has not begun can be cancelled, and is not made', async () => {
  const ctx = await at('2026-11-23T12:01:00Z')
  const task = await make(ctx)
  const { id } = await runTask(ctx, task.id)
  await assert.rejects(cancelTaskRun(world.context(ctx.projectId), id), { code: 'FORBIDDEN' })
  const { owner: stranger } = await world.createProject()
  await assert.rejects(cancelTaskRun(stranger, id), { code: 'NOT_FOUND' })
  assert.equal((await cancelTaskRun(ctx, id)).status, 'CANCELLED')
  const before = receiver.received.length
  assert.equal((await work(ctx, id)).status, 'CANCELLED')
  assert.equal(receiver.received.length, before)
  await assert.rejects(cancelTaskRun(ctx, id), { code: 'CONFLICT' })
})

test('a login is sent and kept encrypted; an answer that takes too long is not waited for', async () => {
  const ctx = await at('2026-11-23T12:01:00Z')
  receiver.answer = { status: 200, headers: { 'x-answer': 'a' }, afterMs: 0 }
  const login = { username: 'jörg', password: 'canary-4711' }
  const task = await make(ctx, { basicAuth: login, timeoutMs: 1_000 })
  assert.ok(!JSON.stringify(task).includes('canary'))
  const run = await work(ctx, (await runTask(ctx, task.id)).id)
  const sent = receiver.received.at(-1)?.headers.authorization
  assert.equal(sent, `Basic ${Buffer.from('jörg:canary-4711').toString('base64')}`)
  assert.equal((run.responseHeaders as Record<string, string>)['x-answer'], 'a')
  const failingSince = async () => (await ctx.db.task.findUniqueOrThrow({ where: { id: task.id } })).failingSince
  assert.equal(await failingSince(), null)
  receiver.answer = { status: 200, afterMs: 20_000 }
  const late = await work(ctx, (await runTask(ctx.set('2026-11-23T12:02:00Z'), task.id)).id)
  assert.deepEqual([late.status, late.error], ['FAILED', 'There was no answer in time.'])
  assert.ok(await failingSince())
  receiver.answer = { status: 200 }
})

test('a time that has come is not lost where the task is given the schedule that it has', async () => {
  const ctx = await at('2026-11-23T12:01:00Z')
  const task = await make(ctx)
  const { schedule, timeZone, enabled } = task
  await updateTask(ctx.set('2026-11-23T12:05:00.200Z'), task.id, { schedule, timeZone, enabled, name: 'again' })
  await planDueRuns(ctx.set('2026-11-23T12:05:01Z'))
  assert.equal((await runs(ctx, task.id)).length, 1)
})

test('a clock that jumps back does not run anything again', async () => {
  const ctx = await at('2026-11-23T12:01:00Z')
  const task = await make(ctx)
  await planDueRuns(ctx.set('2026-11-23T12:05:01Z'))
  await planDueRuns(ctx.set('2026-11-23T11:05:01Z'))
  await updateTask(ctx.set('2026-11-23T12:04:00Z'), task.id, { schedule: '*/5 * * * *' })
  await planDueRuns(ctx.set('2026-11-23T12:05:01Z'))
  assert.equal((await runs(ctx, task.id)).length, 1)
})

test('what came back is recorded: success, error, redirect, refusal', async () => {
  const ctx = await at('2026-11-23T12:01:00Z')
  const task = await make(ctx, { method: 'PUT', body: 'b', headers: [{ name: 'X-A', value: '1' }] })
  receiver.answer = { status: 201, body: 'made' }
  const good = await work(ctx, (await runTask(ctx, task.id)).id)
  assert.deepEqual([good.status, good.responseStatus, good.responseBody, good.error], ['SUCCEEDED', 201, 'made', null])
  const sent = receiver.received.at(-1)
  assert.deepEqual([sent?.method, sent?.headers['x-a']], ['PUT', '1'])
  receiver.answer = { status: 500 }
  const bad = await work(ctx, (await runTask(ctx.set('2026-11-23T12:02:00Z'), task.id)).id)
  assert.deepEqual([bad.status, bad.responseStatus], ['FAILED', 500])
  receiver.answer = { status: 302, headers: { location: 'http://169.254.169.254/' } }
  const moved = await work(ctx, (await runTask(ctx.set('2026-11-23T12:03:00Z'), task.id)).id)
  assert.deepEqual([moved.status, moved.error], ['FAILED', 'A redirect is not followed.'])
  const inner = await make(ctx, { url: 'http://169.254.169.254/latest/meta-data' })
  const refused = await work(ctx, (await runTask(ctx, inner.id)).id)
  assert.equal(refused.status, 'FAILED')
  assert.match(refused.error ?? '', /not a public address/)
})

test('a run that has ended is not run again', async () => {
  const ctx = await at('2026-11-23T12:01:00Z')
  const task = await make(ctx)
  receiver.answer = { status: 200 }
  const { id } = await runTask(ctx, task.id)
  await work(ctx, id)
  const before = receiver.received.length
  await work(ctx, id)
  assert.equal(receiver.received.length, before)
})

test('run at the same moment twice, the second is refused', async () => {
  const ctx = await at('2026-11-23T12:01:00Z')
  const task = await make(ctx, { enabled: false })
  assert.equal(task.nextRunAt, null)
  await runTask(ctx, task.id)
  await assert.rejects(runTask(ctx, task.id), { code: 'LIMIT_EXCEEDED' })
})

test('events: what is done is told, what is refused is not', async () => {
  const ctx = await at('2026-11-23T12:01:00Z')
  await world.app.sql.query('delete from events.outbox')
  const { id } = await make(ctx)
  await updateTask(ctx, id, { name: 'u' })
  await runTask(ctx, id)
  await deleteTask(ctx, id)
  await assert.rejects(deleteTask(ctx, id), { code: 'NOT_FOUND' })
  await assert.rejects(updateTask(ctx, id, { name: 'v' }), { code: 'NOT_FOUND' })
  assert.deepEqual(await world.emitted(), ['tasks.created', 'tasks.updated', 'runs.created', 'tasks.deleted'])
})

test('others may not', async () => {
  const ctx = await at('2026-11-23T12:01:00Z')
  const { id } = await make(ctx)
  const guest = world.context(ctx.projectId)
  const calls = (ctx: Context) => [() => runTask(ctx, id), () => deleteTask(ctx, id), () => updateTask(ctx, id, {})]
  for (const refused of [() => make(guest), ...calls(guest)]) {
    await assert.rejects(refused, { code: 'FORBIDDEN' })
  }
  const { owner: stranger } = await world.createProject()
  for (const refused of calls(stranger)) {
    await assert.rejects(refused, { code: 'NOT_FOUND' })
  }
})

test('bad input', async () => {
  const ctx = await at('2026-11-23T12:01:00Z')
  const wrong: [Partial<NewTask>, string][] = [
    [{ schedule: 'nonsense' }, 'schedule'],
    [{ schedule: '61 * * * *' }, 'schedule'],
    [{ schedule: '0 0 30 2 *' }, 'schedule'],
    [{ schedule: '@reboot' }, 'schedule'],
    [{ schedule: 'H * * * *' }, 'schedule'],
    [{ schedule: '* * * * * * *' }, 'schedule'],
    [{ timeZone: 'Mars/One' }, 'timeZone'],
    [{ method: 'TRACE' }, 'method'],
    [{ method: 'GET / HTTP/1.1\r\nX: y' }, 'method'],
    [{ url: 'file:///etc/passwd' }, 'url'],
    [{ headers: [{ name: 'x', value: 'a\r\nb: c' }] }, 'headers.0.value'],
    [{ headers: [{ name: 'x:y', value: 'a' }] }, 'headers.0.name'],
    [{ headers: [{ name: 'Host', value: 'inner' }] }, 'headers.0.name'],
    [{ headers: [{ name: 'Content-Length', value: '5' }] }, 'headers.0.name'],
    [{ headers: [{ name: 'Authorization', value: 'a' }], basicAuth: { username: 'a', password: '' } }, 'headers'],
    [{ headers: Array.from({ length: 33 }, (_, i) => ({ name: `x${i}`, value: 'a' })) }, 'headers'],
  ]
  for (const [input, field] of wrong) {
    await assert.rejects(
      make(ctx, input),
      { code: 'INVALID', at: ['input', ...field.split('.')] },
      JSON.stringify(input),
    )
  }
  const proto = await make(ctx, { headers: [{ name: '__proto__', value: 'a' }] })
  assert.ok(proto.headers)
})
