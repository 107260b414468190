import assert from 'node:assert/strict'
import { test } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import { type Context, openMs } from '../context.ts'
import { shareLimits } from '../platform/shares.ts'
import { untilClear } from './clashes.ts'

const ctxOf = (projectId: string) => ({ projectId }) as Context
const clash = () => Object.assign(new Error('clash'), { code: '40001' })

/** Stands in others' way once; `again` is what becomes of it then. */
function once<T>(projectId: string, again: () => Promise<T>) {
  let tries = 0
  const run = async () => {
    tries += 1
    if (tries === 1) throw clash()
    return again()
  }
  return { done: untilClear(ctxOf(projectId), run), tries: () => tries }
}

test('what is tried again goes one by one, and in other projects at the same time', async () => {
  const under: Record<string, number> = { a: 0, b: 0 }
  let most = 0
  const work = (project: string) => async () => {
    under[project] = (under[project] ?? 0) + 1
    most = Math.max(most, (under.a ?? 0) + (under.b ?? 0))
    assert.equal(under[project], 1)
    await sleep(20)
    under[project] -= 1
    return project
  }
  const all = Array.from({ length: 10 }, (_, i) => once(i % 2 ? 'a' : 'b', work(i % 2 ? 'a' : 'b')).done)
  assert.equal((await Promise.all(all)).length, 10)
  assert.equal(most, 2)
})

test('who waits in line until time has run out is told of what they met, and not tried again, however long the first takes', async () => {
  const ended = Promise.withResolvers<string>()
  const begun = performance.now()
  const first = once('c', () => ended.promise)
  await sleep(100)
  const others = Array.from({ length: 20 }, () => once('c', async () => 'done'))
  const refused = await Promise.allSettled(others.map(({ done }) => done))
  assert.ok(performance.now() - begun < openMs + 2_000)
  assert.deepEqual(new Set(refused.map(({ status }) => status)), new Set(['rejected']))
  assert.deepEqual(new Set(others.map(({ tries }) => tries())), new Set([1]))
  const late = once('c', async () => 'late')
  ended.resolve('first')
  assert.equal(await first.done, 'first')
  assert.equal(await late.done, 'late')
})

test('no more wait in line than may wait for their turn; the others are told at once', async () => {
  const ended = Promise.withResolvers<string>()
  const first = once('d', () => ended.promise)
  await sleep(100)
  let refused = 0
  const all = Array.from({ length: shareLimits.waiting + 5 }, () =>
    once('d', async () => 'done').done.catch(() => {
      refused += 1
    }),
  )
  await sleep(200)
  assert.equal(refused, 5)
  ended.resolve('first')
  assert.equal(await first.done, 'first')
  assert.equal((await Promise.all(all)).filter((one) => one === 'done').length, shareLimits.waiting)
})
