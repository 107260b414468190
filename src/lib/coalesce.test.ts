import assert from 'node:assert/strict'
import { test } from 'node:test'
import { coalesce } from './coalesce.ts'

test('it runs at once, once for all who want it meanwhile, and goes on when it fails', async () => {
  const runs: PromiseWithResolvers<void>[] = []
  const want = coalesce(() => {
    const running = Promise.withResolvers<void>()
    runs.push(running)
    return running.promise
  })
  const settle = () => new Promise(setImmediate)
  want()
  assert.equal(runs.length, 1, 'at once')
  for (let i = 0; i < 5; i += 1) want()
  await settle()
  assert.equal(runs.length, 1, 'not while it runs')
  runs[0]?.reject(new Error('nobody is there'))
  await settle()
  assert.equal(runs.length, 2, 'once for the five')
  runs[1]?.resolve()
  await settle()
  assert.equal(runs.length, 2, 'nobody wanted it since')
  want()
  assert.equal(runs.length, 3)
})

test('what throws before it has begun to wait is no end of it', async () => {
  let runs = 0
  const want = coalesce(() => {
    runs += 1
    throw new Error('not even begun')
  })
  for (let i = 0; i < 3; i += 1) {
    want()
    await new Promise(setImmediate)
  }
  assert.equal(runs, 3)
})
