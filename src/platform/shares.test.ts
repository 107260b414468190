import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import pg from 'pg'
import { sqlTransaction } from '../context.ts'
import { Unavailable } from '../errors.ts'
import { eventually } from '../testing/receiver.ts'
import { within } from '../testing/stream.ts'
import { createWorld, type World } from '../testing/world.ts'
import { createShares, shareLimits } from './shares.ts'

let world: World
before(async () => {
  world = await createWorld({ DATABASE_POOL: '4' })
})
after(() => world.close())

/** Work that a test ends, and how much of each project runs at this moment. */
function stage(shares = createShares(8)) {
  const running: Record<string, number> = {}
  const ends: (() => void)[] = []
  const begin = (projectId: string) =>
    shares.run(projectId, async () => {
      running[projectId] = (running[projectId] ?? 0) + 1
      await new Promise<void>((resolve) => ends.push(resolve))
      running[projectId] = (running[projectId] ?? 0) - 1
    })
  const end = async (count: number) => {
    for (const done of ends.splice(0, count)) done()
    await sleep(1)
  }
  return { shares, running, begin, end }
}

test('a project that is alone may use all connections but one', async () => {
  const { running, begin, end, shares } = stage()
  const all = Promise.all(Array.from({ length: 20 }, () => begin('noisy')))
  await sleep(1)
  assert.deepEqual([running.noisy, shares.waiting()], [7, 13])
  for (let i = 0; i < 3; i += 1) await end(10)
  await all
  assert.equal(shares.waiting(), 0)
})

test('beside another it has a quarter of them, and the other never waits', async () => {
  const { running, begin, end } = stage()
  const noisy = Promise.all(Array.from({ length: 20 }, () => begin('noisy')))
  const quiet = begin('quiet')
  await sleep(1)
  assert.deepEqual(running, { noisy: 7, quiet: 1 })
  await end(6)
  assert.deepEqual(running, { noisy: 2, quiet: 1 }, 'it had seven: one is given for the sixth that ends')
  for (let i = 0; i < 15; i += 1) await end(4)
  await Promise.all([noisy, quiet])
})

test('what fails gives its place back, and what waits keeps its order', async () => {
  const shares = createShares(2)
  const order: number[] = []
  const work = async (n: number) => {
    order.push(n)
    await sleep(1)
    if (n % 2 === 0) throw new Error('broken')
  }
  await Promise.allSettled(Array.from({ length: 9 }, (_, n) => shares.run('p', () => work(n))))
  assert.deepEqual(order, [0, 1, 2, 3, 4, 5, 6, 7, 8])
})

test('too much of one project is refused, at once or after a while; others are served', async () => {
  const { begin, end, shares } = stage(createShares(4, { ...shareLimits, waitMs: 50, waiting: 5 } as never))
  const held = Array.from({ length: 3 }, () => begin('noisy'))
  const late = Array.from({ length: 5 }, () => begin('noisy').catch((error) => error))
  const isRefusal = (error: unknown) => error instanceof Unavailable && error.retryAfterMs === 1_000
  await assert.rejects(begin('noisy'), isRefusal)
  assert.equal(await shares.run('quiet', async () => 'served'), 'served')
  assert.ok((await Promise.all(late)).every(isRefusal))
  assert.equal(shares.waiting(), 0)
  await end(3)
  await Promise.all(held)
})

test('a project that is busy keeps its share, and its waiting is given up, however many others ask meanwhile', async () => {
  const { begin, end, running, shares } = stage(createShares(4, { ...shareLimits, waitMs: 50, projects: 2 } as never))
  const held = Array.from({ length: 3 }, () => begin('noisy'))
  const late = begin('noisy').catch((error) => error)
  for (const name of ['a', 'b', 'c', 'd']) await shares.run(name, async () => {})
  const refused = begin('noisy').catch((error) => error)
  for (const name of ['a', 'b', 'c', 'd']) await shares.run(name, async () => {})
  assert.deepEqual([running.noisy, shares.waiting()], [3, 2])
  assert.ok((await Promise.all([late, refused])).every((error) => error instanceof Unavailable))
  assert.equal(shares.waiting(), 0)
  await end(3)
  await Promise.all(held)
})

test('one project that writes all it can leaves connections for another', async () => {
  const holder = new pg.Client({ connectionString: world.env.DATABASE_URL })
  await holder.connect()
  await holder.query('select pg_advisory_lock(7)')
  const slow = Array.from({ length: 12 }, () =>
    sqlTransaction(world.context('noisy'), (tx) => tx.query('select pg_advisory_xact_lock_shared(7)')),
  )
  const waiting = `select from pg_locks where locktype = 'advisory' and not granted and objid = 7`
  await eventually(async () => assert.notEqual((await holder.query(waiting)).rowCount, 0))
  const quiet = sqlTransaction(world.context('quiet'), (tx) => tx.query('select 1'))
  await within(quiet, 5_000, 'it waited for the others').finally(() => holder.end())
  await Promise.all(slow)
})

test('costs little where nobody waits', async (t) => {
  const shares = createShares(10)
  const run = async (n: number) => {
    const { user, system } = process.threadCpuUsage()
    for (let i = 0; i < n; i += 1) await shares.run(`p${i % 3}`, async () => i)
    const used = process.threadCpuUsage()
    return (used.user + used.system - user - system) / n
  }
  await run(10_000)
  const us = await run(100_000)
  t.diagnostic(`${us.toFixed(2)} µs`)
  assert.ok(us < 10, `${us} µs`)
})
