import { z } from 'zod'
import type { AttributeType, OnDelete } from '../../../prisma/client/enums.ts'
import { Invalid } from '../../errors.ts'
import { checkKey } from '../databases/names.ts'

/** An attribute as it is asked for. What is null counts as left out. */
export type NewAttribute = {
  key: string
  type: AttributeType
  required?: boolean | null | undefined
  /** A JSON value of the attribute's type. */
  default?: unknown
  /** Greatest number of characters (code points) of a string. */
  size?: number | null | undefined
  relatedCollectionId?: string | null | undefined
  reverseKey?: string | null | undefined
  onDelete?: OnDelete | null | undefined
}

/** What of it is stored once it was found to be right. */
export type AttributeShape = {
  key: string
  type: AttributeType
  required: boolean
  default: string | null
  size: number | null
  relatedCollectionId: string | null
  reverseKey: string | null
  onDelete: OnDelete | null
}

/** Longest string of an attribute, in characters. */
export const sizeLimit = 1_048_576

/** Throws for what an attribute by itself cannot be, whatever collection it is for. `path` is where it stands in the input. */
export function shapeAttribute(input: NewAttribute, path: readonly string[]): AttributeShape {
  const { key, type } = input
  const required = input.required ?? false
  checkKey(key, [...path, 'key'])
  const size = shapeSize(input, path)
  const relation = shapeRelation(input, path)
  return { key, type, required, size, ...relation, default: shapeDefault(input, path) }
}

function shapeSize({ type, size }: NewAttribute, path: readonly string[]): number | null {
  if (type !== 'STRING') {
    if (size != null) throw new Invalid('Only a string has a size.', [...path, 'size'])
    return null
  }
  if (size == null) throw new Invalid('A string needs a size: its greatest number of characters.', [...path, 'size'])
  if (!Number.isInteger(size) || size < 1 || size > sizeLimit) {
    throw new Invalid(`A size is a whole number from 1 to ${sizeLimit}.`, [...path, 'size'])
  }
  return size
}

function shapeRelation(
  input: NewAttribute,
  path: readonly string[],
): Pick<AttributeShape, 'relatedCollectionId' | 'reverseKey' | 'onDelete'> {
  if (input.type !== 'RELATION') {
    const given = (['relatedCollectionId', 'reverseKey', 'onDelete'] as const).find((name) => input[name] != null)
    if (given) throw new Invalid(`Only a relation has “${given}”.`, [...path, given])
    return { relatedCollectionId: null, reverseKey: null, onDelete: null }
  }
  const { relatedCollectionId, reverseKey = null, onDelete } = input
  if (!relatedCollectionId)
    throw new Invalid('A relation needs the collection that it points at.', [...path, 'relatedCollectionId'])
  if (!onDelete) throw new Invalid('A relation says what happens when its target is deleted.', [...path, 'onDelete'])
  if (onDelete === 'SET_NULL' && input.required) {
    throw new Invalid('A required relation cannot be set to null.', [...path, 'onDelete'])
  }
  if (reverseKey !== null) checkKey(reverseKey, [...path, 'reverseKey'])
  return { relatedCollectionId, reverseKey, onDelete }
}

/** The default as JSON text, normalised. */
function shapeDefault(input: NewAttribute, path: readonly string[]): string | null {
  if (input.default == null) return null
  const at = [...path, 'default']
  if (input.type === 'RELATION') throw new Invalid('A relation has no default.', at)
  if (input.required) throw new Invalid('A required attribute has no default: its value is always given.', at)
  const parsed = defaults[input.type]?.safeParse(input.default)
  if (!parsed?.success) throw new Invalid(`The default is not ${kinds[input.type]}.`, at)
  if (typeof parsed.data === 'string' && input.type === 'STRING' && [...parsed.data].length > (input.size ?? 0)) {
    throw new Invalid(`The default is longer than ${input.size} characters.`, at)
  }
  return JSON.stringify(parsed.data)
}

const kinds: Partial<Record<AttributeType, string>> = {
  STRING: 'a string that can be stored',
  INTEGER: 'a whole number of 32 bits',
  BOOLEAN: 'true or false',
  DATETIME: 'a moment in ISO 8601 with its time zone',
} as const

const defaults: Partial<Record<AttributeType, z.ZodType>> = {
  STRING: z.string().refine((text) => text.isWellFormed() && !text.includes('\0')),
  INTEGER: z.int32(),
  BOOLEAN: z.boolean(),
  DATETIME: z.iso.datetime({ offset: true }).transform((text) => new Date(text).toISOString()),
} as const
