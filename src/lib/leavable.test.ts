import assert from 'node:assert/strict'
import { test } from 'node:test'
import { leavable } from './leavable.ts'

/** Counts, then waits until it is left. */
function counting(upTo: number) {
  let left = 0
  let wake = () => {}
  async function* count(): AsyncGenerator<number, undefined> {
    for (let n = 0; n < upTo; n++) yield n
    await new Promise<void>((resolve) => {
      wake = resolve
    })
    return undefined
  }
  const items = leavable(count(), () => {
    left += 1
    wake()
  })
  return { items, left: () => left }
}

test('is left while it waits, once', async () => {
  const { items, left } = counting(1)
  assert.deepEqual(await items.next(), { done: false, value: 0 })
  const waiting = items.next()
  await items.return?.()
  assert.equal((await waiting).done, true)
  assert.equal((await items.next()).done, true)
  await items.return?.()
  assert.equal(left(), 1)
})

test('is left although it never began', async () => {
  const { items, left } = counting(1)
  await items.return?.()
  assert.equal(left(), 1)
  assert.equal((await items.next()).done, true)
})

test('is left by a loop that breaks', async () => {
  const { items, left } = counting(3)
  for await (const n of items) if (n === 1) break
  assert.equal(left(), 1)
})

test('is left when it fails, and when it is over', async () => {
  let left = 0
  async function* failing(): AsyncGenerator<number, undefined> {
    yield 1
    throw new Error('broken')
  }
  const broken = leavable(failing(), () => {
    left += 1
  })
  await broken.next()
  await assert.rejects(broken.next(), /broken/)
  assert.equal(left, 1)
})
