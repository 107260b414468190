/** The rows of both databases: equal where the principal may read, different where not. */
import { typeNameOf } from '../../documents/names.ts'
import type { NewCollection } from '../collections.ts'
import { type Kind, kinds, type Principal } from './data.ts'
import { hash, type Random, randomOf } from './random.ts'

/** One of the two databases. */
export type Variant = 'a' | 'b'

export type Row = {
  kind: string
  id: string
  place: number
  input: Record<string, unknown>
  /** Ids that it points at, by attribute, where a relation has many. */
  links: Record<string, string[]>
}

type Attribute = NewCollection['attributes'][string]

/** All rows of one database, in an order in which none points at a later one. */
export function rowsOf(principal: Principal, variant: Variant): Row[] {
  return Object.entries(kinds).flatMap(([key, kind]) =>
    Array.from({ length: kind.rows }, (_, i) => rowOf(principal, variant, key, kind, i)).flatMap((row) => row ?? []),
  )
}

/** How many rows of the project differ between the two: what a leak would show. */
export function countDifferences(principal: Principal): number {
  const [a, b] = (['a', 'b'] as const).map((variant) => new Map(rowsOf(principal, variant).map((row) => [row.id, row])))
  if (!a || !b) return 0
  const differing = [...a].filter(([id, row]) => JSON.stringify(b.get(id)) !== JSON.stringify(row))
  return differing.length + [...b.keys()].filter((id) => !a.has(id)).length
}

function rowOf(principal: Principal, variant: Variant, key: string, kind: Kind, i: number): Row | null {
  const id = idOf(key, i)
  const only = presence(principal, key, i)
  if (only !== 'both' && only !== variant) return null
  const input: Record<string, unknown> = { id }
  const links: Row['links'] = {}
  for (const [name, attribute] of Object.entries(kind.attributes)) {
    // What is unique tells of itself: so it is the same in both, or not there.
    if (attribute.computed || (attribute.unique && only !== 'both')) continue
    const isHidden = !mayReadRow(principal, key, i) || !mayReadField(principal, attribute)
    const place = { key, i, seed: `${key}/${i}/${name}`, isHidden }
    if (attribute.relation === 'MANY_TO_MANY') links[name] = linksOf(principal, variant, attribute, place)
    else {
      const value = valueAt(principal, variant, attribute, place)
      if (value !== undefined) input[name] = value
    }
  }
  const granted = kind.grants?.[i % kind.grants.length]
  if (granted) input.permissions = permissionsOf(granted)
  return { kind: key, id, place: hash(id) % 100_000, input: { ...input, ...kind.fixed?.(i) }, links }
}

function valueAt(principal: Principal, variant: Variant, attribute: Attribute, place: Place): unknown {
  const { key, i, seed, isHidden } = place
  if (attribute.unique) return attribute.to ? idOf(attribute.to, i) : `${key}-${hash(seed) % 1000}`
  if (attribute.type === 'RELATION') return relatedTo(principal, variant, attribute, place)
  return columnValue(randomOf(isHidden ? `${seed}/${variant}` : seed), attribute)
}

/** The same to what may be read, and others to what may not. */
function linksOf(principal: Principal, variant: Variant, attribute: Attribute, place: Place): string[] {
  const targets = [0, 1, 2].map((n) =>
    relatedTo(principal, variant, attribute, { ...place, seed: `${place.seed}/${n}` }),
  )
  return [...new Set(targets.flatMap((target) => target ?? []))]
}

function idOf(key: string, i: number): string {
  return `${key}-${i}`
}

function permissionsOf({ read, write }: NonNullable<Kind['grants']>[number]) {
  return [...read.map((role) => ({ right: 'READ', role })), ...write.map((role) => ({ right: 'WRITE', role }))]
}

/** Unreadable rows are in one database, in the other, or in both with other values. */
function presence(principal: Principal, key: string, i: number): Variant | 'both' {
  if (mayReadRow(principal, key, i)) return 'both'
  return (['a', 'b', 'both'] as const)[hash(`${idOf(key, i)}/where`) % 3] ?? 'both'
}

// The rule, told independently of the code that is tried.

export function mayReadRow(principal: Principal, key: string, i: number): boolean {
  const { roles } = principal
  const kind = kinds[key]
  if (roles === null || !kind) return roles === null
  if (roles.some((role) => kind.permissions?.includes(`read:${role}`))) return true
  if (kind.ruled?.(principal, kind.fixed?.(i) ?? {})) return true
  const granted = kind.documentPermissions ? kind.grants?.[i % kind.grants.length] : undefined
  return granted?.read.some((role) => roles.includes(role)) ?? false
}

/** Whether the collection or the row itself lets this caller change and delete it. */
export function mayWriteRow({ roles }: Principal, key: string, i: number): boolean {
  const kind = kinds[key]
  if (roles === null || !kind) return roles === null
  const holds = (granted: readonly string[]) => roles.some((role) => granted.includes(role))
  if (roles.some((role) => kind.permissions?.includes(`write:${role}`))) return true
  return kind.documentPermissions === true && holds(kind.grants?.[i % kind.grants.length]?.write ?? [])
}

