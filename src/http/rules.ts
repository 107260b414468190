import {
  type DocumentNode,
  FragmentsOnCompositeTypesRule,
  GraphQLError,
  Kind,
  KnownArgumentNamesRule,
  KnownDirectivesRule,
  KnownFragmentNamesRule,
  KnownTypeNamesRule,
  NoFragmentCyclesRule,
  NoUndefinedVariablesRule,
  NoUnusedFragmentsRule,
  NoUnusedVariablesRule,
  PossibleFragmentSpreadsRule,
  specifiedRules,
  UniqueArgumentNamesRule,
  UniqueDirectivesPerLocationRule,
  UniqueFragmentNamesRule,
  UniqueInputFieldNamesRule,
  UniqueVariableNamesRule,
  type ValidationRule,
  VariablesAreInputTypesRule,
  VariablesInAllowedPositionRule,
} from 'graphql'
import { eachNode } from './document.ts'

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

/** What a document has to have for a rule to find fault with it. Rules that are not here look at every document. */
const subjects = new Map<ValidationRule, readonly Kind[]>([
  [typeNamesRule, [Kind.NAMED_TYPE]],
  [KnownArgumentNamesRule, [Kind.ARGUMENT]],
  [UniqueArgumentNamesRule, [Kind.ARGUMENT]],
  [UniqueInputFieldNamesRule, [Kind.OBJECT]],
  [KnownDirectivesRule, [Kind.DIRECTIVE]],
  [UniqueDirectivesPerLocationRule, [Kind.DIRECTIVE]],
  [UniqueVariableNamesRule, [Kind.VARIABLE]],
  [NoUndefinedVariablesRule, [Kind.VARIABLE]],
  [NoUnusedVariablesRule, [Kind.VARIABLE]],
  [VariablesAreInputTypesRule, [Kind.VARIABLE]],
  [VariablesInAllowedPositionRule, [Kind.VARIABLE]],
  [UniqueFragmentNamesRule, [Kind.FRAGMENT_DEFINITION]],
  [NoUnusedFragmentsRule, [Kind.FRAGMENT_DEFINITION]],
  [NoFragmentCyclesRule, [Kind.FRAGMENT_DEFINITION]],
  [KnownFragmentNamesRule, [Kind.FRAGMENT_SPREAD]],
  [FragmentsOnCompositeTypesRule, [Kind.INLINE_FRAGMENT, Kind.FRAGMENT_DEFINITION]],
  [PossibleFragmentSpreadsRule, [Kind.INLINE_FRAGMENT, Kind.FRAGMENT_SPREAD]],
])

/** The rules that may find fault with this document: half of them look at fragments, variables or directives, which most have none of. */
export function rulesFor(document: DocumentNode): readonly ValidationRule[] {
  const kinds = new Set<Kind>()
  eachNode(document, ({ kind }) => void kinds.add(kind))
  return lazyRules.filter((rule) => subjects.get(rule)?.some((kind) => kinds.has(kind)) ?? true)
}
