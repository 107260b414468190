import { GraphQLError, GraphQLScalarType, Kind, type ValueNode } from 'graphql'
import { JSONResolver } from 'graphql-scalars'

/** As graphql-scalars has it, which leaves out in silence what is no JSON within a literal. */
export const json = new GraphQLScalarType({
  ...JSONResolver.toConfig(),
  parseLiteral: (node, variables) => {
    requireJson(node)
    return JSONResolver.parseLiteral(node, variables)
  },
})

function requireJson(node: ValueNode): void {
  if (node.kind === Kind.ENUM)
    throw new GraphQLError(`JSON has no names: “${node.value}” needs quotes.`, { nodes: node })
  if (node.kind === Kind.LIST) node.values.forEach(requireJson)
  if (node.kind === Kind.OBJECT) for (const { value } of node.fields) requireJson(value)
}
