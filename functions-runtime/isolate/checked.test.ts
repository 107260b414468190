import assert from 'node:assert/strict'
import { test } from 'node:test'
import { maxHeadBytes } from '../protocol.ts'
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
  assert.deepEqual([end.logs.length, end.logs[0]?.level, end.logs[0]?.text.length], [1, 'log', 65_536])
  const short = checkedEnd(ended({ logs: Array(5_000).fill({ ...line, text: 'x' }) }), Buffer.alloc(0))
  assert.equal(short.end.logs.length, 1_000)
})

test('whatever is said of a run fits into a frame, and numbers into a table', () => {
  const long = '\u0001'.repeat(1e6)
  const headers = Object.fromEntries(Array.from({ length: 64 }, (_, n) => [`x${n}`, long]))
  const given = { response: { status: 200, headers }, durationMs: 1e300, memoryBytes: 1e300, logsDropped: 1e300 }
  const lines = Array(1_000).fill({ at: 1e300, level: 'log', text: long })
  const failure = { reason: 'THREW', message: long, stack: long }
  for (const more of [{ failure: null }, { response: null, failure }]) {
    const { end } = checkedEnd(ended({ ...given, logs: lines, ...more }), Buffer.alloc(0))
    assert.ok(Buffer.byteLength(JSON.stringify(end)) < maxHeadBytes / 2)
    assert.deepEqual([end.durationMs, end.memoryBytes], [2 ** 31 - 1, Number.MAX_SAFE_INTEGER])
    assert.ok(end.logs.every(({ at }) => !Number.isNaN(new Date(at).getTime())))
  }
})
