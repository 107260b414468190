import { type FieldNode, type FragmentDefinitionNode, Kind, type SelectionSetNode } from 'graphql'

/** How long the lists of an introspection are taken to be. Fields within fields multiply what little text can ask for. */
const lengths: Readonly<Record<string, number>> = {
  types: 100,
  fields: 10,
  inputFields: 10,
  args: 2,
  enumValues: 10,
  possibleTypes: 10,
  interfaces: 10,
  directives: 10,
}

export function introspectionCost(
  { name, selectionSet }: FieldNode,
  fragments: ReadonlyMap<string, FragmentDefinitionNode>,
): number {
  if (!selectionSet) return 0
  const length = Object.hasOwn(lengths, name.value) ? (lengths[name.value] ?? 1) : 1
  return length * (1 + costWithin(selectionSet, fragments))
}

function costWithin({ selections }: SelectionSetNode, fragments: ReadonlyMap<string, FragmentDefinitionNode>): number {
  let total = 0
  for (const node of selections) {
    if (node.kind === Kind.FIELD) total += introspectionCost(node, fragments)
    else {
      const inside = node.kind === Kind.INLINE_FRAGMENT ? node : fragments.get(node.name.value)
      if (inside) total += costWithin(inside.selectionSet, fragments)
    }
  }
  return total
}