/** Types of documents that the collection itself lets this caller create. */
export function creatableTypes({ roles }: Principal): Set<string> {
  const rights = (roles ?? []).flatMap((role) => [`create:${role}`, `write:${role}`])
  const creatable = Object.entries(kinds).filter(([, { permissions = [] }]) =>
    rights.some((one) => permissions.includes(one)),
  )
  return new Set(creatable.map(([key]) => typeNameOf(key)))
}

/** Ids of rows that the principal may read and change, by type. */
export function changeableIds(principal: Principal): Map<string, string[]> {
  return new Map(
    Object.entries(kinds).map(([key, { rows }]) => {
      const places = Array.from({ length: rows }, (_, i) => i)
      const mine = places.filter((i) => mayReadRow(principal, key, i) && mayWriteRow(principal, key, i))
      return [typeNameOf(key), mine.map((i) => idOf(key, i))]
    }),
  )
}

/** Ids of rows that only one of the databases has, and which the principal therefore may not read, by type. */
export function secretIds(principal: Principal): Map<string, string[]> {
  const [a, b] = [rowsOf(principal, 'a'), rowsOf(principal, 'b')]
  const only = (rows: Row[], others: Row[]) => rows.filter(({ id }) => !others.some((other) => other.id === id))
  const secret = [...only(a, b), ...only(b, a)]
  return new Map(
    Object.keys(kinds).map((kind) => [typeNameOf(kind), secret.flatMap((row) => (row.kind === kind ? row.id : []))]),
  )
}

/** Names of fields that the principal may not read. */
export function hiddenFields(principal: Principal): Set<string> {
  const attributes = Object.values(kinds).flatMap((kind) => Object.entries(kind.attributes))
  return new Set(attributes.filter(([, one]) => !mayReadField(principal, one)).map(([name]) => name))
}

function mayReadField({ roles }: Principal, attribute: Attribute): boolean {
  if (!attribute.restricted || roles === null) return true
  return roles.some((role) => attribute.permissions?.includes(`read:${role}`))
}

type Place = { key: string; i: number; seed: string; isHidden: boolean }

/**
 * What a relation points at. Where that may not be read, the relation may not be either: the other database has
 * another there, or none.
 */
function relatedTo(principal: Principal, variant: Variant, attribute: Attribute, { key, i, seed, isHidden }: Place) {
  const target = attribute.to ?? ''
  const count = target === key ? i : (kinds[target]?.rows ?? 0)
  const stable = randomOf(seed)
  if (count === 0 || stable.chance(0.12)) return undefined
  const chosen = stable.below(count)
  if (attribute.onDelete === 'RESTRICT') return idOf(target, chosen)
  if (!isHidden && mayReadRow(principal, target, chosen)) return idOf(target, chosen)
  const there = Array.from({ length: count }, (_, n) => n).filter((n) => {
    const only = presence(principal, target, n)
    return (only === 'both' || only === variant) && (isHidden || !mayReadRow(principal, target, n))
  })
  const random = randomOf(`${seed}/${variant}`)
  return there.length === 0 || random.chance(0.25) ? undefined : idOf(target, random.pick(there))
}

const words = ['ash', 'birch', 'cedar', 'Ash', 'élan', '', 'oak_1', '50% fir', "d'elm", 'ash birch', '🌲 pine']

function columnValue(random: Random, attribute: Attribute): unknown {
  if (!attribute.required && random.chance(0.15)) return undefined
  if (!attribute.list) return itemOf(random, attribute)
  return Array.from({ length: random.below(4) }, () => itemOf(random, attribute))
}

function itemOf(random: Random, { type, elements }: Attribute): unknown {
  const small = random.below(7) - 1
  switch (type) {
    case 'INTEGER':
      return small
    case 'BIGINT':
      return random.pick(['9007199254740993', '-9007199254740993', String(small)])
    case 'FLOAT':
      return random.pick([0.1, 1e21, -1.5e-7, small])
    case 'DECIMAL':
      return random.pick(['1.50', '-0.005', '12345678901234567890.1', String(small)])
    case 'BOOLEAN':
      return random.chance(0.5)
    case 'DATETIME':
      return new Date(Date.UTC(2026, random.below(4), 1 + random.below(3))).toISOString()
    case 'DATE':
      return `2026-0${1 + random.below(4)}-0${1 + random.below(3)}`
    case 'EMAIL':
      return `${random.pick(['ann', 'bob', 'tia'])}@example.org`
    case 'URL':
      return `https://example.org/${random.pick(['', 'a', 'b?c=d'])}`
    case 'IP':
      return random.pick(['10.0.0.1', '10.0.0.2', '2001:db8::1'])
    case 'UUID':
      return `00000000-0000-4000-8000-00000000000${random.below(4)}`
    case 'ENUM':
      return random.pick(elements ?? [])
    case 'JSON':
      return random.pick([{ a: small }, { a: { b: ['x', small] } }, [1, 'two', null], 'text', small, true])
    default:
      return shapeOf(random, type) ?? random.pick(words)
  }
}

function shapeOf(random: Random, type: Attribute['type']): unknown {
  const [x, y] = [random.below(5), random.below(5)]
  const corner = [x, y]
  if (type === 'POINT') return { type: 'Point', coordinates: corner }
  const others = [
    [x + 2, y],
    [x + 2, y + 2.5],
  ]
  if (type === 'LINE') return { type: 'LineString', coordinates: [corner, ...others] }
  return type === 'POLYGON' ? { type: 'Polygon', coordinates: [[corner, ...others, corner]] } : null
}
