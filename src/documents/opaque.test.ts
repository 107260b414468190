import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import { Invalid } from '../errors.ts'
import { createCollections } from '../testing/collections.ts'
import { createWorld, type World } from '../testing/world.ts'
import { formatLine, formatPoint, formatPolygon } from './geometry.ts'
import { loadModel } from './load.ts'
import { metresSql } from './metres.ts'
import type { CollectionModel, ProjectModel } from './model.ts'
import { operatorsOf } from './operators.ts'
import { whereSql } from './related-sql.ts'
import { openScope } from './scope.ts'
import { type Condition, isLive, parseWhere } from './where.ts'

let world: World
let model: ProjectModel
let things: CollectionModel

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

const point = (...coordinates: number[]) => ({ type: 'Point', coordinates })
const line = (...coordinates: number[][]) => ({ type: 'LineString', coordinates })
const square = (x: number, y: number, size: number) => {
  const [right, top] = [x + size, y + size]
  return {
    type: 'Polygon',
    coordinates: [
      [
        [x, y],
        [right, y],
        [right, top],
        [x, top],
        [x, y],
      ],
    ],
  }
}
const points = [
  point(0, 0),
  point(1, 1),
  point(13.4, 52.5),
  point(2.35, 48.86),
  point(179.9, 10),
  point(-179.9, 10),
  point(10, 89.9),
  point(-170, 89.9),
  point(2, 2),
]
const lines = [line([0, 0], [2, 2]), line([0, 2], [2, 0]), line([5, 5], [6, 6], [6, 5]), line([2, 2], [0, 0])]
const areas = [square(0, 0, 4), square(1, 1, 1), square(3, 3, 4), square(10, 10, 1)]

before(async () => {
  world = await createWorld()
  const { projectId, owner } = await world.createProject()
  await createCollections(owner, {
    things: {
      attributes: {
        json: { type: 'JSON' },
        point: { type: 'POINT' },
        line: { type: 'LINE' },
        area: { type: 'POLYGON' },
      },
    },
  })
  model = await loadModel(world.app.sql, projectId)
  const [collection] = [...model.collections.values()]
  assert.ok(collection)
  things = collection
  for (let i = 0; i < 16; i++) {
    await world.app.sql.query(
      `insert into ${things.table} ("_id", json, point, line, area) values ($1, $2, $3, $4, $5)`,
      [
        id(i),
        documents[i] === undefined ? null : JSON.stringify(documents[i]),
        textOf(formatPoint, points[i]),
        textOf(formatLine, lines[i]),
        textOf(formatPolygon, areas[i]),
      ],
    )
  }
})

after(() => world.close())

const textOf = (format: (value: object) => string, value: object | undefined) => (value ? format(value) : null)

const id = (i: number) => `t${String(i).padStart(2, '0')}`

async function found(where: object): Promise<number[]> {
  const scope = openScope(model, { roles: null, userId: null })
  const condition = whereSql(scope, parseWhere(model, things, where, ['where']), 't')
  const { rows } = await world.app.sql.query(
    `select "_id" as id from ${things.table} t where ${condition} order by "_id"`,
    scope.bound(),
  )
  return rows.map((row) => Number(row.id.slice(1)))
}

const refused = (where: object, path: string) => {
  assert.throws(
    () => parseWhere(model, things, where, ['where']),
    (error) => error instanceof Invalid && String(error.details.path) === `where,${path.replaceAll('.', ',')}`,
    JSON.stringify(where),
  )
}

const absent = Symbol('absent')

/** What lies at a path, as PostgreSQL takes one. */
function at(value: unknown, [step, ...rest]: readonly string[]): unknown {
  if (value === undefined) return absent
  if (step === undefined) return value
  if (typeof value !== 'object' || value === null) return absent
  const key = Array.isArray(value) && step.startsWith('-') ? String(value.length + Number(step)) : step
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
        assert.deepEqual(await found(where), expected, JSON.stringify(where))
      }
    }
  })
}

