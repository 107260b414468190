/** Operations, made from the schema that a caller is shown: whatever is added to it is asked for from then on. */
import {
  GraphQLBoolean,
  type GraphQLField,
  GraphQLNonNull,
  type GraphQLObjectType,
  type GraphQLSchema,
  getNamedType,
  isLeafType,
  isObjectType,
} from 'graphql'
import { type Draft, makeArgument, makeArguments } from './arguments.ts'
import { isBaited, type Maker } from './inputs.ts'
import type { Pool } from './pool.ts'
import type { Random } from './random.ts'
import type { Directive, FieldNode, OperationTree, Selection } from './tree.ts'

export type Generator = {
  query: () => OperationTree
  /** Null where the caller is shown none. */
  mutation: () => OperationTree | null
  /** Coordinates of the schema that were asked for, and all that could be. */
  asked: ReadonlySet<string>
  askable: ReadonlySet<string>
}

/** Names in use at one place of the answer. */
type Scope = Set<string>

const deepest = 5

/**
 * Share of operations that ask by one thing that may not be read, and by hardly anything else: where more is asked, something
 * else is refused more often than not, and the answer tells nothing.
 */
const baiting = 0.15

type Options = {
  schema: GraphQLSchema
  /** Root fields to leave alone. */
  except: ReadonlySet<string>
  random: Random
  pool: Pool
  newId: () => string
  tempting: ReadonlySet<string>
  changeable: ReadonlyMap<string, readonly string[]>
  secret: ReadonlyMap<string, readonly string[]>
  /** Types of documents that the caller may create. */
  creatable: ReadonlySet<string>
}

export function createGenerator({ schema, except, creatable, ...given }: Options): Generator {
  const { random } = given
  const maker: Maker = { ...given, ...namesIn(schema) }
  const asked = new Set<string>()
  const fieldsOf = (type: GraphQLObjectType | null | undefined) =>
    Object.values(type?.getFields() ?? {}).filter(({ name }) => !except.has(`${type?.name}.${name}`))
  const [queries, mutations] = [fieldsOf(schema.getQueryType()), fieldsOf(schema.getMutationType())]
  const isPromising = ({ name }: GraphQLField<unknown, unknown>) => {
    const document = maker.documentOf(name) ?? ''
    return name.startsWith('create') ? creatable.has(document) : (given.changeable.get(document)?.length ?? 0) > 0
  }
  const promising = mutations.filter(isPromising)
  const isBaitedField = ({ args }: GraphQLField<unknown, unknown>) => args.some((arg) => isBaited(maker, arg.type))
  const baited = { query: queries.filter(isBaitedField), mutation: promising.filter(isBaitedField) }
  const draft = (): Draft => ({ maker, left: 10 + random.below(40), aliases: 0, asked, share: 0.5, baits: false })
  const bait = (): Draft => ({ ...draft(), left: 1 + random.below(8), share: 0.05, baits: true })
  const root = (
    kind: OperationTree['kind'],
    fields: readonly GraphQLField<unknown, unknown>[],
    count: number,
    now = draft(),
  ) => {
    const scope: Scope = new Set()
    const type = kind === 'query' ? schema.getQueryType() : schema.getMutationType()
    const children = Array.from({ length: count }, () => makeField(now, type, random.pick(fields), scope, 0))
    return { kind, directives: operationDirectives(schema, maker, kind), children }
  }
  // What is refused for want of a right is asked for too, but says little.
  const likely = () => (promising.length > 0 && random.chance(0.8) ? promising : mutations)
  return {
    query: () => {
      if (baited.query.length > 0 && random.chance(baiting)) return root('query', baited.query, 1, bait())
      return root('query', queries, random.chance(0.75) ? 1 : 2 + random.below(2))
    },
    mutation: () => {
      if (baited.mutation.length > 0 && random.chance(baiting)) return root('mutation', baited.mutation, 1, bait())
      return mutations.length === 0 ? null : root('mutation', likely(), random.chance(0.8) ? 1 : 2)
    },
    asked,
    askable: coordinates(schema, queries, mutations),
  }
}

/** Which type of document a name is about: the longest that it holds. */
function namesIn(schema: GraphQLSchema): Pick<Maker, 'documentOf' | 'targetOf'> {
  const documents = Object.values(schema.getTypeMap()).flatMap((type) => {
    if (!isObjectType(type) || !type.name.endsWith('Connection')) return []
    const node = type.getFields().nodes
    const named = node && getNamedType(node.type)
    return isObjectType(named) ? [named] : []
  })
  const names = documents.map(({ name }) => name).sort((a, b) => b.length - a.length)
  const documentOf = (name: string) => {
    const plain = name.toLowerCase()
    return names.find((one) => plain.includes(one.toLowerCase())) ?? null
  }
  const targetOf = (typeName: string, field: string) => {
    const found = documents.find(({ name }) => name === typeName)?.getFields()[field]
    return found ? documentOf(getNamedType(found.type).name) : null
  }
  return { documentOf, targetOf }
}

