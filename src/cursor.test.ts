import assert from 'node:assert/strict'
import { test } from 'node:test'
import { decodeCursor, encodeCursor } from './cursor.ts'
import { Invalid, ResyncRequired } from './errors.ts'

const keys = [Buffer.alloc(32, 1), Buffer.alloc(32, 2)]
const stream = { epoch: 'epoch-1', projectId: 'prj_1' }

test('a cursor says its place again, however far', () => {
  for (const seq of [0n, 1n, 35n, 36n, 2n ** 53n + 1n, 2n ** 63n - 1n]) {
    assert.equal(decodeCursor(keys, stream, encodeCursor(keys, stream, seq)), seq)
  }
})

test('a cursor under an older key of the ring is good', () => {
  assert.equal(decodeCursor(keys, stream, encodeCursor(keys.slice(1), stream, 7n)), 7n)
})

test('a cursor of another log or project asks to read everything again', () => {
  const cursor = encodeCursor(keys, stream, 7n)
  for (const other of [
    { ...stream, epoch: 'epoch-2' },
    { ...stream, projectId: 'prj_2' },
  ]) {
    assert.throws(() => decodeCursor(keys, other, cursor), ResyncRequired)
  }
})

test('what was never given out is invalid', () => {
  const cursor = encodeCursor(keys, stream, 7n)
  const stolen = encodeCursor([Buffer.alloc(32, 9)], stream, 7n)
  const forged = cursor.replace(/^7/, '8')
  for (const bad of [
    '',
    'x',
    '{}',
    stolen,
    forged,
    `${cursor}x`,
    cursor.slice(0, -1),
    'a'.repeat(10_000),
    '__proto__',
  ]) {
    assert.throws(
      () => decodeCursor(keys, stream, bad),
      (error) => error instanceof Invalid && error.at[0] === 'after',
    )
  }
})
