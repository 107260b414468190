import assert from 'node:assert/strict'
import { test } from 'node:test'
import { Invalid } from '../errors.ts'
import { parseMoment } from './texts.ts'

test('a moment is ISO 8601 with its time zone, and becomes UTC to the millisecond', () => {
  for (const [text, read] of [
    ['2026-11-23T12:00:00Z', '2026-11-23T12:00:00.000Z'],
    ['2026-11-23T12:00:00.5+02:00', '2026-11-23T10:00:00.500Z'],
    ['2024-02-29T23:59:59.999999-11:30', '2024-03-01T11:29:59.999Z'],
    ['0001-01-01T00:00:00.000Z', '0001-01-01T00:00:00.000Z'],
    ['9999-12-31T23:59:59.999Z', '9999-12-31T23:59:59.999Z'],
  ] as const)
    assert.equal(parseMoment(text, []), read)
  assert.equal(parseMoment(new Date(0), []), '1970-01-01T00:00:00.000Z')
})

test('what JavaScript would make a moment of, and what no table holds, is refused with its path', () => {
  const refused: unknown[] = [
    '2026-02-30T00:00:00Z',
    '2025-02-29T00:00:00Z',
    '2026-11-23T24:00:00Z',
    '2026-11-23T12:00:00',
    '2026-11-23',
    '2026',
    '23 Nov 2026 12:00 UTC',
    '1',
    '',
    ' 2026-11-23T12:00:00Z',
    '2026-11-23T12:00:00Z\n',
    '0000-12-31T23:59:59Z',
    '0001-01-01T00:00:00+01:00',
    '9999-12-31T23:59:59-01:00',
    '+275760-09-13T00:00:00.000Z',
    '-000001-01-01T00:00:00.000Z',
    new Date(Number.NaN),
    new Date('+275760-09-13T00:00:00.000Z'),
    new Date('-000001-01-01T00:00:00.000Z'),
    0,
    1e308,
    null,
    {},
    ['2026-11-23T12:00:00Z'],
  ]
  for (const value of refused)
    assert.throws(
      () => parseMoment(value, ['input', 'at']),
      (error) => error instanceof Invalid && String(error.at) === 'input,at',
      String(value),
    )
})