function coordinates(schema: GraphQLSchema, ...roots: (readonly GraphQLField<unknown, unknown>[])[]): Set<string> {
  const found = new Set<string>()
  const seen = new Set<string>()
  const visit = (typeName: string, fields: readonly GraphQLField<unknown, unknown>[]) => {
    for (const field of fields) {
      found.add(`${typeName}.${field.name}`)
      for (const { name } of field.args) found.add(`${typeName}.${field.name}(${name})`)
      const named = getNamedType(field.type)
      if (!isObjectType(named) || seen.has(named.name)) continue
      seen.add(named.name)
      visit(named.name, Object.values(named.getFields()))
    }
  }
  const [queries = [], mutations = []] = roots
  visit(schema.getQueryType()?.name ?? '', queries)
  visit(schema.getMutationType()?.name ?? '', mutations)
  return found
}

function makeField(
  draft: Draft,
  parent: GraphQLObjectType | null | undefined,
  field: GraphQLField<unknown, unknown>,
  scope: Scope,
  depth: number,
): FieldNode {
  const { maker } = draft
  const named = getNamedType(field.type)
  const args = makeArguments(draft, field, `${parent?.name}.${field.name}`)
  draft.asked.add(`${parent?.name}.${field.name}`)
  draft.left -= 1
  const children = isObjectType(named) ? makeSelection(draft, named, depth + 1) : []
  const isTaken = scope.has(field.name) && !(isLeafType(named) && args.length === 0)
  const alias = isTaken || (draft.aliases < 8 && maker.random.chance(0.08)) ? nextAlias(draft) : null
  scope.add(alias ?? field.name)
  const directives = depth > 0 && maker.random.chance(0.04) ? [condition(maker)] : []
  return { kind: 'field', name: field.name, alias, type: named.name, args, directives, children }
}

function nextAlias(draft: Draft): string {
  draft.aliases += 1
  return `a${draft.aliases}`
}

function makeSelection(draft: Draft, type: GraphQLObjectType, depth: number): Selection[] {
  const { random } = draft.maker
  const scope: Scope = new Set()
  const fields = Object.values(type.getFields())
  const leaves = fields.filter(({ type }) => isLeafType(getNamedType(type)))
  const objects = fields.filter((field) => !leaves.includes(field))
  const share = leaves.length > 8 ? 0.3 : 0.5
  const chosen = [
    ...leaves.filter(() => random.chance(share)),
    ...(depth > deepest + 3 ? [] : objects.filter((field) => draft.left > 0 && random.chance(weightOf(field, depth)))),
  ]
  const made = chosen.map((field) => makeField(draft, type, field, scope, depth))
  const [first] = made
  const nodes: Selection[] = first ? [...made] : [fallback(draft, type, leaves, objects, scope, depth)]
  if (random.chance(0.06)) nodes.push(typename)
  if (leaves.length > 0 && random.chance(0.05)) nodes.push(makeField(draft, type, random.pick(leaves), scope, depth))
  return random.chance(0.15) ? wrapped(random, type.name, nodes) : nodes
}

const typename: FieldNode = {
  kind: 'field',
  name: '__typename',
  alias: null,
  type: 'String',
  args: [],
  directives: [],
  children: [],
}

/** `nodes` and `edges` lead on and cost no level of their own; everything else gets rarer with depth. */
function weightOf({ name }: GraphQLField<unknown, unknown>, depth: number): number {
  if (name === 'nodes' || name === 'edges' || name === 'node') return 0.55
  return depth > deepest ? 0 : 0.5 / depth
}

function fallback(
  draft: Draft,
  type: GraphQLObjectType,
  leaves: readonly GraphQLField<unknown, unknown>[],
  objects: readonly GraphQLField<unknown, unknown>[],
  scope: Scope,
  depth: number,
): Selection {
  const next = leaves.length > 0 ? leaves : objects.filter(({ name }) => name === 'nodes')
  return next.length > 0 ? makeField(draft, type, draft.maker.random.pick(next), scope, depth) : typename
}

/** Some of the fields, in a fragment. */
function wrapped(random: Random, on: string, nodes: readonly Selection[]): Selection[] {
  const from = random.below(nodes.length)
  const isNamed = random.chance(0.5)
  const inside: Selection = { kind: 'fragment', on, isNamed, directives: [], children: nodes.slice(from) }
  return [...nodes.slice(0, from), inside]
}

function condition({ random }: Maker): Directive {
  const name = random.pick(['skip', 'include'])
  const value = random.chance(0.8) === (name === 'include')
  const type = new GraphQLNonNull(GraphQLBoolean)
  return { name, args: [{ name: 'if', type, value, isVariable: random.chance(0.5) }] }
}

/** Those that the schema knows for a whole operation. */
function operationDirectives(schema: GraphQLSchema, maker: Maker, kind: OperationTree['kind']): Directive[] {
  const place = kind === 'query' ? 'QUERY' : 'MUTATION'
  const known = schema.getDirectives().filter(({ locations }) => (locations as readonly string[]).includes(place))
  return known
    .filter(() => maker.random.chance(0.15))
    .map(({ name, args }) => ({ name, args: args.flatMap((arg) => makeArgument(maker, arg, null, 0.4)) }))
}
