import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { test } from 'node:test'
import { setImmediate as pass, setTimeout as sleep } from 'node:timers/promises'
import { Unavailable } from '../errors.ts'
import { shareLimits } from '../platform/shares.ts'
import { limits } from './limits.ts'
import { createTurns } from './turns.ts'

/** Begins `count` requests of a project, and writes down each that has its turn. */
function stage(turns = createTurns()) {
  const order: string[] = []
  const begin = async (projectId: string, count: number) => {
    const note = async (i: number) => {
      await turns.wait(projectId)
      order.push(`${projectId}${i}`)
    }
    await Promise.all(Array.from({ length: count }, (_, i) => note(i)))
  }
  return { turns, order, begin }
}

test('a project that is alone waits for nothing', async () => {
  const turns = createTurns()
  for (let i = 0; i < 100; i += 1) assert.equal(turns.wait('a'), null)
  assert.equal(turns.waiting(), 0)
})

test('beside another, a project begins one request in a pass, in their order', async () => {
  const { turns, order, begin } = stage()
  await begin('b', 1)
  const all = begin('a', 5)
  await Promise.resolve()
  assert.deepEqual([order, turns.waiting()], [['b0', 'a0'], 4])
  await pass()
  assert.ok(turns.waiting() >= 2, `${turns.waiting()} wait after a pass`)
  await all
  assert.deepEqual(order, ['b0', 'a0', 'a1', 'a2', 'a3', 'a4'])
})

test('whoever comes later with one request does not wait for those of another', async () => {
  const { turns, order, begin } = stage()
  await begin('b', 1)
  const all = begin('a', 50)
  await pass()
  assert.equal(turns.wait('b'), null)
  assert.ok(turns.waiting() > 40)
  await all
  assert.equal(order.length, 51)
})

test('many projects that wait are begun a few in a pass, each before any is begun again', async () => {
  const { turns, order, begin } = stage()
  const names = ['a', 'b', 'c', 'd', 'e', 'f']
  await begin('z', 1)
  const all = Promise.all(names.map((name) => begin(name, 3)))
  await Promise.resolve()
  const first = order.length
  await pass()
  assert.ok(order.length - first <= 8, `${order.length - first} in a pass`)
  await all
  for (const round of [0, 1, 2]) {
    const begun = order.slice(1 + round * names.length, 1 + (round + 1) * names.length)
    assert.deepEqual(
      begun,
      names.map((name) => `${name}${round}`),
    )
  }
  assert.equal(turns.waiting(), 0)
})

test('a project of which too much waits is refused, others are not; it is alone again after a while', async () => {
  const turns = createTurns(20)
  turns.wait('b')
  const waits = Array.from({ length: limits.load.waiting + 1 }, () => turns.wait('a'))
  assert.throws(() => turns.wait('a'), Unavailable)
  assert.equal(turns.wait('b'), null)
  await Promise.all(waits)
  await sleep(30)
  for (let i = 0; i < 10; i += 1) assert.equal(turns.wait('a'), null)
})

test('a project of which something waits is the same one after thousands of others', async () => {
  const { turns, order, begin } = stage()
  await begin('z', 1)
  const all = begin('a', limits.load.waiting + 1)
  await Promise.resolve()
  for (let i = 0; i < shareLimits.projects; i += 1) turns.wait(`other${i}`)
  assert.throws(() => turns.wait('a'), Unavailable)
  await all
  assert.deepEqual(order.slice(1, 4), ['a0', 'a1', 'a2'])
})

/** In a process of its own: the test runner itself keeps the promises of its tests. */
const bursts = `
  import { setImmediate as pass } from 'node:timers/promises'
  const { createTurns } = await import('${import.meta.resolve('./turns.ts')}')
  const { heldOf } = await import('${import.meta.resolve('../testing/young.ts')}')
  const turns = createTurns()
  const work = async () => {
    await turns.wait('noisy')
    const made = new Array(1_000).fill(1)
    await pass()
    return made.length
  }
  const held = await heldOf(async () => {
    for (let i = 0; i < 20; i += 1) {
      turns.wait('quiet')
      await Promise.all(Array.from({ length: 16 }, work))
    }
  }, 50)
  console.log(held)
`

test('what has had its turn is collected with the young', () => {
  const { stdout, stderr } = spawnSync(process.execPath, ['--input-type=module', '-e', bursts], { encoding: 'utf8' })
  assert.equal(stderr, '')
  assert.ok(Number(stdout) < 1.5, `${stdout.trim()} MB of 16,000 requests`)
})
