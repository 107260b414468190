import {
  type GraphQLInputType,
  getNamedType,
  isEnumType,
  isInputObjectType,
  isListType,
  isNonNullType,
  isScalarType,
} from 'graphql'

/** Marks a value inside of an argument that is sent as a variable of its own. */
export const apart = Symbol('apart')

export type Apart = { [apart]: true; value: unknown }

export type Argument = {
  name: string
  type: GraphQLInputType
  value: unknown
  isVariable: boolean
  /** Makes another value for the same place. */
  remake?: () => unknown
}

export type Directive = { name: string; args: readonly Argument[] }

export type FieldNode = {
  kind: 'field'
  name: string
  alias: string | null
  /** The named type of what it answers. */
  type: string
  args: readonly Argument[]
  directives: readonly Directive[]
  children: readonly Selection[]
}

export type Selection =
  | FieldNode
  | { kind: 'fragment'; on: string; isNamed: boolean; directives: readonly Directive[]; children: readonly Selection[] }

export type OperationTree = {
  kind: 'query' | 'mutation'
  directives: readonly Directive[]
  children: readonly Selection[]
}

export type Printed = { query: string; variables: Record<string, unknown> }

type Page = { variables: Map<string, { type: string; value: unknown }>; fragments: string[] }

/** An operation as a client would send it. */
export function print(tree: OperationTree): Printed {
  const page: Page = { variables: new Map(), fragments: [] }
  const body = `${printDirectives(page, tree.directives)} ${printSelections(page, tree.children)}`
  const declared = [...page.variables].map(([name, { type }]) => `$${name}: ${type}`).join(', ')
  const text = `${tree.kind} O${declared ? `(${declared})` : ''}${body}`
  return {
    query: [text, ...page.fragments].join('\n'),
    variables: Object.fromEntries([...page.variables].map(([name, { value }]) => [name, value])),
  }
}

/** The same text with other values of its variables: what a server has remembered of the one, it may use for the other. */
export function revalue(tree: OperationTree): OperationTree {
  return { ...tree, children: tree.children.map(revalueSelection) }
}

function revalueSelection(selection: Selection): Selection {
  const children = selection.children.map(revalueSelection)
  if (selection.kind === 'fragment') return { ...selection, children }
  const args = selection.args.map((arg) => (arg.isVariable && arg.remake ? { ...arg, value: arg.remake() } : arg))
  return { ...selection, args, children }
}

function printSelections(page: Page, selections: readonly Selection[]): string {
  return `{ ${selections.map((one) => printSelection(page, one)).join(' ')} }`
}

function printSelection(page: Page, selection: Selection): string {
  const directives = printDirectives(page, selection.directives)
  if (selection.kind === 'field') {
    const { alias, name, args, children } = selection
    const head = `${alias ? `${alias}: ` : ''}${name}${printArguments(page, args)}${directives}`
    return children.length > 0 ? `${head} ${printSelections(page, children)}` : head
  }
  const body = printSelections(page, selection.children)
  if (!selection.isNamed) return `... on ${selection.on}${directives} ${body}`
  const name = `F${page.fragments.length + 1}`
  // Its place is taken before what is inside it is printed, and so named.
  const place = page.fragments.push('') - 1
  page.fragments[place] = `fragment ${name} on ${selection.on} ${body}`
  return `...${name}${directives}`
}

function printDirectives(page: Page, directives: readonly Directive[]): string {
  return directives.map(({ name, args }) => ` @${name}${printArguments(page, args)}`).join('')
}

function printArguments(page: Page, args: readonly Argument[]): string {
  if (args.length === 0) return ''
  const printed = args.map(({ name, type, value, isVariable }) => {
    const needsVariable = isVariable || holdsFreeForm(type)
    return `${name}: ${needsVariable ? variable(page, type, plain(value)) : literal(page, type, value)}`
  })
  return `(${printed.join(', ')})`
}

function variable(page: Page, type: GraphQLInputType, value: unknown): string {
  const name = `v${page.variables.size + 1}`
  page.variables.set(name, { type: String(type), value })
  return `$${name}`
}

/** A value as JSON has it. */
export function plain(value: unknown): unknown {
  if (typeof value !== 'object' || value === null) return value
  if (apart in value) return plain((value as Apart).value)
  if (Array.isArray(value)) return value.map(plain)
  return Object.fromEntries(Object.entries(value).map(([key, one]) => [key, plain(one)]))
}

/** Objects of a scalar's own have keys that are no names: only a variable can carry them. */
function holdsFreeForm(type: GraphQLInputType): boolean {
  const named = getNamedType(type)
  return isScalarType(named) && !['Int', 'Float', 'String', 'Boolean', 'ID'].includes(named.name)
}

function literal(page: Page, type: GraphQLInputType, value: unknown): string {
  if (typeof value === 'object' && value !== null && apart in value)
    return variable(page, type, plain((value as Apart).value))
  if (value === null) return 'null'
  if (isNonNullType(type)) return literal(page, type.ofType, value)
  if (isListType(type)) {
    return Array.isArray(value)
      ? `[${value.map((item) => literal(page, type.ofType, item)).join(', ')}]`
      : literal(page, type.ofType, value)
  }
  if (isEnumType(type)) return String(value)
  if (isInputObjectType(type)) {
    const fields = type.getFields()
    const entries = Object.entries(value as object).flatMap(([key, one]) => {
      const field = fields[key]
      return field ? [`${key}: ${literal(page, field.type, one)}`] : []
    })
    return `{ ${entries.join(', ')} }`
  }
  return typeof value === 'object' ? variable(page, type, plain(value)) : JSON.stringify(value)
}
