/** Which kinds of indexes go with which attributes. */
import type { Attribute } from '../../../prisma/client/client.ts'
import type { AttributeType, IndexType } from '../../../prisma/client/enums.ts'

type Indexed = Pick<Attribute, 'key' | 'type' | 'list' | 'size' | 'elements' | 'encrypted' | 'relation'>

/** PostgreSQL refuses documents whose index entry is longer than 2,704 bytes: an index that could need more is refused instead. */
const entryLimitBytes = 2_600

/** What every document has, and an ordered index may name besides attributes. */
export const builtIn: ReadonlySet<string> = new Set(['createdAt', 'updatedAt'])

const texts: readonly AttributeType[] = ['STRING', 'TEXT', 'EMAIL', 'URL']
const shapes: readonly AttributeType[] = ['POINT', 'LINE', 'POLYGON']
const unordered: readonly AttributeType[] = ['TEXT', 'JSON', 'VECTOR', ...shapes]

/** What an index of each kind says of an attribute that it cannot have; null for none. */
const refusals: Readonly<Record<IndexType, (attribute: Indexed) => string | null>> = {
  KEY: refuseUnordered,
  UNIQUE: refuseUnordered,
  FULLTEXT: refuseOther,
  TRIGRAM: refuseOther,
  GIN: ({ type, list }) => (list || type === 'JSON' ? null : 'A GIN index is for lists and JSON.'),
  SPATIAL: ({ type }) => (shapes.includes(type) ? null : 'A spatial index is for points, lines and polygons.'),
  VECTOR: ({ type }) => (type === 'VECTOR' ? null : 'A vector index is for vectors.'),
}

function refuseUnordered({ type, list, relation }: Indexed): string | null {
  if (relation === 'MANY_TO_MANY') return 'A relation of many to many has its index already.'
  if (type === 'TEXT') return 'A TEXT may be too long for this index: use STRING, or a full-text or trigram index.'
  return list || unordered.includes(type) ? `${list ? 'A list' : `A ${type}`} has no order: use another kind.` : null
}

function refuseOther({ type, list }: Indexed): string | null {
  return texts.includes(type) && !list ? null : 'This kind of index is for texts that are not lists.'
}

/** Why an index of a kind cannot have an attribute; null where it can. */
export function refusalOf(kind: IndexType, attribute: Indexed): string | null {
  if (attribute.encrypted) return 'An encrypted attribute cannot be indexed.'
  return refusals[kind](attribute)
}

export function isOrdered(kind: IndexType): boolean {
  return kind === 'KEY' || kind === 'UNIQUE'
}

/** Whether an entry of an ordered index always has room. */
export function fits(attributes: readonly Indexed[]): boolean {
  return attributes.reduce((sum, attribute) => sum + bytesOf(attribute), 0) <= entryLimitBytes
}

/** Most bytes of a value. A character has up to four, an id is shorter than 64. */
function bytesOf({ type, size, elements }: Indexed): number {
  if (type === 'STRING') return 4 * (size ?? 0) + 4
  if (type === 'ENUM') return Math.max(0, ...elements.map((element) => element.length)) + 4
  return { EMAIL: 324, URL: 2_052, RELATION: 64, DECIMAL: 64, IP: 24, UUID: 16 }[type as string] ?? 8
}
