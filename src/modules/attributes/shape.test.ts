import assert from 'node:assert/strict'
import { test } from 'node:test'
import { Invalid } from '../../errors.ts'
import { type NewAttribute, shapeAttribute } from './shape.ts'

type Asked = Partial<NewAttribute> & Pick<NewAttribute, 'type'>

const shape = (input: Asked) => shapeAttribute({ key: 'a', ...input }, ['input'])

function refuses(input: Asked, ...at: string[]): void {
  assert.throws(
    () => shape(input),
    (error) => {
      assert.ok(error instanceof Invalid, String(error))
      assert.deepEqual(error.at, ['input', ...at], JSON.stringify(input).slice(0, 200))
      assert.ok(error.message.length < 300)
      return true
    },
  )
}

const string = { type: 'STRING', size: 10 } as const
const relation = { type: 'RELATION', relatedCollectionId: 'col', onDelete: 'CASCADE' } as const
const huge = 'x'.repeat(1_000_000)

test('least and greatest values are kept as the type has them', () => {
  const bounds: [NewAttribute['type'], unknown, unknown, string, string][] = [
    ['INTEGER', -1, 1, '-1', '1'],
    ['BIGINT', '-9223372036854775808', '9223372036854775807', '"-9223372036854775808"', '"9223372036854775807"'],
    ['BIGINT', 1, 2, '"1"', '"2"'],
    ['FLOAT', -1e308, 1e308, '-1e+308', '1e+308'],
    ['DECIMAL', '0.10', '9'.repeat(100), '"0.10"', `"${'9'.repeat(100)}"`],
    ['DATE', '0001-01-01', '9999-12-31', '"0001-01-01"', '"9999-12-31"'],
    ['DATETIME', '2026-11-24T00:00:00+02:00', null, '"2026-11-23T22:00:00.000Z"', ''],
  ]
  for (const [type, min, max, minText, maxText] of bounds) {
    const { min: least, max: greatest } = shape({ type, min, max })
    assert.deepEqual([least, greatest ?? ''], [minText, maxText])
  }
})

test('what is no value of the type is no bound and no default', () => {
  const wrong: [NewAttribute['type'], unknown[]][] = [
    ['INTEGER', [1.5, 2 ** 31, '1', Number.NaN, Number.POSITIVE_INFINITY, 1e308, true, {}, [1], '__proto__']],
    ['BIGINT', ['9223372036854775808', '-9223372036854775809', 1.5, '1e3', ' 1', '', 2 ** 53, huge]],
    ['FLOAT', [Number.NaN, Number.POSITIVE_INFINITY, '1', 'NaN', {}]],
    ['DECIMAL', ['NaN', 'Infinity', '1e3', '.5', '1.', '9'.repeat(101), `0.${'1'.repeat(100)}`, Number.NaN, huge, {}]],
    ['DATE', ['0000-01-01', '275760-09-13', '2026-02-30', '2026-1-1', 20261124, '2026-11-24T00:00:00Z', {}]],
    ['DATETIME', ['0000-01-01T00:00:00Z', '+275760-09-13T00:00:00.000Z', '2026-02-30T00:00:00Z', 'now', 0, {}]],
  ]
  for (const [type, values] of wrong) {
    for (const value of values) {
      for (const part of ['min', 'max', 'default'] as const) refuses({ type, [part]: value }, part)
    }
  }
  const defaults: [Asked, unknown[]][] = [
    [string, ['\uD800', 'a\0', 1, {}]],
    [{ type: 'BOOLEAN' }, ['true', 1, []]],
    [{ type: 'EMAIL' }, ['a', 'a@b', `${huge}@example.org`]],
    [{ type: 'URL' }, ['javascript:alert(1)', 'example.org', `https://example.org/${huge}`]],
    [{ type: 'IP' }, ['1.2.3', '10.0.0.0/8', '::g']],
    [{ type: 'UUID' }, ['x', '00000000-0000-0000-0000-00000000000g']],
    [{ type: 'JSON' }, [{ a: '\0' }, '\uD800', huge + huge]],
    [{ type: 'POINT' }, [[1, 2], { type: 'Point', coordinates: [1] }, { type: 'Point', coordinates: [Number.NaN, 1] }]],
    [{ type: 'LINE' }, [{ type: 'LineString', coordinates: [[1, 2]] }]],
    [
      { type: 'POLYGON' },
      [
        {
          type: 'Polygon',
          coordinates: [
            [
              [0, 0],
              [1, 1],
              [1, 0],
              [0, 1],
            ],
          ],
        },
      ],
    ],
  ]
  for (const [type, values] of defaults) for (const value of values) refuses({ ...type, default: value }, 'default')
})

