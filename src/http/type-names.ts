import { GraphQLError, KnownTypeNamesRule, specifiedRules, type ValidationRule } from 'graphql'

/** As the specification's rule, but it asks for one name after the other: all types of a large project take long to make. */
const typeNamesRule: ValidationRule = (context) => ({
  NamedType: (node) => {
    const name = node.name.value
    if (context.getSchema().getType(name)) return
    context.reportError(new GraphQLError(`Unknown type "${name}".`, { nodes: node }))
  },
})

/** The rules of the specification, of which none makes types that nobody asks for. */
export const lazyRules: readonly ValidationRule[] = specifiedRules.map((rule) =>
  rule === KnownTypeNamesRule ? typeNamesRule : rule,
)
