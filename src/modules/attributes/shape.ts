import type { AttributeType, OnDelete, RelationKind } from '../../../prisma/client/enums.ts'
import { vectorDimensions } from '../../documents/numbers.ts'
import { types } from '../../documents/types.ts'
import type { Value } from '../../documents/value.ts'
import { Invalid } from '../../errors.ts'
import { checkDescription, checkKey } from '../databases/names.ts'
import { type NewPermission, permissionTexts } from '../permissions/grants.ts'
import { checkExpression, ExpressionError } from './expressions.ts'
import { hasTrait, type Trait } from './traits.ts'

/** The kinds of relations as they are asked for: one-to-many becomes many-to-one at the other collection. */
export type AskedRelation = RelationKind | 'ONE_TO_MANY'

/** An attribute as it is asked for. What is null counts as left out. */
export type NewAttribute = {
  key: string
  type: AttributeType
  required?: boolean | null | undefined
  list?: boolean | null | undefined
  /** A JSON value of the attribute's type; so are `min` and `max`. */
  default?: unknown
  /** Greatest number of characters (code points) of a string. */
  size?: number | null | undefined
  min?: unknown
  max?: unknown
  pattern?: string | null | undefined
  elements?: readonly string[] | null | undefined
  dimensions?: number | null | undefined
  unique?: boolean | null | undefined
  encrypted?: boolean | null | undefined
  computed?: string | null | undefined
  /** Who may read and set it, where not everybody may who may read or change its document. */
  permissions?: readonly NewPermission[] | null | undefined
  relation?: AskedRelation | null | undefined
  relatedCollectionId?: string | null | undefined
  reverseKey?: string | null | undefined
  onDelete?: OnDelete | null | undefined
  /** What it is for: whoever is shown its field reads it there. */
  description?: string | null | undefined
}

/** What of it is stored once it was found to be right. */
export type AttributeShape = {
  key: string
  type: AttributeType
  required: boolean
  list: boolean
  default: string | null
  size: number | null
  min: string | null
  max: string | null
  pattern: string | null
  elements: string[]
  dimensions: number | null
  unique: boolean
  encrypted: boolean
  computed: string | null
  restricted: boolean
  permissions: string[]
  relation: AskedRelation | null
  relatedCollectionId: string | null
  reverseKey: string | null
  onDelete: OnDelete | null
  description: string | null
}

/** Longest string of an attribute, in characters. */
export const sizeLimit = 1_048_576
/** Longest string that can be unique, so that an entry of the index has room. */
export const uniqueSizeLimit = 640
export const patternLimit = 1_000
export const elementLimit = 100

type Path = readonly string[]

/**
 * Throws for what an attribute by itself cannot be, whatever collection it is for. `path` is where it stands in the input,
 * `kept` what it is computed by already.
 */
export function shapeAttribute(input: NewAttribute, path: Path, kept: string | null = null): AttributeShape {
  const { key, type } = input
  checkKey(key, [...path, 'key'])
  checkTraits(input, path)
  checkTogether(input, path)
  const permissions = input.permissions ?? null
  const bounds = shapeBounds(input, path)
  return {
    key,
    type,
    required: input.required ?? false,
    list: input.list ?? false,
    ...bounds,
    size: shapeSize(input, path),
    pattern: shapePattern(input, path),
    elements: shapeElements(input, path),
    dimensions: shapeDimensions(input, path),
    unique: input.unique ?? false,
    encrypted: input.encrypted ?? false,
    computed: shapeComputed(input, path, kept),
    ...shapeRelation(input, path),
    restricted: permissions !== null,
    permissions: permissions === null ? [] : permissionTexts(permissions, ['read', 'update'], [...path, 'permissions']),
    default: shapeDefault(input, path),
    description: checkDescription(input.description, path),
  }
}

const asked: readonly Trait[] = [
  'list',
  'default',
  'size',
  'min',
  'max',
  'pattern',
  'elements',
  'dimensions',
  'unique',
  'encrypted',
  'computed',
  'relation',
]

function checkTraits(input: NewAttribute, path: Path): void {
  for (const trait of asked) {
    const value = input[trait]
    if (value == null || value === false || hasTrait(input.type, trait)) continue
    throw new Invalid(`An attribute of the type ${input.type} has no “${trait}”.`, [...path, trait])
  }
  if (input.type === 'RELATION') return
  const given = (['relatedCollectionId', 'reverseKey', 'onDelete'] as const).find((name) => input[name] != null)
  if (given) throw new Invalid(`Only a relation has “${given}”.`, [...path, given])
}

/** What contradicts each other. The former cannot be where the latter is. */
const contradictions: readonly [Trait, Trait | 'required', why: string][] = [
  ['default', 'required', 'A required attribute has no default: its value is always given.'],
  ['default', 'list', 'A list has no default: it is null until it is given.'],
  ['default', 'unique', 'A unique attribute has no default: two documents would have it.'],
  ['default', 'encrypted', 'An encrypted attribute has no default.'],
  ['default', 'computed', 'A computed attribute has no default.'],
  ['unique', 'list', 'A list cannot be unique.'],
  ['unique', 'encrypted', 'An encrypted attribute cannot be unique: nobody can compare its values.'],
  ['list', 'encrypted', 'An encrypted attribute is no list.'],
  ['pattern', 'encrypted', 'An encrypted attribute has no pattern: PostgreSQL cannot look at its values.'],
  ['computed', 'encrypted', 'A computed attribute cannot be encrypted.'],
  ['computed', 'list', 'A computed attribute is no list.'],
]

function checkTogether(input: NewAttribute, path: Path): void {
  const has = (name: Trait | 'required') => input[name] != null && input[name] !== false
  // A default may be the value false.
  const hasDefault = input.default != null
  for (const [one, other, why] of contradictions) {
    if ((one === 'default' ? hasDefault : has(one)) && has(other)) throw new Invalid(why, [...path, one])
  }
}

