import { GraphQLError, GraphQLScalarType, Kind, type ValueNode } from 'graphql'
import { holdsSlot } from '../../src/documents/slots.ts'
import { type ColumnType, types } from '../../src/documents/types.ts'
import { AppError } from '../../src/errors.ts'

/** A scalar whose values are those of a type of attribute. What it answers has been made by the database. */
function scalar(name: string, type: ColumnType, description: string, literalOf: LiteralOf = textOf): GraphQLScalarType {
  const read = (value: unknown, node?: ValueNode) => {
    // What a request brings later is read then.
    if (holdsSlot(value)) return value
    try {
      return types[type].parse(value, [])
    } catch (error) {
      // Validation takes a GraphQLError as it is: by its node it is told where in the input the value stands.
      throw error instanceof AppError ? new GraphQLError(error.message, { nodes: node ?? null }) : error
    }
  }
  return new GraphQLScalarType({
    name,
    description,
    serialize: (value) => value,
    parseValue: (value) => read(value),
    // Validation has no variables yet.
    parseLiteral: (node, variables) =>
      variables == null && holdsVariable(node) ? null : read(literalOf(node, variables ?? {}), node),
  })
}

type Variables = Readonly<Record<string, unknown>>
type LiteralOf = (node: ValueNode, variables: Variables) => unknown

function holdsVariable(node: ValueNode): boolean {
  if (node.kind === Kind.LIST) return node.values.some(holdsVariable)
  return node.kind === Kind.OBJECT ? node.fields.some(({ value }) => holdsVariable(value)) : node.kind === Kind.VARIABLE
}

/** Numbers keep all their digits: GraphQL hands them over as text. */
function textOf(node: ValueNode): unknown {
  return node.kind === Kind.STRING || node.kind === Kind.INT || node.kind === Kind.FLOAT ? node.value : undefined
}

function geometryOf(node: ValueNode, variables: Variables): unknown {
  const within = (inner: ValueNode) => geometryOf(inner, variables)
  if (node.kind === Kind.OBJECT)
    return Object.fromEntries(node.fields.map(({ name, value }) => [name.value, within(value)]))
  if (node.kind === Kind.LIST) return node.values.map(within)
  if (node.kind === Kind.VARIABLE) return variables[node.name.value]
  if (node.kind === Kind.INT || node.kind === Kind.FLOAT) return Number(node.value)
  return node.kind === Kind.STRING ? node.value : undefined
}

/** The scalars that documents have beside those of the API itself. */
export const scalars = {
  Decimal: scalar('Decimal', 'DECIMAL', 'An exact decimal number of up to 100 digits, as text: `"12.50"`.'),
  Date: scalar('Date', 'DATE', 'A day between the years 1 and 9999: `2026-11-23`.'),
  Email: scalar('Email', 'EMAIL', 'An email address.'),
  URL: scalar('URL', 'URL', 'A web address, http or https.'),
  IP: scalar('IP', 'IP', 'An address of the internet, version 4 or 6.'),
  UUID: scalar('UUID', 'UUID', 'A UUID, in small letters.'),
  Point: scalar(
    'Point',
    'POINT',
    'A place: a GeoJSON Point, `{ type: "Point", coordinates: [longitude, latitude] }`.',
    geometryOf,
  ),
  Line: scalar('Line', 'LINE', 'A way: a GeoJSON LineString of up to 10,000 positions.', geometryOf),
  Polygon: scalar(
    'Polygon',
    'POLYGON',
    'An area: a GeoJSON Polygon of one ring and up to 10,000 positions, without holes.',
    geometryOf,
  ),
  Vector: scalar('Vector', 'VECTOR', 'A list of up to 2,000 numbers.', geometryOf),
} as const

/** 64-bit numbers as text, so that no client loses digits. */
export const BigIntText = scalar(
  'BigInt',
  'BIGINT',
  'A 64-bit integer, as text where it is answered: `"9007199254740993"`.',
)
