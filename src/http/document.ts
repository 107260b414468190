import {
  type ASTNode,
  type DirectiveNode,
  type DocumentNode,
  type FieldNode,
  type FragmentDefinitionNode,
  GraphQLError,
  Kind,
  type OperationDefinitionNode,
  parse,
  type SelectionNode,
  type SelectionSetNode,
  type Source,
  type ValueNode,
} from 'graphql'
import { LRUCache } from 'lru-cache'
import { Invalid, LimitExceeded } from '../errors.ts'
import { limits } from './limits.ts'
import { checkKey, checkNumber, checkText, tooDeep } from './values.ts'

/** Bounded by the text they were made of: parsed, it is some fifty times as large. */
const parsed = new LRUCache<string, DocumentNode>({
  maxSize: 1_000_000,
  sizeCalculation: (_document, text) => text.length + 1,
})

/** Parses an operation, and refuses one that would cost more to validate than it can be worth. Equal ones are one document. */
export function parseDocument(source: string | Source): DocumentNode {
  const text = typeof source === 'string' ? source : source.body
  const known = parsed.get(text)
  if (known) return known
  if (text.length > limits.queryCharacters) {
    throw new LimitExceeded(`An operation may have ${limits.queryCharacters} characters.`)
  }
  const document = parseText(text)
  measureDocument(document)
  dropTokens(document)
  parsed.set(text, document)
  return document
}

/** Nobody asks for the tokens of what is parsed, and they take as much memory as all else of it. */
function dropTokens(document: DocumentNode): void {
  eachNode(document, ({ loc }) => {
    if (loc) Object.assign(loc, { startToken: null, endToken: null })
  })
}

/** Shows a node and all within it, each before what it has. */
export function eachNode(node: ASTNode, show: (node: ASTNode) => void): void {
  show(node)
  for (const value of Object.values(node)) {
    for (const one of Array.isArray(value) ? value : [value]) if (typeof one?.kind === 'string') eachNode(one, show)
  }
}

function parseText(text: string): DocumentNode {
  try {
    return parse(text, { maxTokens: limits.tokens, maxComments: limits.comments })
  } catch (error) {
    if (error instanceof RangeError) throw new LimitExceeded('The operation is nested too deeply.')
    if (error instanceof GraphQLError && error.message.includes('Parsing aborted')) {
      throw new LimitExceeded(`An operation may have ${limits.tokens} tokens and ${limits.comments} comments.`)
    }
    throw error
  }
}

/** What a selection comes to when its fragments are followed. */
type Size = {
  depth: number
  selections: number
  rootFields: number
  aliases: number
  directives: number
  introspections: number
}

const names: Record<keyof Size, string> = {
  depth: 'levels of fields',
  selections: 'fields and fragments, counted as often as they are spread',
  rootFields: 'fields at its root',
  aliases: 'aliases',
  directives: 'directives',
  introspections: 'fields __schema and __type',
}

function measureDocument(document: DocumentNode): void {
  const fragments = new Map<string, FragmentDefinitionNode>()
  const operations: OperationDefinitionNode[] = []
  for (const definition of document.definitions) {
    if (definition.kind === Kind.FRAGMENT_DEFINITION) fragments.set(definition.name.value, definition)
    if (definition.kind === Kind.OPERATION_DEFINITION) operations.push(definition)
  }
  if (fragments.size > limits.fragments) throw new LimitExceeded(`An operation may have ${limits.fragments} fragments.`)
  const measure = measurer(fragments)
  let selections = 0
  for (const { selectionSet, directives, variableDefinitions = [] } of operations) {
    const size = measure(selectionSet)
    size.directives += countDirectives(directives)
    for (const variable of variableDefinitions) {
      // graphql-js keeps them in a plain object.
      if (variable.variable.name.value === '__proto__') throw new Invalid('A variable cannot be called `__proto__`.')
      if (variable.defaultValue) checkLiteral(variable.defaultValue, [variable.variable.name.value])
      size.directives += countDirectives(variable.directives)
    }
    // All of them are validated, though only one is run.
    selections += size.selections
    size.selections = selections
    const passed = (Object.keys(names) as (keyof Size)[]).find((key) => size[key] > limits[key])
    if (passed) throw new LimitExceeded(`An operation may have ${limits[passed]} ${names[passed]}.`)
    if (countOverlaps(selectionSet, fragments) > limits.overlaps) {
      throw new LimitExceeded('The operation asks for the same fields too often.')
    }
  }
}