test('what a filter on JSON cannot be is refused, with its path', () => {
  refused({ json: { gt: {} } }, 'json.gt')
  refused({ json: { lt: true } }, 'json.lt')
  refused({ json: { eq: null } }, 'json.eq')
  refused({ json: { eq: '\ud800' } }, 'json.eq')
  refused({ json: { path: Array(21).fill('a'), eq: 1 } }, 'json.path')
  refused({ json: { path: ['\0'], eq: 1 } }, 'json.path.0')
  refused({ json: { path: null, eq: 1 } }, 'json.path')
  refused({ json: { in: Array(5001).fill(1) } }, 'json.in')
})

/** What each operator on geometries finds: everything below is drawn on one sheet, all on whole numbers. */
const cases: [where: object, expected: number[]][] = [
  [{ point: { isNull: false } }, [0, 1, 2, 3, 4, 5, 6, 7, 8]],
  [{ point: { eq: point(1, 1) } }, [1]],
  [{ point: { eq: point(1.000_000_1, 1) } }, []],
  [{ point: { ne: point(1, 1) } }, [0, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15]],
  [{ point: { within: square(0, 0, 1) } }, [0, 1]],
  [{ point: { notWithin: square(0, 0, 90) } }, [4, 5, 7, 9, 10, 11, 12, 13, 14, 15]],
  [{ point: { near: { point: point(13.4, 52.5), metres: 880_000 } } }, [2, 3]],
  [{ point: { near: { point: point(13.4, 52.5), metres: 870_000 } } }, [2]],
  [{ point: { near: { point: point(0, 0), metres: 0 } } }, [0]],
  [{ point: { near: { point: point(180, 10), metres: 20_000 } } }, [4, 5]],
  [{ point: { near: { point: point(100, 89.95), metres: 50_000 } } }, [6, 7]],
  [{ point: { near: { point: point(0, 0), metres: 30_000_000 } } }, [0, 1, 2, 3, 4, 5, 6, 7, 8]],
  [{ point: { distance: { from: point(0, 0), gt: 157_000, lt: 158_000 } } }, [1]],
  [{ point: { distance: { from: point(0, 0), gte: 0, lte: 0 } } }, [0]],
  [{ point: { distance: { from: point(0, 0), gt: 9_000_000 } } }, [4, 5, 6, 7]],
  [{ line: { eq: lines[0] } }, [0]],
  [{ line: { ne: lines[0] } }, [1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15]],
  [{ line: { isNull: false } }, [0, 1, 2, 3]],
  [{ line: { contains: point(1, 1) } }, [0, 1, 3]],
  [{ line: { contains: point(6, 5.5) } }, [2]],
  [{ line: { notContains: point(1, 1) } }, [2, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15]],
  [{ line: { intersects: line([0, 1], [2, 1]) } }, [0, 1, 3]],
  [{ line: { intersects: line([2, 2], [3, 2]) } }, [0, 3]],
  [{ line: { notIntersects: line([0, 1], [2, 1]), isNull: false } }, [2]],
  [{ line: { crosses: square(1, 1, 8) } }, [0, 1, 3]],
  [{ line: { notCrosses: square(1, 1, 8), isNull: false } }, [2]],
  [{ area: { eq: areas[1] } }, [1]],
  [{ area: { ne: areas[1], isNull: false } }, [0, 2, 3]],
  [{ area: { contains: point(3.5, 3.5) } }, [0, 2]],
  [{ area: { notContains: point(3.5, 3.5), isNull: false } }, [1, 3]],
  [{ area: { within: square(0, 0, 5) } }, [0, 1]],
  [{ area: { notWithin: square(0, 0, 5), isNull: false } }, [2, 3]],
  [{ area: { covers: square(1.25, 1.25, 0.5) } }, [0, 1]],
  [{ area: { notCovers: square(1.25, 1.25, 0.5), isNull: false } }, [2, 3]],
  [{ area: { overlaps: square(3.5, 3.5, 1) } }, [0, 2]],
  [{ area: { notOverlaps: square(3.5, 3.5, 1), isNull: false } }, [1, 3]],
  [{ area: { intersects: line([1.25, 1.25], [1.5, 1.5]) } }, [0, 1]],
  [{ area: { intersects: line([2, 2.5], [5, 2.5]) } }, [0]],
  [{ area: { notIntersects: line([1.25, 1.25], [1.5, 1.5]), isNull: false } }, [2, 3]],
  [{ area: { crosses: line([1.25, 1.25], [1.5, 2.5]) } }, [1]],
  [{ area: { notCrosses: line([1.25, 1.25], [1.5, 2.5]), isNull: false } }, [0, 2, 3]],
]