function shapeSize({ type, size, unique }: NewAttribute, path: Path): number | null {
  const at = [...path, 'size']
  if (type !== 'STRING') return null
  if (size == null) throw new Invalid('A string needs a size: its greatest number of characters.', at)
  if (!Number.isInteger(size) || size < 1 || size > sizeLimit) {
    throw new Invalid(`A size is a whole number from 1 to ${sizeLimit}.`, at)
  }
  if (unique && size > uniqueSizeLimit)
    throw new Invalid(`A unique string has at most ${uniqueSizeLimit} characters.`, at)
  return size
}

function shapeBounds(input: NewAttribute, path: Path): { min: string | null; max: string | null } {
  const min = bound(input, 'min', path)
  const max = bound(input, 'max', path)
  const { type } = input
  const compare = type === 'RELATION' ? undefined : types[type].compare
  if (min !== null && max !== null && compare && compare(min, max) > 0)
    throw new Invalid('The least value is greater than the greatest.', [...path, 'min'])
  return { min: min === null ? null : JSON.stringify(min), max: max === null ? null : JSON.stringify(max) }
}

function bound(input: NewAttribute, name: 'min' | 'max', path: Path): Value {
  const { type, [name]: value } = input
  return value == null || type === 'RELATION' ? null : types[type].parse(value, [...path, name])
}

/** Whether PostgreSQL can read it is asked of PostgreSQL, before it is stored. */
function shapePattern({ pattern = null }: NewAttribute, path: Path): string | null {
  if (pattern === null) return null
  const length = pattern.length
  if (length < 1 || length > patternLimit || pattern.includes('\0') || !pattern.isWellFormed()) {
    throw new Invalid(`A pattern has 1 to ${patternLimit} characters.`, [...path, 'pattern'])
  }
  return pattern
}

function shapeElements({ type, elements }: NewAttribute, path: Path): string[] {
  if (type !== 'ENUM') return []
  const at = [...path, 'elements']
  const all = [...(elements ?? [])]
  if (all.length < 1 || all.length > elementLimit) throw new Invalid(`An enum has 1 to ${elementLimit} elements.`, at)
  for (const [i, element] of all.entries()) {
    // They become the values of an enum of GraphQL.
    const isName = /^[A-Za-z_][A-Za-z0-9_]{0,254}$/.test(element) && !element.startsWith('__')
    if (!isName || ['true', 'false', 'null'].includes(element) || element in {}) {
      throw new Invalid(
        'An element begins with a letter and goes on with letters, digits and underscores, 255 at most; true, false and null are none.',
        [...at, `${i}`],
      )
    }
    if (all.indexOf(element) < i) throw new Invalid('An enum has each element once.', [...at, `${i}`])
  }
  return all
}

function shapeDimensions({ type, dimensions }: NewAttribute, path: Path): number | null {
  if (type !== 'VECTOR') return null
  const count = dimensions ?? 0
  if (!Number.isInteger(count) || count < 1 || count > vectorDimensions) {
    throw new Invalid(`A vector needs its dimensions: 1 to ${vectorDimensions}.`, [...path, 'dimensions'])
  }
  return count
}

function shapeComputed({ computed = null }: NewAttribute, path: Path, kept: string | null): string | null {
  if (computed === kept) return computed
  if (computed === null) return null
  try {
    checkExpression(computed)
  } catch (error) {
    if (!(error instanceof ExpressionError)) throw error
    throw new Invalid(error.message, [...path, 'computed'])
  }
  return computed
}

type Relation = Pick<AttributeShape, 'relation' | 'relatedCollectionId' | 'reverseKey' | 'onDelete'>

function shapeRelation(input: NewAttribute, path: Path): Relation {
  if (input.type !== 'RELATION') return { relation: null, relatedCollectionId: null, reverseKey: null, onDelete: null }
  const relation = input.relation ?? 'MANY_TO_ONE'
  const { relatedCollectionId } = input
  const reverseKey = input.reverseKey ?? null
  if (!relatedCollectionId)
    throw new Invalid('A relation needs the collection that it points at.', [...path, 'relatedCollectionId'])
  const onDelete = relation === 'MANY_TO_MANY' ? linksOnDelete(input, path) : input.onDelete
  if (!onDelete) throw new Invalid('A relation says what happens when its target is deleted.', [...path, 'onDelete'])
  if (onDelete === 'SET_NULL' && input.required) {
    throw new Invalid('A required relation cannot be set to null.', [...path, 'onDelete'])
  }
  if (reverseKey !== null) checkKey(reverseKey, [...path, 'reverseKey'])
  else if (relation === 'ONE_TO_MANY')
    throw new Invalid('A relation of one to many needs the key of its other end.', [...path, 'reverseKey'])
  return { relation, relatedCollectionId, reverseKey, onDelete }
}

/** Only the link between two documents goes with one of them. */
function linksOnDelete({ onDelete, required }: NewAttribute, path: Path): OnDelete {
  if (onDelete != null && onDelete !== 'CASCADE')
    throw new Invalid('A relation of many to many loses its links: CASCADE.', [...path, 'onDelete'])
  if (required)
    throw new Invalid('A relation of many to many is a list, and cannot be required.', [...path, 'required'])
  return 'CASCADE'
}

/** The default as JSON text, normalised. Whether it keeps the attribute's own rules is asked of PostgreSQL. */
function shapeDefault({ type, default: value }: NewAttribute, path: Path): string | null {
  if (value == null || type === 'RELATION') return null
  return JSON.stringify(types[type].parse(value, [...path, 'default']))
}
