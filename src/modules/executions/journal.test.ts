import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import { setTimeout as wait } from 'node:timers/promises'
import { makeFunction } from '../../testing/functions.ts'
import { createWorld, type World } from '../../testing/world.ts'
import { callableFunction } from './executions.ts'
import { writePlanned } from './journal.ts'
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

test('The end of a run reads nothing of the runs that wait', async () => {
  const { owner: ctx } = await world.createProject()
  const { id } = await makeFunction(ctx)
  const plan = await callableFunction(ctx, id)
  const asked = { trigger: 'API', request: { method: 'GET', url: '/', headers: {}, body: Buffer.alloc(0) } } as const
  const later = () => planOf(ctx, plan, asked, { status: 'PENDING', isAsync: true, attempts: 0 })
  await writePlanned(
    ctx.sql,
    Array.from({ length: 3_000 }, () => later()),
  )
  const planned = planOf(ctx, plan, asked, { status: 'RUNNING', isAsync: false, attempts: 1 })
  assert.ok(await ctx.journal.begin(planned))
  await wait(1_500)
  const before = await look()
  const rest = { durationMs: 1, memoryBytes: null, isCold: false, logs: [], logsDropped: 0, body: Buffer.alloc(0) }
  const outcome = outcomeOf(plan, { ...rest, response: { status: 200, headers: {} }, failure: null }, new Date())
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
