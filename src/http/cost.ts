import {
  type DocumentNode,
  type FieldNode,
  type FragmentDefinitionNode,
  type GraphQLField,
  type GraphQLNamedType,
  type GraphQLSchema,
  getNamedType,
  getNullableType,
  getOperationAST,
  isCompositeType,
  isInterfaceType,
  isLeafType,
  isListType,
  isObjectType,
  Kind,
  type OperationDefinitionNode,
  type SelectionSetNode,
} from 'graphql'
import type { Context } from '../context.ts'
import { LimitExceeded } from '../errors.ts'
import { argumentCosts } from './cost-arguments.ts'
import { introspectionCost } from './cost-introspection.ts'
import { defaultsOf, sum, type Term, times, type Variables } from './cost-terms.ts'
import { costLimits, costs, limits } from './limits.ts'
import { homeOf } from './valid.ts'

/** What an operation asks for at most, before it runs. The unit is about a row that is read. */
export type Cost = {
  requested: number
  /** Of `__schema` and `__type`, which have a budget of their own. */
  introspection: number
  /** Things within things: the longest way from the root through relations. */
  levels: number
}

/** The cost of a document in a schema, as a function of the variables alone. It is made once and cheap to call. */
export type CompiledCost = (variables: Variables) => Cost

const compiled = new WeakMap<GraphQLSchema, WeakMap<DocumentNode, Map<string | null, CompiledCost>>>()

/** The cost of a valid operation. What does not depend on the variables is computed once per schema and document. */
export function costOf(
  schema: GraphQLSchema,
  document: DocumentNode,
  operationName: string | null | undefined,
  variables: Variables,
): Cost {
  const home = homeOf(schema, document)
  const documents = compiled.get(home) ?? new WeakMap<DocumentNode, Map<string | null, CompiledCost>>()
  compiled.set(home, documents)
  const operations = documents.get(document) ?? new Map<string | null, CompiledCost>()
  documents.set(document, operations)
  const name = operationName ?? null
  const known = operations.get(name)
  if (known) return known(variables)
  const made = compileCost(home, document, name)
  // Names that a document does not have are made up by callers, and would be kept without end.
  if (getOperationAST(document, name)) operations.set(name, made)
  return made(variables)
}

/** The most that an operation of this caller may cost: the project's own limit, or the default. */
export function costLimitOf({ actor, costLimits: own }: Pick<Context, 'actor' | 'costLimits'>): number {
  const kind = actor?.kind ?? 'user'
  const audience = kind === 'user' ? 'client' : kind === 'key' || kind === 'function' ? 'server' : 'console'
  return own[audience] ?? costLimits[audience]
}

/** What each answer tells in `extensions`. */
export function costExtension({ requested }: Cost, limit: number): { cost: { requested: number; limit: number } } {
  return { cost: { requested, limit } }
}

/** Throws LimitExceeded, naming cost and limit. */
export function requireCost(cost: Cost, limit: number): void {
  if (cost.levels > limits.levels) throw new LimitExceeded(`An operation may have ${limits.levels} levels of things.`)
  if (cost.introspection > limits.introspectionCost) {
    throw new LimitExceeded(
      `The introspection costs ${cost.introspection}; ${limits.introspectionCost} is the most that one may cost.`,
    )
  }
  if (cost.requested > limit) {
    throw new LimitExceeded(
      `The operation costs ${cost.requested}; ${limit} is the most that one may cost here. A list counts as 25 where it names no \`first\`.`,
    )
  }
}

/** For a validated document. An operation that is not there costs nothing. */
export function compileCost(
  schema: GraphQLSchema,
  document: DocumentNode,
  operationName: string | null | undefined,
): CompiledCost {
  const operation = getOperationAST(document, operationName)
  const root = operation && schema.getRootType(operation.operation)
  if (!operation || !root) return () => ({ requested: 0, introspection: 0, levels: 0 })
  const walk = walker(schema, fragmentsOf(document), operation)
  const { own, introspection, levels } = walk(operation.selectionSet, root, atRoot)
  if (typeof own === 'number') {
    const cost = Object.freeze({ requested: Math.ceil(own), introspection, levels })
    return () => cost
  }
  return (variables) => ({ requested: Math.ceil(own(variables)), introspection, levels })
}

