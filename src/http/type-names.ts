import { GraphQLError, KnownTypeNamesRule, specifiedRules, type ValidationRule } from 'graphql'

/** As the specification's rule, but it asks for one name after the other: all types of a large project take long to make. */
const typeNamesRule: ValidationRule = (context) => ({
  NamedType: (node) => {
    const name = node.name.value
    if (context.getSchema().getType(name)) return
    context.reportError(new GraphQLError(`Unknown type "${name}".`, { nodes: node }))
  },
})

/** What a caller may not change at all has no root to look for its fields in, and would be found out in its execution only. */
const rootRule: ValidationRule = (context) => ({
  OperationDefinition: (node) => {
    if (context.getSchema().getRootType(node.operation)) return
    context.reportError(new GraphQLError(`There is no ${node.operation} that you may use.`, { nodes: node }))
  },
})

/** The rules of the specification, of which none makes types that nobody asks for. */
export const lazyRules: readonly ValidationRule[] = [
  rootRule,
  ...specifiedRules.map((rule) => (rule === KnownTypeNamesRule ? typeNamesRule : rule)),
]
