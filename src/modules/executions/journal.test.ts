import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import { setTimeout as wait } from 'node:timers/promises'
import pg from 'pg'
import { makeFunction } from '../../testing/functions.ts'
import { eventually } from '../../testing/receiver.ts'
import { createWorld, type World } from '../../testing/world.ts'
import { callableFunction } from './executions.ts'
import { createJournal, writePlanned } from './journal.ts'
import { outcomeOf } from './outcome.ts'
import { endOf, planOf } from './run.ts'

let world: World

before(async () => {
  world = await createWorld()
})
after(() => world.close())

type Read = { ended: number; read: number }

/** Rows of executions that were changed, and all that were read for any reason. */
async function look(): Promise<Read> {
  const { rows } = await world.app.sql.query<Read>(
    `select n_tup_upd::int as ended, (seq_tup_read + idx_tup_fetch + (select sum(idx_tup_read) from pg_stat_user_indexes
       where relname = 'executions'))::int as read from pg_stat_user_tables where relname = 'executions'`,
  )
  return rows[0] ?? { ended: 0, read: 0 }
}

const request = { method: 'GET', url: '/', headers: {}, body: Buffer.alloc(0) }
const answered = {
  ...{ response: { status: 200, headers: { a: 'b' } }, failure: null, body: Buffer.from('said') },
  ...{ durationMs: 1, memoryBytes: 5, isCold: false, logs: [], logsDropped: 0 },
}

async function begun() {
  const { owner: ctx } = await world.createProject()
  const { id } = await makeFunction(ctx)
  const plan = await callableFunction(ctx, id)
  const planned = planOf(ctx, plan, { trigger: 'API', request }, { status: 'RUNNING', isAsync: false, attempts: 1 })
  const ended = { ...endOf(planned), ...outcomeOf(plan, answered, new Date()) }
  const row = () => ctx.db.execution.findUnique({ where: { id: planned.id } })
  const events = async () => {
    const { rows } = await ctx.sql.query<{ type: string }>(
      'select type from events.outbox where "executionId" = $1 union all select type from events.log where "executionId" = $1',
      [planned.id],
    )
    return rows.map(({ type }) => type)
  }
  return { ctx, planned, ended, row, events, functionId: id }
}

test('a run that is over soon is written once, as one that was written at its beginning', async () => {
  const [soon, first] = [await begun(), await begun()]
  assert.ok(await soon.ctx.journal.open(soon.planned).end(soon.ended))
  const opened = first.ctx.journal.open(first.planned)
  assert.ok(await opened.begin())
  assert.equal((await first.row())?.status, 'RUNNING')
  assert.ok(await opened.end(first.ended))
  const own = {
    id: '',
    projectId: '',
    functionId: '',
    deploymentId: '',
    actorId: '',
    createdAt: null,
    startedAt: null,
    finishedAt: null,
  }
  const [one, other] = [await soon.row(), await first.row()]
  assert.deepEqual({ ...one, ...own }, { ...other, ...own })
  assert.deepEqual([one?.status, one?.responseBody, one?.startedAt], ['COMPLETED', 'said', soon.planned.startedAt])
  assert.deepEqual([await soon.events(), await first.events()], [['executions.finished'], ['executions.finished']])
})

test('a run that takes a while is there meanwhile', async () => {
  const { ctx, planned, ended, row } = await begun()
  const opened = ctx.journal.open(planned)
  assert.equal(await row(), null)
  while ((await row()) === null) await wait(20)
  assert.equal((await row())?.status, 'RUNNING')
  assert.ok(await opened.end(ended))
  assert.equal((await row())?.status, 'COMPLETED')
})

test('a run whose function is gone is not written, whenever it is', async () => {
  for (const when of ['begin', 'end'] as const) {
    const { ctx, planned, ended, row, functionId } = await begun()
    const opened = ctx.journal.open(planned)
    await ctx.db.function.update({ where: { id: functionId }, data: { deletedAt: new Date() } })
    if (when === 'begin') assert.equal(await opened.begin(), false)
    assert.equal(await opened.end(ended), false)
    assert.equal(await row(), null)
  }
})

test('a run whose beginning could not be written is written at its end, whether it was or not', async () => {
  for (const isThere of [false, true]) {
    const { ctx, planned, ended, row } = await begun()
    const sql = new pg.Pool({ connectionString: world.env.DATABASE_URL, max: 1, application_name: planned.id })
    sql.on('error', () => {})
    const opened = createJournal({ sql, wake: () => {} }).open(planned)
    const holder = await ctx.sql.connect()
    await holder.query('begin; lock table executions in share mode')
    const failed = assert.rejects(opened.begin(), { code: '57P01' })
    const end = `select pg_terminate_backend(pid) from pg_stat_activity where application_name = $1 and wait_event_type = 'Lock'`
    await eventually(async () => assert.equal((await ctx.sql.query(end, [planned.id])).rowCount, 1))
    await failed
    await holder.query('commit')
    holder.release()
    if (isThere) await writePlanned(ctx.sql, [planned])
    assert.ok(await opened.end(ended))
    assert.deepEqual([(await row())?.status, (await row())?.responseBody], ['COMPLETED', 'said'])
    await sql.end()
  }
})

test('a run that was ended from elsewhere has been there', async () => {
  const { ctx, planned, ended, row } = await begun()
  const opened = ctx.journal.open(planned)
  await opened.begin()
  await ctx.journal.end({ ...ended, status: 'FAILED' })
  assert.ok(await opened.end(ended))
  assert.equal((await row())?.status, 'FAILED')
})

test('The end of a run reads nothing of the runs that wait', async () => {
  const { owner: ctx } = await world.createProject()
  const { id } = await makeFunction(ctx)
  const plan = await callableFunction(ctx, id)
  const asked = { trigger: 'API', request } as const
  const later = () => planOf(ctx, plan, asked, { status: 'PENDING', isAsync: true, attempts: 0 })
  await writePlanned(
    ctx.sql,
    Array.from({ length: 3_000 }, () => later()),
  )
  const planned = planOf(ctx, plan, asked, { status: 'RUNNING', isAsync: false, attempts: 1 })
  assert.ok(await ctx.journal.begin(planned))
  await wait(1_500)
  const before = await look()
  const outcome = outcomeOf(plan, answered, new Date())
  assert.ok(await ctx.journal.end({ ...endOf(planned), ...outcome }))
  // What PostgreSQL counts is told a while later.
  let now = before
  for (let i = 0; i < 100 && now.ended === before.ended; i++) {
    await wait(100)
    now = await look()
  }
  assert.equal(now.ended - before.ended, 1)
  assert.ok(now.read - before.read < 100, `${now.read - before.read} rows were read`)
})