type Fragments = ReadonlyMap<string, FragmentDefinitionNode>

/** Each fragment is measured once, however often it is spread: fan-out is a sum here, never a walk. */
function measurer(fragments: Fragments): (set: SelectionSetNode) => Size {
  const sizes = new Map<string, Size | 'being measured'>()

  const measureFragment = (name: string): Size => {
    const known = sizes.get(name)
    if (known === 'being measured') throw new Invalid('A fragment may not contain itself.')
    const definition = fragments.get(name)
    // Validation says what is missing.
    if (known || !definition) return known ?? empty()
    sizes.set(name, 'being measured')
    const size = measure(definition.selectionSet)
    size.directives += countDirectives(definition.directives)
    sizes.set(name, size)
    return size
  }
  const measureSelection = (node: SelectionNode): Size => {
    if (node.kind === Kind.FRAGMENT_SPREAD) return measureFragment(node.name.value)
    if (node.kind === Kind.INLINE_FRAGMENT) return measure(node.selectionSet)
    return measureField(node, node.selectionSet ? measure(node.selectionSet) : empty())
  }
  const measure = ({ selections }: SelectionSetNode): Size => {
    const sum = empty()
    for (const node of selections) {
      const size = measureSelection(node)
      sum.depth = Math.max(sum.depth, size.depth)
      sum.selections += size.selections + 1
      sum.rootFields += size.rootFields
      sum.aliases += size.aliases
      sum.directives += size.directives + countDirectives(node.directives)
      sum.introspections += size.introspections
    }
    return sum
  }
  return measure
}

function measureField(node: FieldNode, inside: Size): Size {
  for (const { name, value } of node.arguments ?? []) checkLiteral(value, [name.value])
  const introspects = node.name.value === '__schema' || node.name.value === '__type'
  return {
    ...inside,
    depth: introspects ? 1 : inside.depth + 1,
    rootFields: 1,
    aliases: inside.aliases + (node.alias ? 1 : 0),
    introspections: inside.introspections + (introspects ? 1 : 0),
  }
}

/** The fields that end up at one place of the answer. */
type Place = { fields: number; within: Map<string, Place> }

/**
 * Validation compares the fields with selections that end up at one place, each with each. Fragments are followed here, which
 * is safe once it is known how often they are spread.
 */
function countOverlaps(set: SelectionSetNode, fragments: Fragments): number {
  let overlaps = 0
  const follow = ({ selections }: SelectionSetNode, place: Place): void => {
    for (const node of selections) {
      if (node.kind === Kind.FIELD) {
        if (node.selectionSet) follow(node.selectionSet, enter(place, (node.alias ?? node.name).value))
      } else {
        const inside = node.kind === Kind.INLINE_FRAGMENT ? node : fragments.get(node.name.value)
        if (inside) follow(inside.selectionSet, place)
      }
    }
  }
  const enter = (place: Place, name: string): Place => {
    const inner = place.within.get(name) ?? { fields: 0, within: new Map() }
    place.within.set(name, inner)
    overlaps += inner.fields
    inner.fields += 1
    return inner
  }
  follow(set, { fields: 0, within: new Map() })
  return overlaps
}

function empty(): Size {
  return { depth: 0, selections: 0, rootFields: 0, aliases: 0, directives: 0, introspections: 0 }
}

function countDirectives(directives: readonly DirectiveNode[] = []): number {
  for (const directive of directives)
    for (const { name, value } of directive.arguments ?? []) checkLiteral(value, [name.value])
  return directives.length
}

function checkLiteral(value: ValueNode, path: readonly string[]): void {
  if (value.kind === Kind.STRING) checkText(value.value, 'A literal', () => path)
  if (value.kind === Kind.INT || value.kind === Kind.FLOAT) checkNumber(Number(value.value), 'A literal', () => path)
  if (value.kind !== Kind.LIST && value.kind !== Kind.OBJECT) return
  if (path.length > limits.valueDepth) throw tooDeep('A literal')
  if (value.kind === Kind.LIST) for (const [i, child] of value.values.entries()) checkLiteral(child, [...path, `${i}`])
  else
    for (const { name, value: child } of value.fields) {
      checkKey(name.value, 'A literal', () => path)
      checkLiteral(child, [...path, name.value])
    }
}
