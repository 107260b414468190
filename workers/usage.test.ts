import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import { transaction } from '../src/context.ts'
import { emit } from '../src/event.ts'
import { countEventsJob } from '../src/modules/usage/jobs.ts'
import { usageOf } from '../src/modules/usage/usage.ts'
import { addUsage } from '../src/modules/usage/write.ts'
import { userUpdated } from '../src/modules/users/events.ts'
import { createLog } from '../src/platform/log.ts'
import { createMeter } from '../src/platform/meter.ts'
import { eventually } from '../src/testing/receiver.ts'
import { createTables } from '../src/testing/tables.ts'
import { createWorld, type World } from '../src/testing/world.ts'
import { startRelay } from './relay.ts'
import { measureStocks } from './usage/stocks.ts'
import { usage } from './usage.ts'

let world: World
let relay: ReturnType<typeof startRelay>

before(async () => {
  world = await createWorld()
  relay = startRelay(world.app)
})
after(async () => {
  await relay.stop()
  await world.close()
})

const signal = new AbortController().signal
const count = () => {
  const job = usage.jobs.find(({ job }) => job === countEventsJob)
  return job?.run({ ...world.app, key: 'k', signal }, {})
}
const head = async () => String((await world.app.sql.query('select seq from events.head')).rows[0]?.seq)
type Ctx = Parameters<typeof usageOf>[0]
const totals = async (ctx: Ctx, names: string[], range: Parameters<typeof usageOf>[1] = 'H24') =>
  Object.fromEntries((await usageOf(ctx, range, names)).series.map(({ metric, total }) => [metric.name, total]))

test('events are counted once, whoever counts them how often, each for its project', async () => {
  const [{ owner: one }, { owner: two }] = [await world.createProject(), await world.createProject()]
  for (const [ctx, times] of [
    [one, 120],
    [two, 30],
  ] as const)
    await transaction(ctx, async (tx) => {
      for (let i = 0; i < times; i++) await emit(tx, userUpdated, { userId: `usr_${i}` })
    })
  await eventually(async () => assert.ok(Number(await head()) >= 150))
  await Promise.all([count(), count(), count()])
  await count()
  assert.deepEqual(await totals(one, ['users.updated']), { 'users.updated': 120 })
  assert.deepEqual(await totals(two, ['users.updated']), { 'users.updated': 30 })
  for (const range of ['D7', 'D30', 'D90'] as const)
    assert.deepEqual(await totals(two, ['users.updated'], range), { 'users.updated': 30 })
})

test('how much there is of documents and of other things is measured, and stays until it is measured again', async () => {
  const { ctx, sql, make, insertDocuments, tableOf } = await createTables(world)
  const id = await make({ key: 'posts' })
  await insertDocuments(id, 1_000)
  const now = Date.now()
  const measure = (agoMs: number) => measureStocks({ ...world.app, signal, clock: () => new Date(now - agoMs) })
  await eventually(async () =>
    assert.ok((await sql('select 1 from events.project_heads where "projectId" = $1', [ctx.projectId])).length),
  )
  await measure(5 * 3_600_000)
  const names = ['documents.stored', 'collections.stored', 'storage.bytes', 'keys.stored']
  const { 'storage.bytes': bytes, ...counts } = await totals(ctx, names)
  assert.deepEqual(counts, { 'documents.stored': 1_000, 'collections.stored': 1, 'keys.stored': 0 })
  assert.ok(Number(bytes) > 50_000)
  await sql(`delete from ${tableOf(id)} where "_id" < 'doc5'`)
  await measure(0)
  const [series] = (await usageOf(ctx, 'H24', ['documents.stored'])).series
  const values = series?.points.map(({ value }) => value) ?? []
  assert.equal(values.length, 24)
  assert.deepEqual([values[0], values[18], values[22]], [0, 1_000, 1_000])
  assert.ok((values[23] ?? 0) < 1_000)
})

test('what could not be written is counted on, and nothing is counted for a project that is not', async () => {
  const { owner: ctx, projectId } = await world.createProject()
  let broken = true
  const meter = createMeter({
    log: createLog('silent', 'test'),
    flushMs: 60_000,
    write: async (counted) => {
      if (broken) throw new Error('PostgreSQL is away')
      await addUsage(world.app.sql, counted, new Date())
    },
  })
  meter.request(projectId, 10, 100)
  await meter.flush()
  broken = false
  meter.request(projectId, 1, 1)
  meter.count('prj_none', 'jobs.run')
  await Promise.all([meter.flush(), meter.flush()])
  await meter.close()
  assert.deepEqual(await totals(ctx, ['requests', 'bytes.in', 'bytes.out']), {
    requests: 2,
    'bytes.in': 11,
    'bytes.out': 101,
  })
  const { rows } = await world.app.sql.query(`select 1 from usage where "projectId" = 'prj_none'`)
  assert.equal(rows.length, 0)
})

test('many processes write at once, and no number is lost', async () => {
  const { owner: ctx, projectId } = await world.createProject()
  const counted = ['requests', 'bytes.in', 'bytes.out'].map((metric) => ({ projectId, metric, value: 1 }))
  await Promise.all(
    Array.from({ length: 20 }, (_, i) => addUsage(world.app.sql, i % 2 ? counted : counted.toReversed(), new Date())),
  )
  assert.deepEqual(await totals(ctx, ['requests', 'bytes.in', 'bytes.out']), {
    requests: 20,
    'bytes.in': 20,
    'bytes.out': 20,
  })
})

test('what counting costs a request', () => {
  const meter = createMeter({ log: createLog('silent', 'test'), write: async () => {} })
  const ids = Array.from({ length: 100 }, (_, i) => `prj_${i}`)
  const times = 1_000_000
  const run = () => {
    const begun = performance.now()
    for (let i = 0; i < times; i++) meter.request(ids[i % 100] ?? '', 200, 2_000)
    return ((performance.now() - begun) / times) * 1e6
  }
  const best = Math.min(...Array.from({ length: 5 }, run))
  process.stdout.write(`# counting a request: ${best.toFixed(0)} ns\n`)
  assert.ok(best < 20_000)
})
