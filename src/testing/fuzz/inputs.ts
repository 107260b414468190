/** Values for arguments, made from their types. */
import {
  type GraphQLInputField,
  type GraphQLInputObjectType,
  type GraphQLInputType,
  getNamedType,
  isEnumType,
  isInputObjectType,
  isLeafType,
  isListType,
  isNonNullType,
} from 'graphql'
import { drawId, drawValue, type Pool } from './pool.ts'
import type { Random } from './random.ts'
import { type Apart, apart } from './tree.ts'

export type Maker = {
  random: Random
  pool: Pool
  /** The type of document that an input or field of this name is about. */
  documentOf: (name: string) => string | null
  /** The type of document that a field of a document points at. */
  targetOf: (typeName: string, field: string) => string | null
  /** Ids for new documents. */
  newId: () => string
  /** Fields that the caller may not read: what a leak would come through is asked for more often than chance would. */
  tempting: ReadonlySet<string>
  /** By type of document: those that the caller may change, at least in the beginning. */
  changeable: ReadonlyMap<string, readonly string[]>
  /** By type of document: those that the caller may not read, and that only one of the databases has. */
  secret: ReadonlyMap<string, readonly string[]>
}

/** Where a value stands: the field or argument that it is for, and the type of document that this belongs to. */
export type Spot = {
  key: string
  document: string | null
  input: string
  depth: number
  /** The operator that the value is for, where it stands in a filter. */
  inside?: string
  /** Whether it is to be about what the caller may not read. */
  isBait?: boolean
  /** What makes the groups that it is about. */
  grouped?: readonly string[] | undefined
}

const deepest = 4

export function makeValue(maker: Maker, type: GraphQLInputType, spot: Spot): unknown {
  const { random } = maker
  if (isNonNullType(type)) return makeValue(maker, type.ofType, spot)
  if (random.chance(0.01)) return null
  if (isListType(type)) {
    if (random.chance(0.03)) return makeValue(maker, type.ofType, spot)
    const items = Array.from({ length: lengthOf(maker, type, spot) }, () => makeValue(maker, type.ofType, spot))
    return /Group$/.test(getNamedType(type).name) ? unlike(items) : items
  }
  if (isInputObjectType(type)) return makeObject(maker, type, spot)
  if (isEnumType(type)) return random.pick(type.getValues()).name
  return makeScalar(maker, type.name, spot)
}

function lengthOf({ random }: Maker, type: GraphQLInputType, { key, inside, isBait }: Spot): number {
  if (isBait) return 1
  if (/[bB]etween$/.test(inside ?? key) && random.chance(0.95)) return 2
  return isInputObjectType(getNamedType(type)) ? 1 + random.below(3) : random.below(4)
}

/** What makes groups stands once. */
function unlike(items: readonly unknown[]): unknown[] {
  return [...new Map(items.map((item) => [Object.keys(item ?? {})[0], item])).values()]
}

function makeObject(maker: Maker, type: GraphQLInputObjectType, spot: Spot): unknown {
  const { random } = maker
  const all = Object.values(type.getFields()).filter((field) => spot.depth < deepest || isShallow(field))
  const fields = random.chance(0.95) ? all.filter((field) => isGrouped(type, field, spot.grouped)) : all
  const baits = spot.isBait ? baitsOf(maker, type) : []
  const bait = baits.length > 0 ? random.pick(baits) : null
  const given = bait ? [...new Set([...fields.filter(isRequired), bait])] : chosenFields(maker, type, fields)
  const document = maker.documentOf(type.name) ?? spot.document
  const entries = given.map((field) => {
    const isFilter = /Filter$/.test(type.name)
    const inside = {
      key: isFilter ? spot.key : field.name,
      document,
      input: type.name,
      depth: spot.depth + 1,
      inside: field.name,
      isBait: field === bait && isLeafType(getNamedType(field.type)),
      grouped: spot.grouped,
    }
    const value = makeValue(maker, field.type, inside)
    const marked: Apart = { [apart]: true, value }
    return [field.name, random.chance(0.06) ? marked : value]
  })
  return Object.fromEntries(entries)
}

/** Whether there is something to ask of it: what does not make groups has no key. */
function isGrouped({ name }: GraphQLInputObjectType, field: GraphQLInputField, grouped: Spot['grouped'] = []): boolean {
  if (name.endsWith('AggregateKeyHaving')) return grouped.includes(field.name)
  return !(name.endsWith('Having') && field.name === 'key') || grouped.length > 0
}

/** Fields that may be about what the caller may not read: of an order, condition or group; of a document, what it points at. */
function baitsOf({ tempting, secret, documentOf, targetOf }: Maker, type: GraphQLInputObjectType): GraphQLInputField[] {
  const fields = Object.values(type.getFields())
  if (/(Order|Where|Group)$/.test(type.name)) return fields.filter(({ name }) => tempting.has(name))
  const document = documentOf(type.name)
  if (document === null || /(Filter|Having)$/.test(type.name)) return []
  const pointsAt = ({ name }: GraphQLInputField) => secret.get(targetOf(document, name) ?? '')?.length ?? 0
  return fields.filter((field) => getNamedType(field.type).name === 'ID' && pointsAt(field) > 0)
}

function isRequired(field: GraphQLInputField): boolean {
  return isNonNullType(field.type) && field.defaultValue === undefined
}

