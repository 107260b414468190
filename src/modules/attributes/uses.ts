import type { Attribute, Collection } from '../../../prisma/client/client.ts'
import type { DbContext } from '../../context.ts'
import { fits, isOrdered, refusalOf } from '../indexes/kinds.ts'
import { expressionKeys } from './expressions.ts'

/** What cannot be without an attribute, in words; null for nothing. */
export async function userOf(
  tx: DbContext,
  { rules }: Pick<Collection, 'rules'>,
  { collectionId, key, type }: Pick<Attribute, 'collectionId' | 'key' | 'type'>,
): Promise<string | null> {
  const index = await tx.db.index.findFirst({
    where: { collectionId, attributes: { has: key }, status: { not: 'DELETING' } },
  })
  if (index) return `The index “${index.key}”`
  const computed = type === 'RELATION' ? null : await computedFrom(tx, collectionId, key)
  if (computed) return `The computed attribute “${computed.key}”`
  return ruleOf(rules, key)
}

function ruleOf(rules: string, key: string): string | null {
  const rule = (JSON.parse(rules) as { where: unknown }[]).findIndex(({ where }) => mentions(where, key))
  return rule < 0 ? null : `The rule ${rule + 1} of the collection`
}

/** The same for what cannot be with its new type, or its new size. */
export async function userOfType(
  tx: DbContext,
  { rules }: Pick<Collection, 'rules'>,
  attribute: Attribute,
  shape: Pick<Attribute, 'type' | 'list' | 'size' | 'elements'>,
): Promise<string | null> {
  const { collectionId, key } = attribute
  const attributes = await tx.db.attribute.findMany({ where: { collectionId } })
  const changed = attributes.map((one) => (one.id === attribute.id ? { ...one, ...shape } : one))
  const where = { collectionId, attributes: { has: key }, status: { not: 'DELETING' } } as const
  for (const index of await tx.db.index.findMany({ where })) {
    const named = changed.filter((one) => index.attributes.includes(one.key))
    const isRefused = named.some((one) => refusalOf(index.type, one) !== null)
    if (isRefused || (isOrdered(index.type) && !fits(named))) return `The index “${index.key}”`
  }
  if (attribute.type === shape.type && attribute.list === shape.list) return null
  const computed = await computedFrom(tx, collectionId, key)
  return computed ? `The computed attribute “${computed.key}”` : ruleOf(rules, key)
}

/** An attribute that is computed of this one. */
export async function computedFrom(tx: DbContext, collectionId: string, key: string): Promise<Attribute | null> {
  const where = { collectionId, computed: { not: null }, status: { not: 'DELETING' } } as const
  const computed = await tx.db.attribute.findMany({ where })
  return computed.find((one) => expressionKeys(one.computed ?? '').has(key)) ?? null
}

/** Whether the condition of a rule looks at an attribute. */
export function mentions(where: unknown, key: string): boolean {
  let found = false
  renameInWhere(where, (name) => {
    found ||= name === key
    return name
  })
  return found
}

/** The same condition with other names for its attributes. */
export function renameInWhere(where: unknown, rename: (key: string) => string): unknown {
  if (Array.isArray(where)) return where.map((one) => renameInWhere(one, rename))
  if (typeof where !== 'object' || where === null) return where
  return Object.fromEntries(
    Object.entries(where).map(([key, value]) =>
      ['and', 'or', 'not'].includes(key) ? [key, renameInWhere(value, rename)] : [rename(key), value],
    ),
  )
}
