import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import { openThings, type Things } from '../testing/things.ts'
import { operatorsOf } from './operators.ts'
import { isLive, parseWhere } from './where.ts'

let stage: Things

const documents: unknown[] = [
  {},
  { a: 1 },
  { a: 1.0, b: [1, 2, { c: 'x' }] },
  { a: '1' },
  { a: null },
  { a: { b: 'Ä', d: [] } },
  { a: { b: 'z', n: 9007199254740991 } },
  { a: [] },
  { a: ['x', 'y'] },
  [1, 'x', null],
  'x',
  0,
  1e308,
  true,
  { '': 1, '0': 'zero', 'a.b': 2, "'": 3 },
]

before(async () => {
  const rows = Array.from({ length: 16 }, (_, i) =>
    documents[i] === undefined ? {} : { json: JSON.stringify(documents[i]) },
  )
  stage = await openThings({ json: { type: 'JSON' } }, rows)
})
after(() => stage.world.close())

const absent = Symbol('absent')

/** What lies at a path, as PostgreSQL takes one. */
function at(value: unknown, [step, ...rest]: readonly string[]): unknown {
  if (value === undefined) return absent
  if (step === undefined) return value
  if (typeof value !== 'object' || value === null) return absent
  const place = Array.isArray(value) && /^\s*[-+]?\d+$/.test(step) ? Number(step) : null
  const key = place === null ? step : String(place < 0 ? (value as unknown[]).length + place : place)
  return Object.hasOwn(value, key) ? at((value as Record<string, unknown>)[key], rest) : absent
}

const sorted = (value: unknown): unknown => {
  if (Array.isArray(value)) return value.map(sorted)
  if (typeof value !== 'object' || value === null) return value
  return Object.fromEntries(
    Object.entries(value)
      .map(([k, v]) => [k, sorted(v)])
      .sort(),
  )
}
const same = (a: unknown, b: unknown) => a !== absent && JSON.stringify(sorted(a)) === JSON.stringify(sorted(b))

function has(a: unknown, b: unknown, isTop = true): boolean {
  if (Array.isArray(a)) {
    if (!Array.isArray(b)) return isTop && (typeof b !== 'object' || b === null) && a.some((item) => same(item, b))
    return b.every((one) => a.some((item) => has(item, one, false)))
  }
  if (typeof a !== 'object' || a === null || typeof b !== 'object' || b === null) return same(a, b)
  if (Array.isArray(b)) return false
  return Object.entries(b).every(
    ([key, one]) => Object.hasOwn(a, key) && has((a as Record<string, unknown>)[key], one, false),
  )
}

const compare = (holds: (order: number) => boolean) => (a: unknown, b: unknown) => {
  if (typeof a !== typeof b || (typeof a !== 'number' && typeof a !== 'string')) return false
  if (typeof a === 'number') return holds(a - Number(b))
  return holds(Buffer.compare(Buffer.from(a), Buffer.from(String(b))))
}

const oracles: Readonly<Record<string, (a: unknown, b: unknown) => boolean>> = {
  isNull: (a, b) => (a === absent || a === null) === b,
  exists: (a, b) => (a !== absent) === b,
  eq: same,
  ne: (a, b) => !same(a, b),
  in: (a, b) => (b as unknown[]).some((one) => same(a, one)),
  notIn: (a, b) => !(b as unknown[]).some((one) => same(a, one)),
  gt: compare((order) => order > 0),
  gte: compare((order) => order >= 0),
  lt: compare((order) => order < 0),
  lte: compare((order) => order <= 0),
  contains: (a, b) => has(a, b),
  notContains: (a, b) => !has(a, b),
  hasKey: (a, b) => typeof a === 'object' && a !== null && !Array.isArray(a) && Object.hasOwn(a, String(b)),
}

const operands: unknown[] = [
  0,
  1,
  2,
  1e308,
  '',
  'x',
  'y',
  'Ä',
  '1',
  true,
  [],
  ['x'],
  [1, { c: 'x' }],
  {},
  { a: 1 },
  { a: {} },
  { a: { b: 'z' } },
  { a: ['x'] },
  "'",
]
const paths = [
  [],
  ['a'],
  ['a', 'b'],
  ['b', '2', 'c'],
  ['b', '-1'],
  ['a', '0'],
  ['a', '+0'],
  ['a', ' 1'],
  ['0'],
  [''],
  ['a.b'],
  ["'"],
  ['constructor'],
  ['a', 'n'],
]

for (const operator of Object.keys(operatorsOf({ type: 'JSON', list: false }))) {
  test(`${operator} of JSON`, async () => {
    const oracle = oracles[operator]
    assert.ok(oracle, `${operator} is not tested`)
    const given = (): unknown[] => {
      if (operator === 'isNull' || operator === 'exists') return [true, false]
      if (operator === 'in' || operator === 'notIn') return [[], operands, [1, 'x'], [[]]]
      if (operator === 'hasKey') return ['a', 'b', '', "'", '0', 'x', '__proto__']
      return /^[gl]te?$/.test(operator) ? operands.filter((one) => /number|string/.test(typeof one)) : operands
    }
    for (const path of paths) {
      for (const operand of given()) {
        const where: object = { json: { ...(path.length > 0 && { path }), [operator]: operand } }
        const expected: number[] = Array.from({ length: 16 }, (_, i) => i).filter((i) =>
          oracle(at(documents[i], path), operand),
        )
        assert.deepEqual(await stage.found(where), expected, JSON.stringify(where))
      }
    }
  })
}

test('what a filter on JSON cannot be is refused, with its path', () => {
  stage.refused({ json: { gt: {} } }, 'json.gt')
  stage.refused({ json: { lt: true } }, 'json.lt')
  stage.refused({ json: { eq: null } }, 'json.eq')
  stage.refused({ json: { eq: '\ud800' } }, 'json.eq')
  stage.refused({ json: { path: Array(21).fill('a'), eq: 1 } }, 'json.path')
  stage.refused({ json: { path: ['\0'], eq: 1 } }, 'json.path.0')
  stage.refused({ json: { path: null, eq: 1 } }, 'json.path')
  stage.refused({ json: { in: Array(5001).fill(1) } }, 'json.in')
})

test('live filters refuse what a logged row cannot tell', () => {
  const { model, things } = stage
  assert.equal(isLive(parseWhere(model, things, { json: { eq: 1 } }, [])), false)
})
