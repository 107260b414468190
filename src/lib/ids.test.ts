import assert from 'node:assert/strict'
import { test } from 'node:test'
import { newEventId, newId } from './ids.ts'

test('ids that are made one after the other sort in that order, also many within a millisecond', () => {
  const ids = Array.from({ length: 20_000 }, () => newId('doc'))
  assert.deepEqual([...ids].sort(), ids)
  assert.equal(new Set(ids).size, ids.length)
})

test('an id says when it was made: a UUID of version 7 without its dashes', () => {
  const before = Date.now()
  const id = newId('usr')
  const [, ms = ''] = /^usr_([0-9a-f]{12})7[0-9a-f]{3}[89ab][0-9a-f]{15}$/.exec(id) ?? []
  const at = Number.parseInt(ms, 16)
  // 20,000 within some milliseconds are ahead of the clock.
  assert.ok(at >= before && at <= Date.now() + 20, id)
  assert.match(newEventId(), /^[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/)
})
