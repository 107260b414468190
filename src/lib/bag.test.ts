import assert from 'node:assert/strict'
import { test } from 'node:test'
import { heldOf } from '../testing/young.ts'
import { type Bag, createBag } from './bag.ts'

test('what is in it is what was added and not removed', () => {
  const bag = createBag<string>()
  for (const name of ['a', 'b', 'c', 'd']) bag.add(name)
  bag.remove('b')
  bag.remove('nobody')
  bag.remove('d')
  assert.deepEqual([[...bag].sort(), bag.size()], [['a', 'c'], 2])
  bag.remove('a')
  bag.remove('c')
  bag.remove('c')
  assert.deepEqual([[...bag], bag.size()], [[], 0])
})

/** 8 kB for each of 16 things that come together and go again, five times. */
function bursts({ add, remove }: Pick<Bag<object>, 'add' | 'remove'>): () => void {
  return () => {
    for (let i = 0; i < 5; i += 1) {
      const burst = Array.from({ length: 16 }, () => ({ bytes: new Array(1_000).fill(i) }))
      for (const thing of burst) add(thing)
      for (const thing of burst) remove(thing)
    }
  }
}

test('what has left it is collected with the young; in a Set it grows old', async () => {
  const held = await heldOf(bursts(createBag<object>()), 100)
  assert.ok(held < 3, `${held} MB of 64`)
  const set = new Set<object>()
  const heldBySet = await heldOf(
    bursts({ add: (thing) => void set.add(thing), remove: (thing) => void set.delete(thing) }),
    100,
  )
  assert.ok(heldBySet > 10, `a Set holds ${heldBySet} MB: it would do as well`)
})
