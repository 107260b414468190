import { type OperationDefinitionNode, type ValueNode, valueFromASTUntyped } from 'graphql'

export type Variables = Readonly<Record<string, unknown>>

/** A part of a cost: a number as far as it is known, or a function of the variables. */
export type Term = number | ((variables: Variables) => number)

export function sum(terms: readonly Term[]): Term {
  let known = 0
  const rest: ((variables: Variables) => number)[] = []
  for (const term of terms) {
    if (typeof term === 'number') known += term
    else rest.push(term)
  }
  if (rest.length === 0) return known
  return (variables) => rest.reduce((total, term) => total + term(variables), known)
}

export function times(a: Term, b: Term): Term {
  if (typeof a === 'number') return typeof b === 'number' ? a * b : (variables) => a * b(variables)
  return typeof b === 'number' ? (variables) => a(variables) * b : (variables) => a(variables) * b(variables)
}

export function defaultsOf({ variableDefinitions = [] }: OperationDefinitionNode): Variables {
  const given = variableDefinitions.flatMap(({ variable, defaultValue }) =>
    defaultValue ? [[variable.name.value, valueFromASTUntyped(defaultValue)] as const] : [],
  )
  return Object.fromEntries(given)
}

/** What becomes of an argument: a number now, if it holds no variable. */
export function termOf(node: ValueNode | undefined, defaults: Variables, weigh: (value: unknown) => number): Term {
  if (!node) return weigh(undefined)
  if (node.kind === 'Variable') {
    const name = node.name.value
    const initial = Object.hasOwn(defaults, name) ? defaults[name] : undefined
    return (variables) => weigh(Object.hasOwn(variables, name) ? variables[name] : initial)
  }
  if (!holdsVariable(node)) return weigh(valueFromASTUntyped(node))
  return (variables) => weigh(valueFromASTUntyped(node, { ...defaults, ...variables }))
}

function holdsVariable(node: ValueNode): boolean {
  if (node.kind === 'Variable') return true
  if (node.kind === 'ListValue') return node.values.some(holdsVariable)
  return node.kind === 'ObjectValue' && node.fields.some(({ value }) => holdsVariable(value))
}
