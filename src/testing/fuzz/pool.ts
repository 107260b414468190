import type { Random } from './random.ts'

/** A place in a list: its cursor, and the order that it is a place in. */
export type Place = { orderBy: unknown; cursor: string }

/** What operations are made of: values and ids that are readable, that are not, and that do not exist. */
export type Pool = {
  values: Map<string, unknown[]>
  /** By type of document: those of rows that the principal can read. */
  readable: Map<string, string[]>
  /** By type of document: all others. */
  hidden: Map<string, string[]>
  places: Map<string, Place[]>
}

/** The eldest are forgotten: an answer of today is more telling. */
const most = 400

export function createPool(): Pool {
  return { values: new Map(), readable: new Map(), hidden: new Map(), places: new Map() }
}

export function remember<T>(map: Map<string, T[]>, key: string, value: T): void {
  const known = map.get(key)
  if (!known) map.set(key, [value])
  else if (!known.includes(value)) {
    known.push(value)
    if (known.length > most) known.splice(0, 1)
  }
}

/** A value that a field of this name has somewhere, or any of its scalar; undefined where none is known. */
export function drawValue(pool: Pool, random: Random, key: string, scalar: string): unknown {
  const byField = pool.values.get(`${scalar} ${key}`)
  if (byField && random.chance(0.85)) return random.pick(byField)
  const byScalar = pool.values.get(scalar) ?? byField
  return byScalar && random.pick(byScalar)
}

/** The id of a document of this type: one that can be read more often than one that cannot. */
export function drawId(pool: Pool, random: Random, typeName: string, readable = 0.7): string {
  const [mine, theirs] = [pool.readable.get(typeName) ?? [], pool.hidden.get(typeName) ?? []]
  if (mine.length > 0 && (random.chance(readable) || theirs.length === 0)) return random.pick(mine)
  return theirs.length > 0 && random.chance(0.9) ? random.pick(theirs) : 'absent'
}
