import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import { setTimeout as wait } from 'node:timers/promises'
import { createHealth } from './health.ts'
import { createPool } from './platform/db.ts'
import { createWorld, type World } from './testing/world.ts'

let world: World
before(async () => {
  world = await createWorld()
})
after(() => world.close())

test('tells PostgreSQL and Redis apart, and is ready without Redis', async () => {
  const { env, sql } = world.app
  const gone = createPool('postgresql://postgres@127.0.0.1:1/none', 4)
  const noRedis = { ...env, REDIS_URL: 'redis://127.0.0.1:1' }
  const parts = [
    { env, sql, expected: { status: 'ready', postgres: 'ok', redis: 'ok' } },
    { env: noRedis, sql, expected: { status: 'degraded', postgres: 'ok', redis: 'unavailable' } },
    { env, sql: gone, expected: { status: 'unavailable', postgres: 'unavailable', redis: 'ok' } },
    { env: noRedis, sql: gone, expected: { status: 'unavailable', postgres: 'unavailable', redis: 'unavailable' } },
  ]
  for (const { expected, ...given } of parts) {
    const health = createHealth(given)
    await wait(200)
    assert.deepEqual(await health.ready(), expected)
    health.close()
  }
  await gone.end()
})
