import { GraphQLError, GraphQLScalarType, type ValueNode } from 'graphql'
import { DateTimeResolver } from 'graphql-scalars'

const { parseValue, parseLiteral } = DateTimeResolver

function read(parse: () => Date, node: ValueNode | null = null): Date {
  const moment = readMoment(parse, node)
  const year = moment.getUTCFullYear()
  // PostgreSQL has no year 0, and ISO 8601 none of five digits.
  if (year < 1 || year > 9999) throw new GraphQLError('A moment lies between the years 1 and 9999.', { nodes: node })
  return moment
}

function readMoment(parse: () => Date, nodes: ValueNode | null): Date {
  try {
    return parse()
  } catch {
    const message = 'This is not a moment in ISO 8601 with its time zone, as "2026-11-23T12:00:00Z".'
    throw new GraphQLError(message, { nodes })
  }
}

/** As graphql-scalars has it, with words of ours for what is none. */
export const dateTime = new GraphQLScalarType({
  ...DateTimeResolver.toConfig(),
  parseValue: (value) => read(() => parseValue(value)),
  parseLiteral: (node, variables) => read(() => parseLiteral(node, variables), node),
})
