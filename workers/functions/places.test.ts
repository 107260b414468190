import assert from 'node:assert/strict'
import { test } from 'node:test'
import { createPlaces } from './places.ts'

test('a project with many runs leaves room for others', async () => {
  const places = createPlaces({ all: 10, most: 2, againAfterMs: 100 })
  const now = new Date(0)
  let release = () => {}
  const held = new Promise<undefined>((resolve) => {
    release = () => resolve(undefined)
  })
  const first = [1, 2].map(() => places.take('a', now, () => held))
  const third = await places.take('a', now, async () => undefined)
  assert.ok((third?.again.getTime() ?? 0) >= 100)
  assert.equal(await places.take('b', now, async () => undefined), undefined)
  release()
  await Promise.all(first)
  assert.equal(await places.take('a', now, async () => undefined), undefined)
})

test('however many projects have as many runs as they may, the next one begins one', async () => {
  const places = createPlaces({ all: 50, most: 10, againAfterMs: 100 })
  const now = new Date(0)
  const begun = new Map<string, number>()
  const held = Promise.withResolvers<undefined>()
  const ends: Promise<unknown>[] = []
  for (const project of 'abcdefghi') {
    for (let i = 0; i < 20; i++) {
      ends.push(
        places.take(project, now, () => {
          begun.set(project, (begun.get(project) ?? 0) + 1)
          return held.promise
        }),
      )
    }
  }
  assert.deepEqual([...begun.values()], [10, 10, 10, 7, 5, 3, 2, 1, 1])
  held.resolve(undefined)
  await Promise.all(ends)
})

test('a project with many runs and no place asks less and less often', async () => {
  const places = createPlaces({ all: 1, most: 1, againAfterMs: 100 })
  const held = Promise.withResolvers<undefined>()
  const first = places.take('a', new Date(0), () => held.promise)
  const after: number[] = []
  for (let i = 0; i < 60; i++) {
    const again = await places.take('b', new Date(0), async () => undefined)
    after.push(again?.again.getTime() ?? 0)
  }
  assert.deepEqual([after[0], after[9], after[59]], [200, 1_100, 4_100])
  held.resolve(undefined)
  await first
  assert.equal(await places.take('b', new Date(0), async () => undefined), undefined)
})
