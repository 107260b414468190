import { Invalid } from '../errors.ts'
import { boxExpression } from '../modules/collections/table-indexes.ts'
import { type Bounds, boundsSql, parseBounds } from './bounds.ts'
import { beyondEarthSql, boxAroundSql, metresSql } from './metres.ts'
import { negated, type Operator, type Operators, type Subject } from './operator.ts'
import { requireLiteral, whenGiven } from './slots.ts'
import { types } from './types.ts'
import { operandParam, parseOperand } from './values.ts'

type Geometry = 'POINT' | 'LINE' | 'POLYGON'

/** Asks how a value lies to a geometry of some type. */
function relation(type: Geometry, sql: (name: string, operand: string) => string): Operator {
  return {
    parse: (_column, value, at) => parseOperand({ type }, value, at),
    sql: ({ name, param }, operand) => sql(name, param(operandParam({ type }, operand), types[type].sql)),
  }
}

/** Both ways of writing it are PostgreSQL's own, so equal values are equal texts; its `~=` allows for a millionth. */
const samePoint = relation('POINT', (a, b) => `${a} ~= ${b} and ${a}[0] = (${b})[0] and ${a}[1] = (${b})[1]`)
const same = (type: Geometry) => relation(type, (a, b) => `${a}::text = (${b})::text`)

const around = (line: string) => `(${boxExpression(line)})`

type Distance = { from: unknown; bounds: Bounds }

function parseMetres(value: unknown, at: readonly string[]): number {
  if (typeof value === 'number' && value >= 0 && Number.isFinite(value)) return value
  throw new Invalid('This is a number of metres, 0 or more.', at)
}

function distanceSql({ name, param }: Subject, { from, bounds }: Distance): string {
  const point = param(operandParam({ type: 'POINT' }, from), 'point')
  const metres = metresSql(name, point)
  const exact = boundsSql(metres, bounds, (value) => param(value, 'float8'))
  const farthest = bounds.lt ?? bounds.lte
  if (farthest === undefined) return exact
  // A box around the circle is what an index on places answers.
  const box = boxAroundSql(point, param(farthest, 'float8'))
  return `(${name} <@ (select ${box}) or ${beyondEarthSql(name)}) and ${exact}`
}

const distance: Operator = {
  parse: (_column, value, at) => {
    const { from } = requireLiteral(value) as { from: unknown }
    return { from: parseOperand({ type: 'POINT' }, from, [...at, 'from']), bounds: parseBounds(value, at, parseMetres) }
  },
  sql: (subject, operand) => distanceSql(subject, operand as Distance),
}

const near: Operator = {
  parse: (_column, value, at) => {
    const { point, metres } = requireLiteral(value) as { point: unknown; metres: unknown }
    return {
      from: parseOperand({ type: 'POINT' }, point, [...at, 'point']),
      bounds: { lte: whenGiven(metres, (given) => parseMetres(given, [...at, 'metres'])) },
    }
  },
  sql: (subject, operand) => distanceSql(subject, operand as Distance),
}

const placeWithin = relation('POLYGON', (place, area) => `${place} <@ ${area}`)

const lineMeets = relation('LINE', (a, b) => `${around(a)} && ${around(b)} and ${a} ?# ${b}`)
const lineHolds = relation('POINT', (line, place) => `${around(line)} && box(${place}) and ${place} <@ ${line}`)
const lineCrosses = relation('POLYGON', (line, area) => `${around(line)} && box(${area}) and ${line} ?# path(${area})`)

const areaHolds = relation('POINT', (area, place) => `${area} @> ${place}`)
const areaWithin = relation('POLYGON', (area, other) => `${area} <@ ${other}`)
const areaCovers = relation('POLYGON', (area, other) => `${area} @> ${other}`)
const areaOverlaps = relation('POLYGON', (area, other) => `${area} && ${other}`)
const areaCrossed = relation(
  'LINE',
  (area, line) => `${area} && polygon(${boxExpression(line)}) and path(${area}) ?# ${line}`,
)
/** A way meets an area where it crosses its edge, or lies inside it from its first point on. */
const areaMeets = relation(
  'LINE',
  (area, line) =>
    `${area} && polygon(${boxExpression(line)}) and (path(${area}) ?# ${line} or ${area} @> ${firstPoint(line)})`,
)

/** PostgreSQL has no function for it: the text of a way begins with it. */
function firstPoint(line: string): string {
  return `substring((${line})::text from '[(][^)]*[)]')::point`
}

/**
 * What PostgreSQL's own types can tell. They cannot tell touching from crossing, so there is no operator for it.
 */
export const geometryOperators: Readonly<Record<Geometry, Operators>> = {
  POINT: {
    eq: samePoint,
    ne: negated(samePoint),
    near,
    distance,
    within: placeWithin,
    notWithin: negated(placeWithin),
  },
  LINE: {
    eq: same('LINE'),
    ne: negated(same('LINE')),
    contains: lineHolds,
    notContains: negated(lineHolds),
    intersects: lineMeets,
    notIntersects: negated(lineMeets),
    crosses: lineCrosses,
    notCrosses: negated(lineCrosses),
  },
  POLYGON: {
    eq: same('POLYGON'),
    ne: negated(same('POLYGON')),
    contains: areaHolds,
    notContains: negated(areaHolds),
    within: areaWithin,
    notWithin: negated(areaWithin),
    covers: areaCovers,
    notCovers: negated(areaCovers),
    overlaps: areaOverlaps,
    notOverlaps: negated(areaOverlaps),
    intersects: areaMeets,
    notIntersects: negated(areaMeets),
    crosses: areaCrossed,
    notCrosses: negated(areaCrossed),
  },
}
