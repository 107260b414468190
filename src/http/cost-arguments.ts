import { type FieldNode, type GraphQLField, getNamedType } from 'graphql'
import { sum, type Term, termOf, type Variables } from './cost-terms.ts'
import { costs, limits } from './limits.ts'

export type ArgumentCosts = {
  /** What the arguments themselves make dear. */
  own: Term
  /** How many things the page has at most; null for a field that has no pages. */
  page: Term | null
  /** How many things a list without pages has. */
  rows: Term
}

/** What a field's arguments say about its cost. They are known by their names, which mean the same on every field. */
export function argumentCosts(
  node: FieldNode,
  field: GraphQLField<unknown, unknown>,
  defaults: Variables,
  isMutation: boolean,
): ArgumentCosts {
  const has = (name: string) => field.args.some((arg) => arg.name === name)
  const term = (name: string, weigh: (value: unknown) => number) =>
    termOf(node.arguments?.find((arg) => arg.name.value === name)?.value, defaults, weigh)
  const conditions = ['where', 'having', 'orderBy', 'search'].filter(has).map((name) => term(name, weighCondition))
  const isAggregate = has('groupBy') || getNamedType(field.type).name.endsWith('Aggregate')
  const own = sum([
    ...conditions,
    term('offset', (value) => (typeof value === 'number' && value > 0 ? value * costs.skipped : 0)),
    isAggregate ? costs.aggregate : 0,
    ...(isMutation ? writeCosts(term, has) : []),
  ])
  const page = has('first') || has('last') ? pageOf(term('first', sizeOf), term('last', sizeOf)) : null
  return { own, page, rows: has('inputs') ? term('inputs', lengthOf) : limits.page.initial }
}

type ArgumentTerm = (name: string, weigh: (value: unknown) => number) => Term

/** A change of all that match may be one of as many as the limit of bulk forms allows: nobody has counted them yet. */
function writeCosts(term: ArgumentTerm, has: (name: string) => boolean): Term[] {
  const rows = [term('input', countWrites), term('inputs', countWrites)]
  return [costs.mutation, ...rows, has('where') ? costs.matching : 0]
}

/** Each input is a write, and so is each thing that it creates, connects or disconnects. */
function countWrites(value: unknown): number {
  if (Array.isArray(value)) return value.reduce((total: number, item) => total + countWrites(item), 0)
  return isObject(value) ? costs.write + nestedWrites(value) : 0
}

function nestedWrites(value: unknown): number {
  if (Array.isArray(value)) return value.reduce((total: number, item) => total + nestedWrites(item), 0)
  if (!isObject(value)) return 0
  let total = 0
  for (const key of Object.keys(value)) {
    const inner = value[key]
    if (nesting.has(key) || (isObject(inner) && /^new[A-Z]/.test(key))) total += costs.write * lengthOf(inner)
    total += nestedWrites(inner)
  }
  return total
}

const nesting: ReadonlySet<string> = new Set(['create', 'connect', 'disconnect', 'set'])

/** The conditions that read other rows, or all of them, are dear; each of the others costs a little. */
function weighCondition(value: unknown): number {
  if (Array.isArray(value)) {
    return value.reduce((total: number, item) => total + weighCondition(item), value.length * costs.listValue)
  }
  if (!isObject(value)) return 0
  let total = costs.condition
  for (const key of Object.keys(value)) {
    const inner = value[key]
    if (inner === null || inner === undefined) continue
    const operator = Object.hasOwn(costs.operators, key) ? costs.operators[key as keyof typeof costs.operators] : 0
    total += operator + (typeof inner === 'object' ? weighCondition(inner) : 0)
  }
  return total
}

/** NaN stands for what is not given. */
function sizeOf(value: unknown): number {
  return typeof value === 'number' && value >= 0 ? Math.min(value, limits.page.most) : Number.NaN
}

function pageOf(first: Term, last: Term): Term {
  const larger = (a: number, b: number) => {
    if (Number.isNaN(a)) return Number.isNaN(b) ? limits.page.initial : b
    return Number.isNaN(b) ? a : Math.max(a, b)
  }
  if (typeof first === 'number' && typeof last === 'number') return larger(first, last)
  const at = (term: Term, variables: Variables) => (typeof term === 'number' ? term : term(variables))
  return (variables) => larger(at(first, variables), at(last, variables))
}

/** A single value stands for a list of one, as GraphQL has it. */
function lengthOf(value: unknown): number {
  if (Array.isArray(value)) return value.length
  return value === null || value === undefined ? 0 : 1
}

function isObject(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}
