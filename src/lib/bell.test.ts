import assert from 'node:assert/strict'
import { test } from 'node:test'
import { createBell } from './bell.ts'

test('a bell rings at once, once for all who want it meanwhile, and goes on when nobody hears it', async () => {
  const rings: PromiseWithResolvers<void>[] = []
  const want = createBell(() => {
    const ringing = Promise.withResolvers<void>()
    rings.push(ringing)
    return ringing.promise
  })
  const settle = () => new Promise(setImmediate)
  want()
  assert.equal(rings.length, 1, 'at once')
  for (let i = 0; i < 5; i += 1) want()
  await settle()
  assert.equal(rings.length, 1, 'not while it rings')
  rings[0]?.reject(new Error('nobody is there'))
  await settle()
  assert.equal(rings.length, 2, 'once for the five')
  rings[1]?.resolve()
  await settle()
  assert.equal(rings.length, 2, 'nobody wanted it since')
  want()
  assert.equal(rings.length, 3)
})
