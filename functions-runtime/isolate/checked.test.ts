import assert from 'node:assert/strict'
import { test } from 'node:test'
import { checkedEnd, checkedHead } from './checked.ts'
import type { Ended } from './messages.ts'

const ended = (given: object) =>
  ({
    kind: 'ended',
    id: 'x',
    response: null,
    failure: null,
    logs: [],
    logsDropped: 0,
    isCold: false,
    ...given,
  }) as unknown as Ended

test('what a sandbox says that is no end becomes one that is', () => {
  const nonsense = ended({
    failure: { reason: 'ROOT', message: { a: 1 } },
    durationMs: -1,
    memoryBytes: 'x',
    logs: 'no',
  })
  const { end } = checkedEnd(nonsense, Buffer.from('body'))
  assert.equal(end.failure?.reason, 'CRASHED')
  assert.deepEqual([end.durationMs, end.memoryBytes, end.logs, end.response], [0, 0, [], null])
})

test('an answer that is too large is none; statuses and headers are those of HTTP', () => {
  const response = { status: 200, headers: {} }
  assert.equal(checkedEnd(ended({ response }), Buffer.alloc(7e6)).end.response, null)
  assert.deepEqual(checkedHead({ status: 99, headers: { a: 1 } } as never), [500, { a: '1' }])
  const many = Object.fromEntries(Array.from({ length: 1_000 }, (_, n) => [`x${n}`, 'y']))
  assert.equal(Object.keys(checkedHead({ status: 200, headers: many })[1]).length, 64)
})

test('lines of a log are as many and as long as the limits say', () => {
  const line = { at: 1, level: 'fatal', text: 'x'.repeat(1e6) }
  const { end } = checkedEnd(ended({ logs: Array(5_000).fill(line) }), Buffer.alloc(0))
  assert.deepEqual([end.logs.length, end.logs[0]?.level, end.logs[0]?.text.length], [1_000, 'log', 65_536])
})