for (const type of ['POINT', 'LINE', 'POLYGON'] as const) {
  const key = type === 'POLYGON' ? 'area' : type.toLowerCase()
  for (const operator of Object.keys(operatorsOf({ type, list: false }))) {
    test(`${operator} of ${type}`, async () => {
      const own = cases.filter(([where]) => operator in ((where as Record<string, object>)[key] ?? {}))
      assert.ok(own.length > 0, `${operator} of ${type} is not tested`)
      for (const [where, expected] of own) assert.deepEqual(await found(where), expected, JSON.stringify(where))
    })
  }
}

test('what a filter on places cannot be is refused, with its path', () => {
  refused({ point: { near: { point: point(0, 0), metres: -1 } } }, 'point.near.metres')
  refused({ point: { near: { point: point(0, Number.NaN), metres: 1 } } }, 'point.near.point')
  refused({ point: { distance: { from: point(0, 0), lt: Number.POSITIVE_INFINITY } } }, 'point.distance.lt')
  refused({ point: { within: point(0, 0) } }, 'point.within')
  refused({ line: { intersects: square(0, 0, 1) } }, 'line.intersects')
})

test('metres are those of the haversine formula', async () => {
  const { rows } = await world.app.sql.query(
    `select ${metresSql(`point '(-0.1278,51.5074)'`, `point '(2.3522,48.8566)'`)} as metres`,
  )
  assert.ok(Math.abs(rows[0].metres - 343_556) < 10, rows[0].metres)
})

test('live filters refuse what a logged row cannot tell', () => {
  for (const where of [{ json: { eq: 1 } }, { point: { within: areas[0] } }, { not: { line: { eq: lines[0] } } }]) {
    assert.equal(isLive(parseWhere(model, things, where, [])), false)
  }
  assert.equal(isLive(parseWhere(model, things, { point: { isNull: true } }, [])), true)
})

test('a vector is as far from another one as pgvector says', async (t) => {
  const { rows } = await world.app.sql.query(`select 1 from pg_available_extensions where name = 'vector'`)
  if (rows.length === 0) return t.skip('This PostgreSQL has no extension pgvector.')
  const { projectId, owner } = await world.createProject()
  await world.app.sql.query('create extension if not exists vector')
  await createCollections(owner, { spots: { attributes: { at: { type: 'VECTOR', dimensions: 2 } } } })
  const spots = await loadModel(world.app.sql, projectId)
  const [collection] = [...spots.collections.values()]
  assert.ok(collection)
  await world.app.sql.query(
    `insert into ${collection.table} ("_id", at) values ('a', '[0,1]'), ('b', '[3,4]'), ('c', null)`,
  )
  for (const [measure, lt, expected] of [
    ['EUCLIDEAN', 4, ['a']],
    ['COSINE', 0.5, ['a', 'b']],
    ['DOT', -1, ['b']],
  ] as const) {
    const scope = openScope(spots, { roles: null, userId: null })
    const where: Condition = parseWhere(spots, collection, { at: { distance: { from: [0, 1], measure, lt } } }, [])
    const near: { rows: { id: string }[] } = await world.app.sql.query<{ id: string }>(
      `select "_id" as id from ${collection.table} t where ${whereSql(scope, where, 't')} order by 1`,
      scope.bound(),
    )
    assert.deepEqual(
      near.rows.map((row) => row.id),
      expected,
      measure,
    )
  }
})
