import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import { z } from 'zod'
import { defineJob } from '../src/job.ts'
import { createQueue, type Queue } from '../src/platform/queue/queue.ts'
import { eventually } from '../src/testing/receiver.ts'
import { tickTimes } from '../src/testing/stream.ts'
import { createWorld, type World } from '../src/testing/world.ts'
import { bridgeBatch, sweep } from './bridge.ts'
import { onEvent, onMoment, type Worker } from './implement.ts'
import { startRelay } from './relay.ts'
import '../src/testing/agenda.ts'

let world: World
let queue: Queue
let relay: ReturnType<typeof startRelay>

const each = defineJob({ name: 'ticks.each', data: z.object({ n: z.number() }), concurrency: 1, retryAfterMs: [] })
const batch = defineJob({ name: 'ticks.batch', data: z.object({}), concurrency: 1, retryAfterMs: [] })
const ticks: Worker = {
  name: 'ticks',
  jobs: [],
  reactions: [
    onEvent(['ticks.created'], each, { data: ({ payload }) => ({ n: (payload as { n: number }).n }) }),
    onMoment(batch),
  ],
}

const options = () => {
  const { sql, log, env, tails } = world.app
  return { sql, log, redisUrl: env.REDIS_URL, epoch: tails.epoch }
}
const cursor = async () => {
  const { rows } = await world.app.sql.query(`select seq from consumers where name = 'bridge'`)
  return Number(rows[0]?.seq ?? 0)
}
const logged = async (count: number) => {
  const { rows } = await world.app.sql.query('select seq from events.head')
  assert.equal(Number(rows[0]?.seq), count)
}

before(async () => {
  world = await createWorld()
  relay = startRelay(world.app)
  queue = createQueue(options())
  queue.start()
  await eventually(() => queue.enqueue({ name: 'warm' }, 'up', {}))
})
after(async () => {
  await relay.stop()
  await queue.close()
  await world.close()
})

test('what events lead to is enqueued in their order, and the cursor moves', async () => {
  const { projectId } = await world.createProject()
  await tickTimes(world.context(projectId), 'a', 0, 10)
  await eventually(() => logged(10))
  assert.equal(await bridgeBatch(world.app, queue, [ticks]), 10)
  assert.equal(await cursor(), 10)
  const jobs = await queue.page({ first: 100, name: 'ticks.each' })
  assert.equal(jobs.length, 10)
  assert.equal((await queue.page({ first: 100, name: 'ticks.batch' })).length, 1)
  assert.equal(await bridgeBatch(world.app, queue, [ticks]), 0)
})

test('a bridge that died before its cursor moved enqueues nothing twice', async () => {
  await world.app.sql.query(`update consumers set seq = 4 where name = 'bridge'`)
  assert.equal(await bridgeBatch(world.app, queue, [ticks]), 6)
  assert.equal((await queue.page({ first: 100, name: 'ticks.each' })).length, 10)
})

test('while the queue is away the cursor waits, and nothing is lost', async () => {
  const { projectId } = await world.createProject()
  await tickTimes(world.context(projectId), 'b', 0, 3)
  await eventually(() => logged(13))
  const away = createQueue({ ...options(), mongoUrl: 'mongodb://127.0.0.1:1/?serverSelectionTimeoutMS=200' })
  away.start()
  await assert.rejects(bridgeBatch(world.app, away, [ticks]), /cannot be reached/)
  await away.close(0)
  assert.equal(await cursor(), 10)
  assert.equal(await bridgeBatch(world.app, queue, [ticks]), 3)
  assert.equal(await cursor(), 13)
})

test('of many bridges one works', async () => {
  const { projectId } = await world.createProject()
  await tickTimes(world.context(projectId), 'c', 0, 5)
  await eventually(() => logged(18))
  const counts = await Promise.all([1, 2, 3].map(() => bridgeBatch(world.app, queue, [ticks])))
  assert.deepEqual(counts.sort(), [0, 0, 5])
})

test('what is owed is enqueued', async () => {
  const owing: Worker = { ...ticks, owed: async () => [{ job: each, key: 'owed', data: { n: 1 } }] }
  await sweep(world.app, queue, [owing])
  await sweep(world.app, queue, [owing])
  const jobs = await queue.page({ first: 100, name: 'ticks.each' })
  assert.equal(jobs.filter(({ key }) => key === 'owed').length, 1)
})