function fragmentsOf(document: DocumentNode): Map<string, FragmentDefinitionNode> {
  const definitions = document.definitions.filter((definition) => definition.kind === Kind.FRAGMENT_DEFINITION)
  return new Map(definitions.map((definition) => [definition.name.value, definition]))
}

/** Where a field stands: `page` is how many things a connection has, when the field is directly in one. */
type Place = { page: Term | null; isEdge: boolean; isMutation: boolean }

const atRoot: Place = { page: null, isEdge: false, isMutation: false }

type Weight = { own: Term; introspection: number; levels: number }

const nothing: Weight = { own: 0, introspection: 0, levels: 0 }

type Walk = (set: SelectionSetNode, parent: GraphQLNamedType, place: Place) => Weight

function walker(
  schema: GraphQLSchema,
  fragments: ReadonlyMap<string, FragmentDefinitionNode>,
  operation: OperationDefinitionNode,
): Walk {
  const defaults = defaultsOf(operation)
  const isMutation = operation.operation === 'mutation'

  const walk: Walk = ({ selections }, parent, place) => {
    const weights = selections.map((node) => {
      if (node.kind === Kind.FIELD) return weigh(node, parent, place)
      const inside = node.kind === Kind.INLINE_FRAGMENT ? node : fragments.get(node.name.value)
      const condition = inside?.typeCondition
      const type = condition ? schema.getType(condition.name.value) : parent
      return inside && type ? walk(inside.selectionSet, type, place) : nothing
    })
    return {
      own: sum(weights.map(({ own }) => own)),
      introspection: weights.reduce((total, { introspection }) => total + introspection, 0),
      levels: Math.max(0, ...weights.map(({ levels }) => levels)),
    }
  }
  const weigh = (node: FieldNode, parent: GraphQLNamedType, place: Place): Weight => {
    const name = node.name.value
    if (name === '__schema' || name === '__type') {
      return { ...nothing, introspection: introspectionCost(node, fragments) }
    }
    const field = isObjectType(parent) || isInterfaceType(parent) ? parent.getFields()[name] : undefined
    if (!field) return nothing
    const atMutation = isMutation && parent === schema.getMutationType()
    const args = argumentCosts(node, field, defaults, atMutation)
    if (isLeafType(getNamedType(field.type))) {
      return { ...nothing, own: sum([args.own, name === 'totalCount' ? costs.totalCount : 0]) }
    }
    return weighThings(node, field, place, args)
  }
  const weighThings = (
    node: FieldNode,
    field: GraphQLField<unknown, unknown>,
    place: Place,
    args: ReturnType<typeof argumentCosts>,
  ): Weight => {
    const type = getNamedType(field.type)
    const isList = isListType(getNullableType(field.type))
    const inner = (next: Partial<Place>): Weight =>
      node.selectionSet && isCompositeType(type) ? walk(node.selectionSet, type, { ...atRoot, ...next }) : nothing
    // A page's own parts: its things are counted, what else it says is not.
    if (place.page !== null && isList) {
      const item = inner({ isEdge: field.name === 'edges' })
      return { ...item, own: times(place.page, sum([costs.thing, item.own])) }
    }
    if (place.page !== null || (place.isEdge && field.name === 'node')) {
      const part = inner({})
      return { ...part, own: sum([args.own, part.own]) }
    }
    // A list that takes no arguments is a part of its thing, read with it.
    if (isList && field.args.length === 0) return inner({})
    const within = inner(isList ? {} : { page: args.page })
    const once = sum([costs.thing, within.own])
    const own = isList ? sum([costs.thing, args.own, times(args.page ?? args.rows, once)]) : sum([args.own, once])
    return { ...within, own, levels: within.levels + 1 }
  }
  return walk
}
