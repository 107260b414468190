import type { AttributeType } from '../../../prisma/client/enums.ts'

/** What can be asked of an attribute besides its key, its being required and who may use it. */
export type Trait =
  | 'list'
  | 'default'
  | 'size'
  | 'min'
  | 'max'
  | 'pattern'
  | 'elements'
  | 'dimensions'
  | 'unique'
  | 'encrypted'
  | 'computed'
  | 'relation'

const text = ['list', 'default', 'pattern', 'encrypted', 'computed'] as const
const plain = ['list', 'default', 'unique', 'computed'] as const
const ordered = [...plain, 'min', 'max'] as const

const traits: Readonly<Record<AttributeType, readonly Trait[]>> = {
  STRING: [...text, 'unique', 'size'],
  TEXT: text,
  EMAIL: [...text, 'unique'],
  URL: [...text, 'unique'],
  ENUM: [...plain, 'elements'],
  INTEGER: ordered,
  BIGINT: ordered,
  FLOAT: ordered,
  DECIMAL: ordered,
  DATETIME: ordered,
  DATE: ordered,
  BOOLEAN: plain,
  IP: plain,
  UUID: plain,
  JSON: ['default', 'encrypted'],
  POINT: ['default'],
  LINE: ['default'],
  POLYGON: ['default'],
  VECTOR: ['dimensions'],
  RELATION: ['relation'],
}

/** Whether a trait can be asked of attributes of a type. */
export function hasTrait(type: AttributeType, trait: Trait): boolean {
  return traits[type].includes(trait)
}
