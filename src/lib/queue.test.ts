import assert from 'node:assert/strict'
import { test } from 'node:test'
import { createQueue } from './queue.ts'

async function all<T>(items: AsyncIterable<T>): Promise<T[]> {
  const taken: T[] = []
  for await (const item of items) taken.push(item)
  return taken
}

const limits = { items: 3, bytes: 100 }

test('hands out in order what was pushed, then ends', async () => {
  const queue = createQueue<number>(limits)
  for (const n of [1, 2, 3]) assert.equal(queue.push(n, 1), true)
  queue.finish()
  assert.deepEqual(await all(queue), [1, 2, 3])
})

test('refuses an item more than it holds, and takes it once there is room', async () => {
  const queue = createQueue<number>(limits)
  for (const n of [1, 2, 3]) queue.push(n, 1)
  assert.equal(queue.push(4, 1), false)
  await queue[Symbol.asyncIterator]().next()
  assert.equal(queue.push(4, 1), true)
})

test('refuses a byte more than it holds, but never an item that comes alone', () => {
  const queue = createQueue<string>(limits)
  assert.equal(queue.push('huge', 1_000), true)
  assert.equal(queue.push('small', 1), false)
})

test('says how full it is by whichever limit is nearer', () => {
  const queue = createQueue<string>(limits)
  queue.push('a', 80)
  assert.equal(queue.fill(), 0.8)
})

test('wakes a consumer that waits', async () => {
  const queue = createQueue<number>(limits)
  const waiting = queue[Symbol.asyncIterator]().next()
  queue.push(1, 1)
  assert.deepEqual(await waiting, { done: false, value: 1 })
})

test('an error drops what is queued and reaches the consumer', async () => {
  const queue = createQueue<number>(limits)
  queue.push(1, 1)
  queue.end(new Error('gone'))
  await assert.rejects(all(queue), /gone/)
  assert.equal(queue.push(2, 1), false)
})
