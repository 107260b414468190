import assert from 'node:assert/strict'
import { test } from 'node:test'
import { createBusyCache } from './busy-cache.ts'

test('what is busy is never forgotten, what has been idle for longest is', () => {
  const cache = createBusyCache(
    2,
    () => ({ work: 0 }),
    ({ work }) => work > 0,
  )
  const [busy, idle] = [cache.find('busy'), cache.find('idle')]
  busy.work = 1
  for (let i = 0; i < 10; i += 1) cache.find(`other${i}`)
  assert.ok([...cache.values()].includes(busy))
  assert.notEqual(cache.find('idle'), idle)
  assert.equal(cache.find('busy'), busy)
  for (let i = 0; i < 10; i += 1) cache.find(`other${i}`)
  busy.work = 0
  const another = cache.find('another')
  another.work = 1
  for (let i = 0; i < 10; i += 1) cache.find(`other${i}`)
  assert.equal([...cache.values()].length, 3)
  assert.notEqual(cache.find('busy'), busy)
})
