import { type ASTNode, BREAK, type GraphQLError, Kind, parse, visit } from 'graphql'

/** Where in the arguments of its field the literal stands that graphql-js finds fault with; empty where it is none. */
export function inputPath({ nodes, source }: GraphQLError): string[] {
  const [wrong] = nodes ?? []
  if (!wrong?.loc || !source) return []
  let found: string[] = []
  const document = parse(source.body)
  visit(document, {
    enter: (node, _key, _parent, path) => {
      if (node.kind !== wrong.kind || node.loc?.start !== wrong.loc?.start) return undefined
      found = namesOf(document, path)
      return BREAK
    },
  })
  return found
}

/** The names of arguments and input fields, and places in lists, on a way through a document. */
function namesOf(document: ASTNode, path: readonly (string | number)[]): string[] {
  let names: string[] = []
  let place: unknown = document
  for (const step of path) {
    const before = place as ASTNode | readonly ASTNode[]
    place = (before as unknown as Record<string | number, unknown>)[step]
    const { kind, name } = place as { kind?: Kind; name?: { value: string } }
    if (kind === Kind.FIELD || kind === Kind.DIRECTIVE) names = []
    if (name && (kind === Kind.ARGUMENT || kind === Kind.OBJECT_FIELD)) names.push(name.value)
    else if (typeof step === 'number' && kind?.endsWith('Value')) names.push(String(step))
  }
  return names
}