/** Whether what may not be read can be asked by through an argument of this type. */
export function isBaited(maker: Maker, type: GraphQLInputType): boolean {
  const named = getNamedType(type)
  return isInputObjectType(named) && baitsOf(maker, named).length > 0
}

function chosenFields(
  maker: Maker,
  type: GraphQLInputObjectType,
  fields: readonly GraphQLInputField[],
): GraphQLInputField[] {
  const { random } = maker
  if (fields.length === 0) return []
  const share = /Order$/.test(type.name) ? 0.1 : /Where$/.test(type.name) ? 0.06 : 0
  const baits = share > 0 ? baitsOf(maker, type) : []
  if (baits.length > 0 && random.chance(share)) return [random.pick(baits)]
  // Of an order, one key for each item, a field of the document itself more often than not; of a condition, one or two.
  const plain = fields.filter((field) => !isInputObjectType(getNamedType(field.type)))
  if (type.isOneOf || /(Order|Group)$/.test(type.name))
    return [random.pick(plain.length > 0 && random.chance(0.7) ? plain : fields)]
  const required = fields.filter(isRequired)
  const optional = fields.filter((field) => !required.includes(field))
  const isCondition = /(Where|Filter|Having)$/.test(type.name)
  if (!isCondition) return [...required, ...optional.filter((field) => random.chance(isShallow(field) ? 0.45 : 0.25))]
  const count = random.chance(0.03) ? 0 : random.chance(0.75) ? 1 : 2
  const picked = new Set(Array.from({ length: count }, () => random.pick(fields)))
  return [...new Set([...required, ...picked])]
}

/** Whether it holds no objects of objects. */
function isShallow({ type }: GraphQLInputField): boolean {
  const named = getNamedType(type)
  if (!isInputObjectType(named)) return true
  return Object.values(named.getFields()).every((field) => !isInputObjectType(getNamedType(field.type)))
}

function makeScalar(maker: Maker, scalar: string, spot: Spot): unknown {
  const { random, pool } = maker
  if (scalar === 'ID') return makeId(maker, spot)
  const named = makers[spot.key]
  if (named && random.chance(0.97)) return named(maker)
  if (random.chance(0.04)) return edgeOf(maker, scalar)
  const known = drawValue(pool, random, spot.key, scalar)
  if (known === undefined) return edgeOf(maker, scalar)
  return typeof known === 'string' && scalar === 'String' && random.chance(0.2) ? partOf(random, known) : known
}

/** What arguments and inputs of these names take; values from anywhere would mostly be refused. */
const makers: Record<string, (maker: Maker) => unknown> = {
  first: ({ random }) => 1 + random.below(12),
  last: ({ random }) => 1 + random.below(12),
  maxAge: ({ random }) => random.below(70),
  offset: ({ random }) => random.below(4),
  ifVersion: ({ random }) => 1 + random.below(2),
  idempotencyKey: ({ random, newId }) => (random.chance(0.8) ? newId() : 'again'),
}

function makeId(maker: Maker, { key, document, input, isBait }: Spot): string {
  const { random, pool, changeable, secret } = maker
  if (document === null) return 'absent'
  if (isBait) return random.pick(secret.get(maker.targetOf(document, key) ?? '') ?? ['absent'])
  const creates = /^(Create|Upsert|New)/.test(input)
  if (key === 'id' && creates) {
    // The id of a document that may not be read would tell that it is there, which is a channel of its own.
    const mine = pool.readable.get(document) ?? []
    const known = mine.length > 0 && random.chance(input.startsWith('Upsert') ? 0.6 : 0.1)
    return known ? random.pick(mine) : maker.newId()
  }
  const mine = changeable.get(document) ?? []
  if (key === 'id' && /^(Update|Delete)/.test(input) && mine.length > 0 && random.chance(0.75)) return random.pick(mine)
  const target = key === 'id' || key === 'ids' ? document : maker.targetOf(document, key)
  // What is to be changed, or pointed at, is mostly there: a trivial refusal tells little.
  return drawId(pool, random, target ?? document, /Where$|Filter$/.test(input) ? 0.6 : 0.85)
}

function partOf(random: Random, text: string): string {
  const characters = [...text]
  const from = random.below(characters.length + 1)
  return characters.slice(from, from + 1 + random.below(3)).join('')
}

const edges: Record<string, readonly unknown[]> = {
  String: ['', 'a', '%', '_', 'É', '😀', "it's", 'x'.repeat(40)],
  Int: [0, 1, -1, 2, 3, 7, 2_147_483_647],
  Float: [0, 0.5, -1.25, 1e10],
  Boolean: [true, false],
  DateTime: ['2026-01-01T00:00:00.000Z', '0001-01-01T00:00:00.000Z'],
  Date: ['2026-01-01', '2024-02-29'],
  BigInt: ['0', '9007199254740993', '-1'],
  Decimal: ['0', '1.50', '-2.25'],
  JSON: [{}, [], 'a', 1, true, { a: 1 }, { a: { b: ['x'] } }],
  UUID: ['00000000-0000-4000-8000-000000000000'],
  Email: ['nobody@example.org'],
  URL: ['https://example.org/'],
  IP: ['127.0.0.1', '::1'],
}

function edgeOf({ random }: Maker, scalar: string): unknown {
  return random.pick(edges[scalar] ?? ['x', 1, true])
}
