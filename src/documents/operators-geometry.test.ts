import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import { openThings, type Things } from '../testing/things.ts'
import { formatLine, formatPoint, formatPolygon } from './geometry.ts'
import { metresSql } from './metres.ts'
import { operatorsOf } from './operators.ts'
import { isLive, parseWhere } from './where.ts'

let stage: Things

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
  // Where the third one is, after going round.
  point(373.4, 52.5),
]
const lines = [line([0, 0], [2, 2]), line([0, 2], [2, 0]), line([5, 5], [6, 6], [6, 5]), line([2, 2], [0, 0])]
const areas = [square(0, 0, 4), square(1, 1, 1), square(3, 3, 4), square(10, 10, 1)]

const textOf = (format: (value: object) => string, value: object | undefined) => (value ? format(value) : null)

before(async () => {
  const rows = Array.from({ length: 16 }, (_, i) => ({
    point: textOf(formatPoint, points[i]),
    line: textOf(formatLine, lines[i]),
    area: textOf(formatPolygon, areas[i]),
  }))
  stage = await openThings({ point: { type: 'POINT' }, line: { type: 'LINE' }, area: { type: 'POLYGON' } }, rows)
})
after(() => stage.world.close())

/** What each operator on geometries finds: everything below is drawn on one sheet, all on whole numbers. */
const cases: [where: object, expected: number[]][] = [
  [{ point: { isNull: false } }, [0, 1, 2, 3, 4, 5, 6, 7, 8, 9]],
  [{ point: { eq: point(1, 1) } }, [1]],
  [{ point: { eq: point(1.000_000_1, 1) } }, []],
  [{ point: { ne: point(1, 1) } }, [0, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15]],
  [{ point: { within: square(0, 0, 1) } }, [0, 1]],
  [{ point: { notWithin: square(0, 0, 90) } }, [4, 5, 7, 9, 10, 11, 12, 13, 14, 15]],
  [{ point: { near: { point: point(13.4, 52.5), metres: 880_000 } } }, [2, 3, 9]],
  [{ point: { near: { point: point(13.4, 52.5), metres: 870_000 } } }, [2, 9]],
  [{ point: { near: { point: point(0, 0), metres: 0 } } }, [0]],
  [{ point: { near: { point: point(180, 10), metres: 20_000 } } }, [4, 5]],
  [{ point: { near: { point: point(100, 89.95), metres: 50_000 } } }, [6, 7]],
  [{ point: { near: { point: point(0, 0), metres: 30_000_000 } } }, [0, 1, 2, 3, 4, 5, 6, 7, 8, 9]],
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
      for (const [where, expected] of own) assert.deepEqual(await stage.found(where), expected, JSON.stringify(where))
    })
  }
}

test('what a filter on places cannot be is refused, with its path', () => {
  stage.refused({ point: { near: { point: point(0, 0), metres: -1 } } }, 'point.near.metres')
  stage.refused({ point: { near: { point: point(0, Number.NaN), metres: 1 } } }, 'point.near.point')
  stage.refused({ point: { distance: { from: point(0, 0), lt: Number.POSITIVE_INFINITY } } }, 'point.distance.lt')
  stage.refused({ point: { within: point(0, 0) } }, 'point.within')
  stage.refused({ line: { intersects: square(0, 0, 1) } }, 'line.intersects')
})

test('metres are those of the haversine formula', async () => {
  const { rows } = await stage.world.app.sql.query(
    `select ${metresSql(`point '(-0.1278,51.5074)'`, `point '(2.3522,48.8566)'`)} as metres`,
  )
  assert.ok(Math.abs(rows[0].metres - 343_556) < 10, rows[0].metres)
})

test('live filters refuse what a logged row cannot tell', () => {
  const { model, things } = stage
  for (const where of [{ point: { within: areas[0] } }, { not: { line: { eq: lines[0] } } }]) {
    assert.equal(isLive(parseWhere(model, things, where, [])), false)
  }
  assert.equal(isLive(parseWhere(model, things, { point: { isNull: true } }, [])), true)
})
