import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { Sink } from '../changes/feed.ts'
import { createMetrics } from '../platform/metrics.ts'
import { counted } from './counted.ts'

test('a feed counts once while it runs, however it ends, and each payload that is taken', () => {
  const metrics = createMetrics()
  const counts = () => [metrics.subscriptions.value, metrics.deliveries.value]
  const sinks: Sink[] = []
  const feed = counted((sink) => {
    sinks.push(sink)
    return () => {}
  }, metrics)
  let hasRoom = true
  const sink = { begin: () => {}, take: () => hasRoom, room: async () => true, end: () => {} }
  const leaves = [feed(sink), feed(sink)]
  const payload = { json: Buffer.from('{}'), cursor: 'a' }
  assert.equal(sinks[0]?.take(payload), true)
  hasRoom = false
  assert.equal(sinks[1]?.take(payload), false)
  assert.deepEqual(counts(), [2, 1])
  sinks[0]?.end(new Error('over'))
  for (const leave of leaves) leave()
  leaves[0]?.()
  assert.deepEqual(counts(), [0, 1])
})
