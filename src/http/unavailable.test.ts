import assert from 'node:assert/strict'
import { createServer } from 'node:net'
import { test } from 'node:test'
import { createDb, createPool } from '../platform/db.ts'
import { createRedis } from '../platform/redis.ts'
import { createWorld } from '../testing/world.ts'
import { isUnavailable } from './unavailable.ts'

const nowhere = 'postgresql://postgres@127.0.0.1:1/none'

async function errorOf(work: Promise<unknown>): Promise<unknown> {
  return work.then(
    () => assert.fail('it worked'),
    (error) => error,
  )
}

async function isOut(work: Promise<unknown>): Promise<void> {
  const error = await errorOf(work)
  assert.ok(isUnavailable(error), `${error}`)
}

test('a PostgreSQL that is not there', async () => {
  const sql = createPool(nowhere, 4)
  const db = createDb(sql)
  await isOut(sql.query('select 1'))
  await isOut(db.project.count())
  await isOut(db.$transaction(async (tx) => tx.project.count()))
  await db.$disconnect()
  await sql.end()
  await isOut(sql.query('select 1'))
})

test('a PostgreSQL that hangs up, is full, takes too long, or ends our connection', async () => {
  const hangsUp = createServer((socket) => socket.destroy()).listen(0, '127.0.0.1')
  await new Promise((resolve) => hangsUp.once('listening', resolve))
  const { port } = hangsUp.address() as { port: number }
  const broken = createPool(`postgresql://postgres@127.0.0.1:${port}/none`, 4)
  await isOut(broken.query('select 1'))
  hangsUp.close()

  const world = await createWorld()
  const { sql, db } = world.app
  await isOut(sql.query('set local statement_timeout = 20; select pg_sleep(1)'))
  await isOut(
    db.$transaction([
      db.$executeRawUnsafe('set local statement_timeout = 20'),
      db.$executeRawUnsafe('select pg_sleep(1)'),
    ]),
  )
  await isOut(sql.query('select pg_terminate_backend(pg_backend_pid())'))
  await isOut(db.$executeRawUnsafe('select pg_terminate_backend(pg_backend_pid())'))
  await isOut(db.$transaction((tx) => tx.$executeRawUnsafe('select pg_sleep(1)'), { timeout: 50 }))
  assert.equal(isUnavailable(await errorOf(sql.query('select nonsense'))), false)
  assert.equal(isUnavailable(await errorOf(db.$executeRawUnsafe('select nonsense'))), false)
  await world.close()
})

test('a Redis that is not there', async () => {
  const redis = createRedis('redis://127.0.0.1:1')
  await isOut(redis.ping())
  redis.disconnect()
  await isOut(redis.ping())
})

test('a mistake of ours is none of these', () => {
  for (const error of [
    new Error('boom'),
    new TypeError('x is undefined'),
    null,
    'text',
    { code: '23505' },
    { code: 'P2002' },
  ]) {
    assert.equal(isUnavailable(error), false)
  }
  const loop: { cause?: unknown } = {}
  loop.cause = loop
  assert.equal(isUnavailable(loop), false)
})
