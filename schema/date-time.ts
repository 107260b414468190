import { GraphQLError, GraphQLScalarType, type ValueNode } from 'graphql'
import { DateTimeResolver } from 'graphql-scalars'

const { parseValue, parseLiteral } = DateTimeResolver

function read(parse: () => Date, node?: ValueNode): Date {
  try {
    return parse()
  } catch {
    throw new GraphQLError('This is not a moment in ISO 8601 with its time zone, as "2026-11-23T12:00:00Z".', {
      nodes: node ?? null,
    })
  }
}

/** As graphql-scalars has it, with words of ours for what is none. */
export const dateTime = new GraphQLScalarType({
  ...DateTimeResolver.toConfig(),
  parseValue: (value) => read(() => parseValue(value)),
  parseLiteral: (node, variables) => read(() => parseLiteral(node, variables), node),
})
