import {
  type ASTNode,
  BREAK,
  coerceInputValue,
  type GraphQLError,
  type GraphQLSchema,
  isInputType,
  Kind,
  typeFromAST,
  type VariableDefinitionNode,
  visit,
} from 'graphql'
import { parseDocument } from './document.ts'

/** What an operation was given, and in which schema. */
export type Given = { schema?: GraphQLSchema; operation?: { variables?: Readonly<Record<string, unknown>> } }

/** Where the value stands that graphql-js finds fault with: in the arguments of its field, or in the variables. */
export function inputPath(error: GraphQLError, given: Given = {}): string[] {
  const [wrong] = error.nodes ?? []
  if (wrong?.kind === Kind.VARIABLE_DEFINITION) return variablePath(error, wrong, given)
  return [...literalPath(error), ...missing(error.message)]
}

/** What is not there has no place of its own: graphql-js names it in words, after what it should have stood in. */
function missing(message: string): string[] {
  const field = /^Field "(?:\w+\.)?(\w+)" of required type "[^"]+" was not provided\.$/.exec(message)
  const argument = /^(?:Field|Directive) "@?\w+" argument "(\w+)" of type "[^"]+" is required/.exec(message)
  return [field?.[1] ?? argument?.[1] ?? []].flat()
}

function unknown(message: string): string[] {
  return [/^Field "([^"]*)" is not defined by type "\w+"\./.exec(message)?.[1] ?? []].flat()
}

/** graphql-js tells the place in words alone, behind the value itself: what it found fault with is looked for again. */
function variablePath({ message }: GraphQLError, { variable, type }: VariableDefinitionNode, given: Given): string[] {
  const name = variable.name.value
  const inputType = given.schema && typeFromAST(given.schema, type)
  let found: string[] = []
  if (!isInputType(inputType)) return [name]
  const variables = given.operation?.variables ?? {}
  coerceInputValue(Object.hasOwn(variables, name) ? variables[name] : undefined, inputType, (path, _value, fault) => {
    if (found.length > 0 || !message.endsWith(fault.message)) return
    found = [...path.map(String), ...missing(fault.message), ...unknown(fault.message)]
  })
  return [name, ...found]
}

/** Where in the arguments of its field the literal stands that graphql-js finds fault with; empty where it is none. */
function literalPath({ nodes, source }: GraphQLError): string[] {
  const [wrong] = nodes ?? []
  if (!wrong?.loc || !source) return []
  let found: string[] = []
  const document = parseDocument(source.body)
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
