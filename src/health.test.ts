import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import { createHealth, type Dependency } from './health.ts'
import { createPool } from './platform/db.ts'
import { createSandbox } from './platform/sandbox.ts'
import { createPeer } from './testing/executor.ts'
import { eventually } from './testing/receiver.ts'
import { tickTimes } from './testing/stream.ts'
import { createWorld, type World } from './testing/world.ts'

let world: World
before(async () => {
  world = await createWorld()
})
after(() => world.close())

test('tells each dependency apart, and is ready without all but PostgreSQL', async () => {
  const { env, sql, clock } = world.app
  const gone = createPool('postgresql://postgres@127.0.0.1:1/none', 4)
  const noRedis = { ...env, REDIS_URL: 'redis://127.0.0.1:1' }
  const noQueue = { ...env, MONGODB_URL: 'mongodb://127.0.0.1:1' }
  const parts = [
    { env, sql, status: 'ready', missing: [] },
    { env: noRedis, sql, status: 'degraded', missing: ['redis'] },
    { env: noQueue, sql, status: 'degraded', missing: ['queue'] },
    { env, sql: gone, status: 'unavailable', missing: ['postgres', 'queue', 'events'] },
  ]
  for (const { status, missing, ...given } of parts) {
    const health = createHealth({ ...given, clock })
    await eventually(async () => {
      const { status: found, executors: _executors, ...each } = await health.ready()
      const unavailable = Object.entries(each).filter(([, one]) => one.status === 'unavailable')
      assert.deepEqual([found, unavailable.map(([name]) => name)], [status, missing])
      for (const [, one] of unavailable)
        assert.match(
          one.lastError?.message ?? '',
          /^(The connection was refused|It cannot be used|It did not answer in time)\.$/,
        )
      for (const one of Object.values(each)) assert.equal(one.latencyMs === null, one.status === 'unavailable')
    })
    await health.close()
  }
  await gone.end()
})

test('executors of functions are told apart, and a node is ready without them', async () => {
  const peer = await createPeer(() => ({}))
  const env = { ...world.env, EXECUTORS: [peer.url, 'http://127.0.0.1:1'], EXECUTOR_SECRET: peer.secret }
  const sandbox = createSandbox({ env, log: world.app.log })
  const { sql, clock } = world.app
  const health = createHealth({ env, sql, clock, sandbox })
  await eventually(async () => {
    const { status, executors } = await health.ready()
    assert.equal(status, 'degraded')
    assert.deepEqual(executors, [
      { status: 'ok', reason: null, isSealed: false },
      { status: 'unavailable', reason: 'The connection was refused.', isSealed: null },
    ])
  })
  await health.close()
  sandbox.close()
  peer.close()
})

test('however many ask at a time, the servers are asked once', async () => {
  const { env, sql, clock } = world.app
  let asked = 0
  const query = (...given: Parameters<typeof sql.query>) => {
    asked += 1
    return sql.query(...given)
  }
  const health = createHealth({ env, sql: { query } as unknown as typeof sql, clock })
  const all = await Promise.all(Array.from({ length: 50 }, () => health.ready()))
  // For PostgreSQL itself, and for the events in it.
  assert.deepEqual([asked, new Set(all).size], [2, 1])
  await health.ready()
  assert.equal(asked, 4)
  await health.close()
})

test('says what was last wrong when it is right again, and says when events are late', async () => {
  const { env, sql, clock } = world.app
  const { projectId } = await world.createProject()
  const health = createHealth({ env, sql, clock })
  const events = async (): Promise<Dependency> => (await health.ready()).events
  await tickTimes(world.context(projectId), 'a', 0, 1)
  assert.equal((await events()).status, 'ok')
  await sql.query(`update events.outbox set at = at - interval '1 minute'`)
  const message = 'Events have waited for the relay for more than 10 seconds.'
  assert.deepEqual([(await events()).status, (await events()).lastError?.message], ['unavailable', message])
  await sql.query('delete from events.outbox')
  assert.deepEqual([(await events()).status, (await events()).lastError?.message], ['ok', message])
  await health.close()
})
