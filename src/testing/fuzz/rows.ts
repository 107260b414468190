/** The rows of both databases: equal where the principal may read, different where not. */
import type { NewCollection } from '../collections.ts'
import { type Kind, kinds, type Principal } from './data.ts'
import { hash, type Random, randomOf } from './random.ts'

/** One of the two databases. */
export type Variant = 'a' | 'b'

export type Row = { kind: string; id: string; place: number; input: Record<string, unknown> }

type Attribute = NewCollection['attributes'][string]

/** All rows of one database, in an order in which none points at a later one. */
export function rowsOf(principal: Principal, variant: Variant): Row[] {
  return Object.entries(kinds).flatMap(([key, kind]) =>
    Array.from({ length: kind.rows }, (_, i) => rowOf(principal, variant, key, kind, i)).flatMap((row) => row ?? []),
  )
}

/** How many rows and fields differ between the two: what a leak would show. */
export function countDifferences(principal: Principal): number {
  const [a, b] = (['a', 'b'] as const).map((variant) => new Map(rowsOf(principal, variant).map((row) => [row.id, row])))
  if (!a || !b) return 0
  const differing = [...a].filter(([id, row]) => JSON.stringify(b.get(id)) !== JSON.stringify(row))
  return differing.length + [...b.keys()].filter((id) => !a.has(id)).length
}

function rowOf(principal: Principal, variant: Variant, key: string, kind: Kind, i: number): Row | null {
  const id = idOf(key, i)
  const isReadable = mayReadRow(principal, key, i)
  const only = presence(principal, key, i)
  if (only !== 'both' && only !== variant) return null
  const place = hash(id) % 100_000
  const input: Record<string, unknown> = { id }
  for (const [name, attribute] of Object.entries(kind.attributes)) {
    const seed = `${key}/${i}/${name}`
    const isHidden = !isReadable || !mayReadField(principal, attribute)
    // What is unique tells of itself: so it is the same in both, or not there.
    if (attribute.unique && only !== 'both') continue
    const random = randomOf(isHidden && !attribute.unique ? `${seed}/${variant}` : seed)
    const value =
      attribute.type === 'RELATION'
        ? relatedTo(principal, variant, attribute, { key, i, seed, isHidden })
        : attribute.unique
          ? `${key}-${hash(seed) % 1000}`
          : columnValue(random, attribute)
    if (value !== undefined) input[name] = value
  }
  const granted = kind.grants?.[i % kind.grants.length]
  if (granted) input.permissions = permissionsOf(granted)
  return { kind: key, id, place, input }
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

export function mayReadRow({ roles }: Principal, key: string, i: number): boolean {
  const kind = kinds[key]
  if (roles === null || !kind) return roles === null
  if (roles.some((role) => kind.permissions?.includes(`read:${role}`))) return true
  const granted = kind.documentPermissions ? kind.grants?.[i % kind.grants.length] : undefined
  return granted?.read.some((role) => roles.includes(role)) ?? false
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
  switch (attribute.type) {
    case 'INTEGER':
      return random.below(7) - 1
    case 'BOOLEAN':
      return random.chance(0.5)
    case 'DATETIME':
      return new Date(Date.UTC(2026, random.below(4), 1 + random.below(3))).toISOString()
    default:
      return random.pick(words)
  }
}
