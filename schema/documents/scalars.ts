import { GraphQLError, GraphQLScalarType, Kind, type ValueNode } from 'graphql'
import { type ColumnType, types } from '../../src/documents/types.ts'
import { AppError } from '../../src/errors.ts'

/** A scalar whose values are those of a type of attribute. What it answers has been made by the database. */
function scalar(name: string, type: ColumnType, description: string, literalOf = textOf): GraphQLScalarType {
  const read = (value: unknown, node?: ValueNode) => {
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
    parseLiteral: (node) => read(literalOf(node), node),
  })
}

/** Numbers keep all their digits: GraphQL hands them over as text. */
function textOf(node: ValueNode): unknown {
  return node.kind === Kind.STRING || node.kind === Kind.INT || node.kind === Kind.FLOAT ? node.value : undefined
}

function geometryOf(node: ValueNode): unknown {
  if (node.kind === Kind.OBJECT) {
    return Object.fromEntries(node.fields.map(({ name, value }) => [name.value, geometryOf(value)]))
  }
  if (node.kind === Kind.LIST) return node.values.map(geometryOf)
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
