import {
  type DocumentNode,
  type FieldNode,
  type FragmentDefinitionNode,
  GraphQLIncludeDirective,
  type GraphQLResolveInfo,
  GraphQLSkipDirective,
  getDirectiveValues,
  Kind,
  type SelectionNode,
} from 'graphql'

/** What of a request its selections are read by. */
export type Source = Pick<GraphQLResolveInfo, 'fragments' | 'variableValues' | 'schema'>

/** A root field as it is asked for. */
export type Info = Source & Pick<GraphQLResolveInfo, 'fieldNodes'>

/** The fields selected under `nodes` on an object type, by response key; several nodes of one key are merged, as the specification says. */
export function selectedFields(
  source: Source,
  nodes: readonly FieldNode[],
  typeName: string,
): Map<string, FieldNode[]> {
  const fields = new Map<string, FieldNode[]>()
  const spread = new Set<string>()
  for (const node of nodes) collect(source, node.selectionSet?.selections ?? [], typeName, fields, spread)
  return fields
}

function collect(
  source: Source,
  selections: readonly SelectionNode[],
  typeName: string,
  fields: Map<string, FieldNode[]>,
  spread: Set<string>,
): void {
  for (const node of selections.filter((one) => isIncluded(source, one))) {
    if (node.kind === Kind.FIELD) {
      const key = node.alias?.value ?? node.name.value
      const known = fields.get(key)
      if (known) known.push(node)
      else fields.set(key, [node])
      continue
    }
    const fragment = node.kind === Kind.FRAGMENT_SPREAD ? unspread(source, node.name.value, spread) : node
    if (!fragment || (fragment.typeCondition && fragment.typeCondition.name.value !== typeName)) continue
    collect(source, fragment.selectionSet.selections, typeName, fields, spread)
  }
}

function unspread(source: Source, name: string, spread: Set<string>) {
  if (spread.has(name)) return undefined
  spread.add(name)
  return source.fragments[name]
}

function isIncluded({ variableValues }: Source, node: SelectionNode): boolean {
  if (!node.directives?.length) return true
  if (getDirectiveValues(GraphQLSkipDirective, node, variableValues)?.if === true) return false
  return getDirectiveValues(GraphQLIncludeDirective, node, variableValues)?.if !== false
}

/** An operation's fragments, by name. */
export function fragmentsOf(document: DocumentNode): Record<string, FragmentDefinitionNode> {
  return Object.fromEntries(
    document.definitions.flatMap((one) => (one.kind === Kind.FRAGMENT_DEFINITION ? [[one.name.value, one]] : [])),
  )
}
