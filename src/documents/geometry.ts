import { Invalid } from '../errors.ts'
import type { Value } from './value.ts'

/** GeoJSON (RFC 7946) of two dimensions. PostgreSQL keeps it as its own point, open path and polygon. */
type Position = readonly [number, number]

/** Most positions of a line or a polygon. */
export const positionLimit = 10_000
/** Numbers beyond it are no places, and lose their fraction. */
const farthest = 1e9

export function parsePoint(value: unknown, at: readonly string[]): Value {
  return { type: 'Point', coordinates: position(coordinatesOf(value, 'Point', at), at) }
}

export function parseLine(value: unknown, at: readonly string[]): Value {
  return { type: 'LineString', coordinates: positions(coordinatesOf(value, 'LineString', at), 2, at) }
}

/** One ring, closed as GeoJSON has it: PostgreSQL's polygons have no holes. */
export function parsePolygon(value: unknown, at: readonly string[]): Value {
  const rings = coordinatesOf(value, 'Polygon', at)
  if (!Array.isArray(rings) || rings.length !== 1) throw new Invalid('A polygon has one ring, and no holes.', at)
  const ring = positions(rings[0], 4, at)
  if (String(ring[0]) !== String(ring.at(-1))) throw new Invalid('The ring of a polygon ends where it begins.', at)
  return { type: 'Polygon', coordinates: [ring] }
}

export function formatPoint(value: Value): string {
  return `(${(value as { coordinates: Position }).coordinates.join(',')})`
}

export function formatLine(value: Value): string {
  return `[${(value as { coordinates: Position[] }).coordinates.map((one) => `(${one.join(',')})`).join(',')}]`
}

export function formatPolygon(value: Value): string {
  const [ring = []] = (value as { coordinates: Position[][] }).coordinates
  return `(${ring
    .slice(0, -1)
    .map((one) => `(${one.join(',')})`)
    .join(',')})`
}

function coordinatesOf(value: unknown, type: string, at: readonly string[]): unknown {
  if (typeof value === 'object' && value !== null && 'type' in value && 'coordinates' in value) {
    if (value.type === type) return value.coordinates
  }
  throw new Invalid(`This is not a GeoJSON ${type}: { "type": "${type}", "coordinates": … }.`, at)
}

function positions(value: unknown, least: number, at: readonly string[]): Position[] {
  if (!Array.isArray(value) || value.length < least || value.length > positionLimit) {
    throw new Invalid(`This has ${least} to ${positionLimit} positions.`, at)
  }
  return value.map((one) => position(one, at))
}

function position(value: unknown, at: readonly string[]): Position {
  if (Array.isArray(value) && value.length === 2) {
    const [x, y] = value.map((one) => (typeof one === 'number' && Math.abs(one) <= farthest ? one + 0 : Number.NaN))
    if (x !== undefined && y !== undefined && !Number.isNaN(x + y)) return [x, y]
  }
  throw new Invalid('A position is two numbers, [longitude, latitude], between -1e9 and 1e9.', at)
}