test('what contradicts itself is refused', () => {
  refuses({ type: 'INTEGER', min: 2, max: 1 }, 'min')
  refuses({ type: 'DECIMAL', min: '10', max: '9.99' }, 'min')
  refuses({ type: 'DATE', min: '2026-11-25', max: '2026-11-24' }, 'min')
  refuses({ type: 'INTEGER', required: true, default: 1 }, 'default')
  refuses({ type: 'INTEGER', list: true, default: 1 }, 'default')
  refuses({ type: 'INTEGER', list: true, default: [1] }, 'default')
  refuses({ type: 'INTEGER', unique: true, default: 1 }, 'default')
  refuses({ type: 'BOOLEAN', unique: true, default: false }, 'default')
  refuses({ ...string, encrypted: true, default: 'x' }, 'default')
  refuses({ ...string, encrypted: true, unique: true }, 'unique')
  refuses({ ...string, encrypted: true, list: true }, 'list')
  refuses({ ...string, encrypted: true, pattern: 'a' }, 'pattern')
  refuses({ ...string, list: true, unique: true }, 'unique')
  refuses({ ...string, computed: 'b', default: 'a' }, 'default')
  refuses({ ...string, computed: 'b', list: true }, 'computed')
  refuses({ ...string, computed: 'b', encrypted: true }, 'computed')
})

test('each type has only what it can have', () => {
  refuses({ type: 'TEXT', unique: true }, 'unique')
  refuses({ type: 'STRING', size: 641, unique: true }, 'size')
  refuses({ type: 'INTEGER', pattern: 'a' }, 'pattern')
  refuses({ ...string, min: 1 }, 'min')
  refuses({ type: 'INTEGER', elements: ['a'] }, 'elements')
  refuses({ type: 'INTEGER', dimensions: 3 }, 'dimensions')
  refuses({ type: 'INTEGER', encrypted: true }, 'encrypted')
  refuses({ type: 'INTEGER', relation: 'ONE_TO_ONE' }, 'relation')
  for (const type of ['JSON', 'POINT', 'LINE', 'POLYGON'] as const) {
    refuses({ type, list: true }, 'list')
    refuses({ type, unique: true }, 'unique')
    refuses({ type, computed: 'b' }, 'computed')
  }
  refuses({ type: 'VECTOR', dimensions: 3, list: true }, 'list')
  refuses({ ...relation, list: true }, 'list')
  refuses({ ...relation, unique: true }, 'unique')
  refuses({ ...relation, computed: 'b' }, 'computed')
})

test('the elements of an enum are names of GraphQL, each once', () => {
  assert.deepEqual(shape({ type: 'ENUM', elements: ['a', 'B_1', 'x'.repeat(255)] }).elements.length, 3)
  refuses({ type: 'ENUM' }, 'elements')
  refuses({ type: 'ENUM', elements: [] }, 'elements')
  refuses({ type: 'ENUM', elements: Array.from({ length: 101 }, (_, i) => `e${i}`) }, 'elements')
  const wrong = [
    '',
    'true',
    'false',
    'null',
    '__proto__',
    '__a',
    'constructor',
    '1a',
    'a b',
    'a-b',
    'é',
    'x'.repeat(256),
    huge,
    'a\0',
    '\u202E',
    "a'b",
  ]
  for (const element of [...wrong, 'a']) refuses({ type: 'ENUM', elements: ['a', element] }, 'elements', '1')
})

test('a vector has dimensions, a pattern an end', () => {
  for (const dimensions of [null, 0, -1, 1.5, 2_001, Number.NaN]) refuses({ type: 'VECTOR', dimensions }, 'dimensions')
  assert.equal(shape({ type: 'VECTOR', dimensions: 2_000 }).dimensions, 2_000)
  for (const pattern of ['', 'a\0', '\uD800', huge]) refuses({ ...string, pattern }, 'pattern')
})

test('who may read and set it is a role each', () => {
  const permissions = [{ right: 'read', role: 'users' }] as const
  assert.deepEqual(shape({ type: 'INTEGER', permissions }).permissions, ['read:users'])
  assert.equal(shape({ type: 'INTEGER', permissions: [] }).restricted, true)
  assert.equal(shape({ type: 'INTEGER' }).restricted, false)
  refuses({ type: 'INTEGER', permissions: [{ right: 'delete', role: 'users' }] }, 'permissions', '0', 'right')
  refuses({ type: 'INTEGER', permissions: [{ right: 'read', role: 'all' }] }, 'permissions', '0', 'role')
})

test('a relation of many to many or one to many says what fits it', () => {
  const many = { ...relation, relation: 'MANY_TO_MANY' } as const
  assert.equal(shape({ ...many, onDelete: null }).onDelete, 'CASCADE')
  refuses({ ...many, onDelete: 'SET_NULL' }, 'onDelete')
  refuses({ ...many, required: true }, 'required')
  refuses({ ...relation, relation: 'ONE_TO_MANY' }, 'reverseKey')
})

test('a computed attribute is an expression', () => {
  for (const computed of ['', 'a;', 'pg_sleep(1)', huge, "'", '(select 1)'])
    refuses({ ...string, computed }, 'computed')
})
