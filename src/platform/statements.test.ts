import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import type { Pool } from 'pg'
import { createWorld, type World } from '../testing/world.ts'
import { createPool } from './db.ts'
import { createPipelines, pipelineLimits } from './pipelines.ts'
import { readAnswer } from './statements.ts'

let world: World
let pool: Pool
before(async () => {
  world = await createWorld()
  pool = createPool(world.env.DATABASE_URL, 8)
})
after(async () => {
  await pool.end()
  await world.close()
})

const double = (mark: string) => `select (2 * $1::int)::text as "${mark}"`
const asMany = <T>(count: number, ask: (i: number) => Promise<T>) =>
  Promise.all(Array.from({ length: count }, (_, i) => ask(i)))

/** A statement that is known to be quick: it has been asked for a few times. */
async function known(text: string, values: unknown[]): Promise<string> {
  for (let i = 0; i < 20; i += 1) await readAnswer(pool, text, values)
  return text
}

test('of reads that are asked for at once each has its own answer', async () => {
  const text = await known(double('shared'), [1])
  const answers = await asMany(200, (i) => readAnswer(pool, text, [i]))
  assert.deepEqual(
    answers,
    Array.from({ length: 200 }, (_, i) => String(2 * i)),
  )
})

test('how many connections they take is decided by how long they are expected to take', async () => {
  const { ask } = createPipelines(pool, () => false, { ...pipelineLimits, lateMs: 10_000 })
  const text = 'select pg_backend_pid()::text from pg_sleep($1)'
  const pid = (costMs: number, seconds: number) =>
    new Promise((resolve, reject) => {
      const config = { text, values: [seconds], rowMode: 'array' } as {
        text: string
        values: unknown[]
        rowMode: 'array'
      }
      ask({ config, costMs, done: (error, answer) => (error ? reject(error) : resolve(answer)) })
    })
  assert.equal(new Set(await asMany(20, () => pid(pipelineLimits.aheadMs / 40, 0))).size, 1)
  // So long that none has ended before all have begun.
  assert.equal(new Set(await asMany(8, () => pid(pipelineLimits.aheadMs, 0.5))).size, 8)
})

test('an answer is null where there is no row, and an error is that of one read alone', async () => {
  const text = await known('select (12 / $1::int)::text where $1::int < 50', [1])
  const answers = await Promise.allSettled([3, 0, 60, 4].map((n) => readAnswer(pool, text, [n])))
  assert.deepEqual(
    answers.map((one) => (one.status === 'fulfilled' ? one.value : one.reason.code)),
    ['4', '22012', null, '3'],
  )
})

test('whoever waits behind one that takes long after all is asked elsewhere', async () => {
  const text = await known('select pg_sleep($1::float8)::text || $2::text', [0, ''])
  const begun = performance.now()
  const slow = readAnswer(pool, text, [1.5, 'slow'])
  const quick = await asMany(5, (i) => readAnswer(pool, text, [0, `${i}`]))
  const tookMs = performance.now() - begun
  assert.deepEqual(quick, ['0', '1', '2', '3', '4'])
  assert.ok(tookMs >= pipelineLimits.lateMs, 'they were sent behind it')
  assert.ok(tookMs < 1_000, `${tookMs} ms`)
  assert.equal(await slow, 'slow')
})

test('what is known to be slow keeps nobody waiting', async () => {
  const slowText = 'select pg_sleep(0.3)::text || $1::text'
  for (let i = 0; i < 3; i += 1) await readAnswer(pool, slowText, ['slow'])
  const text = await known(double('beside'), [1])
  const slow = readAnswer(pool, slowText, ['slow'])
  const begun = performance.now()
  await asMany(20, (i) => readAnswer(pool, text, [i]))
  assert.ok(performance.now() - begun < 200)
  assert.equal(await slow, 'slow')
})

test('a statement that cannot be prepared says why to all who ask for it', async () => {
  const text = 'select name from nowhere where name = $1'
  await assert.rejects(readAnswer(pool, text, ['a']), { code: '42P01' })
  // Known to be quick before its table goes.
  await pool.query('create table nowhere (name text)')
  await known(text, ['a'])
  await pool.query('drop table nowhere')
  const fresh = createPool(world.env.DATABASE_URL, 2)
  try {
    const refused = await Promise.allSettled(Array.from({ length: 6 }, () => readAnswer(fresh, text, ['a'])))
    assert.deepEqual(
      refused.map((one) => (one.status === 'rejected' ? one.reason.code : 'answered')),
      Array.from({ length: 6 }, () => '42P01'),
    )
  } finally {
    await fresh.end()
  }
})

test('a connection that ends takes along what was asked on it, and nothing else', async () => {
  const text = await known('select pg_sleep($1::float8)::text || pg_backend_pid()', [0])
  const lost = Promise.allSettled([0.5, 0.51, 0.52].map((s) => readAnswer(pool, text, [s])))
  await sleep(5)
  const { rows } = await world.app.sql.query(
    `select pg_terminate_backend(pid) from pg_stat_activity where query like 'select pg_sleep($1%' and state = 'active'`,
  )
  assert.ok(rows.length > 0)
  assert.ok((await lost).some(({ status }) => status === 'rejected'))
  assert.deepEqual(new Set(await asMany(9, () => readAnswer(pool, double('again'), [4]))), new Set(['8']))
  assert.ok(pool.totalCount <= 8)
  assert.equal(pool.waitingCount, 0)
})

test('a statement that a connection has lost is asked for once more, on another', async () => {
  const text = await known(double('forgotten'), [1])
  const { rows } = await pool.query('deallocate all')
  assert.equal(rows.length, 0)
  const answers = await asMany(30, (i) => readAnswer(pool, text, [i]))
  assert.deepEqual(answers.at(-1), '58')
})

test('a pool that ends says so to who reads, and to who waits behind a slow one', async () => {
  const ending = createPool(world.env.DATABASE_URL, 3)
  const text = 'select pg_sleep($1::float8)::text || $2::text'
  for (let i = 0; i < 20; i += 1) await readAnswer(ending, text, [0, ''])
  const asked = Promise.allSettled([0.2, 0, 0].map((seconds, i) => readAnswer(ending, text, [seconds, `${i}`])))
  await sleep(5)
  const ended = ending.end()
  await assert.rejects(readAnswer(ending, text, [0, '']), /after calling end/)
  const [slow, ...behind] = await asked
  assert.equal(slow?.status, 'fulfilled')
  for (const one of behind) if (one.status === 'rejected') assert.match(String(one.reason), /after calling end/)
  await ended
})

test('a value that cannot be sent is an error of its read, and no answer goes to another', async () => {
  const text = await known(double('bound'), [1])
  const circle: Record<string, unknown> = {}
  circle.self = circle
  const answers = await Promise.allSettled([1, circle, 3, 4].map((value) => readAnswer(pool, text, [value])))
  for (const [i, one] of answers.entries()) {
    if (i === 1) assert.equal(one.status, 'rejected')
    else if (one.status === 'fulfilled') assert.equal(one.value, String(2 * (i + 1)))
  }
  assert.deepEqual(await asMany(9, (i) => readAnswer(pool, text, [i])), [
    '0',
    '2',
    '4',
    '6',
    '8',
    '10',
    '12',
    '14',
    '16',
  ])
})

test('the pool is given all its connections back', async () => {
  const text = await known(double('given back'), [1])
  await asMany(300, (i) => readAnswer(pool, text, [i]))
  assert.equal(pool.idleCount, pool.totalCount)
  await assert.doesNotReject(asMany(8, () => pool.query('select pg_sleep(0.01)')))
})
