/** What an attribute is in its table: a column and the constraints on it. */
import { escapeIdentifier, escapeLiteral } from 'pg'
import type { Attribute } from '../../../prisma/client/client.ts'
import { types } from '../../documents/types.ts'
import type { Value } from '../../documents/value.ts'
import { expressionSql } from '../attributes/expressions.ts'

/** What a type is in PostgreSQL. Moments are kept to the millisecond, relations as the id of what they point at. */
function itemType(type: Attribute['type']): string {
  if (type === 'RELATION') return 'text'
  return type === 'DATETIME' ? 'timestamptz(3)' : types[type].sql
}

/** Most values of a list. */
export const itemLimit = 5_000

export type Typed = Pick<Attribute, 'type' | 'list' | 'encrypted' | 'dimensions'>

/** The type that a value of an attribute has in PostgreSQL, without a collation: what one casts to. */
export function sqlTypeOf({ type, list, encrypted, dimensions }: Typed): string {
  if (encrypted) return 'text'
  const item = type === 'VECTOR' ? `vector(${Number(dimensions)})` : itemType(type)
  return list ? `${item}[]` : item
}

/** Texts compare by code point, whatever the database's locale. */
export function isText({ type, encrypted }: Pick<Attribute, 'type' | 'encrypted'>): boolean {
  return encrypted || itemType(type) === 'text'
}

/** A relation to many on both sides has a table of its own instead of a column. */
export function hasOwnColumn({ relation }: Pick<Attribute, 'relation'>): boolean {
  return relation !== 'MANY_TO_MANY'
}

/** The definition of a column. `siblings` are the attributes that an expression may name. */
export function columnOf(attribute: Attribute, siblings: readonly Attribute[]): string {
  const parts = [escapeIdentifier(attribute.column), sqlTypeOf(attribute)]
  if (isText(attribute)) parts.push('collate "C"')
  const initial = defaultOf(attribute)
  if (initial !== null) parts.push(`default ${initial}`)
  if (attribute.computed !== null) parts.push(`generated always as (${computedSql(attribute, siblings)}) stored`)
  if (attribute.required) parts.push('not null')
  return parts.join(' ')
}

function computedSql(attribute: Attribute, siblings: readonly Attribute[]): string {
  const columns = new Map(siblings.map(({ key, column }) => [key, column]))
  return expressionSql(attribute.computed ?? '', (key) => escapeIdentifier(columns.get(key) ?? key))
}

type Initial = Typed & Pick<Attribute, 'default' | 'computed'>

/** The default as a literal; null for none. Encrypted values are made one by one, where documents are written. */
export function defaultOf(attribute: Initial): string | null {
  const { type, encrypted, computed } = attribute
  if (attribute.default === null || encrypted || computed !== null || type === 'RELATION') return null
  const value: unknown = JSON.parse(attribute.default)
  if (value === null) return null
  const literal = (item: unknown) => escapeLiteral(String(types[type].param?.(item as Value) ?? item)).trim()
  if (!attribute.list || !Array.isArray(value)) return literal(value)
  return `array[${value.map(literal).join(', ')}]::${sqlTypeOf(attribute)}`
}

export type Constraint = { name: string; text: string }

/** The checks and the foreign key of a column, named so that an error names its attribute. `target` is the table pointed at. */
export function constraintsOf(attribute: Attribute, target: string): Constraint[] {
  const named = (suffix: string, text: string) => {
    const name = `${attribute.id}_${suffix}`
    return { name, text: `constraint ${escapeIdentifier(name)} ${text}` }
  }
  if (attribute.type === 'RELATION') {
    // Deferrable, so that documents which need each other can be written in one transaction.
    const action = deletions[attribute.onDelete ?? 'RESTRICT']
    const key = `foreign key (${escapeIdentifier(attribute.column)}) references ${target} ("_id")`
    return [named('ref', `${key} on delete ${action} deferrable`)]
  }
  if (attribute.encrypted) return []
  const column = escapeIdentifier(attribute.column)
  return checksOf(attribute, column).map(([suffix, check]) => named(suffix, `check (${check})`))
}

/** `no action` looks at the end of the statement, so that one statement may delete both ends. */
const deletions = { CASCADE: 'cascade', RESTRICT: 'no action', SET_NULL: 'set null' } as const

export type Rules = Typed & Pick<Attribute, 'size' | 'min' | 'max' | 'pattern' | 'elements'>

/** What a value must be, by the suffix of the constraint that holds it. `value` is SQL of the attribute's own type. */
export function checksOf(rules: Rules, value: string): [suffix: string, check: string][] {
  const { type, list, size, min, max, pattern, elements } = rules
  const item = sqlTypeOf({ ...rules, list: false })
  const limit = (json: string) => `${escapeLiteral(String(JSON.parse(json)))}::${item}`
  const checks: [string, string | false][] = [
    ['items', list && `cardinality(${value}) <= ${itemLimit} and array_position(${value}, null) is null`],
    ['size', size !== null && (list ? `public.items_fit(${value}, ${Number(size)})` : fits(value, size))],
    ['min', min !== null && (list ? `${limit(min)} <= all(${value})` : `${value} >= ${limit(min)}`)],
    ['max', max !== null && (list ? `${limit(max)} >= all(${value})` : `${value} <= ${limit(max)}`)],
    ['pattern', pattern !== null && matches(value, pattern, list)],
    ['elements', type === 'ENUM' && oneOf(value, elements, list)],
  ]
  return checks.flatMap(([suffix, check]) => (check === false ? [] : [[suffix, check] as [string, string]]))
}

function fits(value: string, size: number): string {
  return `char_length(${value}) <= ${Number(size)}`
}

function matches(value: string, pattern: string, list: boolean): string {
  const text = escapeLiteral(pattern)
  return list ? `public.items_match(${value}, ${text})` : `${value} ~ ${text}`
}

function oneOf(value: string, elements: readonly string[], list: boolean): string {
  const all = `array[${elements.map((element) => escapeLiteral(element)).join(', ')}]::text[]`
  return list ? `${value} <@ ${all}` : `${value} = any(${all})`
}
