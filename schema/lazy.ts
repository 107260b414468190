import { type GraphQLFieldMap, type GraphQLNamedType, GraphQLObjectType, GraphQLSchema } from 'graphql'
import type { Context } from '../src/context.ts'
import type { RootFields, RootName } from './documents/types.ts'

/** What a collection adds to a schema. */
export type Part = {
  /** Its types and root fields, those included that this caller is not shown: `PostWhere`, `Query.posts`. */
  coordinates: readonly string[]
  fields: () => RootFields
  types: () => readonly GraphQLNamedType[]
}

/** All of them, and the one that a type or a root field is of: a change of one must not cost as much as all of them. */
export type Parts = {
  all: () => readonly Part[]
  partOf: (coordinate: string) => Part | undefined
  /** Whether one of them has such a root field. */
  has: (root: RootName) => boolean
}

type Fields = GraphQLFieldMap<unknown, Context>

const roots: Record<RootName, string> = { query: 'Query', mutation: 'Mutation', subscription: 'Subscription' }

export const descriptions: Record<string, string> = {
  Mutation:
    'Writes. Each is one transaction, unless the operation is a `@transaction`, and answers the thing it changed.',
  Subscription: 'What happens, as it happens. Each payload carries a cursor to go on from.',
}

/**
 * `base`, which is among its extensions, with the parts' root fields and types. These are made when an operation first asks for
 * one of them: a project may have a thousand collections, and an operation is about a few. Only introspection asks for all.
 */
export function extendLazily(
  base: GraphQLSchema,
  { all, partOf, has }: Parts,
  extensions: Record<string, unknown>,
): GraphQLSchema {
  const config = {
    description: base.description,
    directives: base.getDirectives(),
    extensions: { ...base.extensions, ...extensions, base },
    // Made by code from checked names; a test holds it to the specification.
    assumeValid: true,
  }
  const types = lazyRoots(base, { all, partOf, has })
  const byName = new Map(Object.values(types).map((type) => [type?.name, type]))
  let complete: GraphQLSchema | undefined
  const whole = () => {
    complete ??= new GraphQLSchema({ ...config, ...types })
    return complete
  }
  const typeOf = (name: string) =>
    partOf(name)
      ?.types()
      .find((type) => type.name === name)
  return Object.assign(new GraphQLSchema(config), {
    getQueryType: () => types.query,
    getMutationType: () => types.mutation,
    getSubscriptionType: () => types.subscription,
    getRootType: (operation: RootName) => types[operation],
    getType: (name: string) => byName.get(name) ?? base.getType(name) ?? typeOf(name) ?? whole().getType(name),
    getTypeMap: () => whole().getTypeMap(),
    getPossibleTypes: (...[type]: Parameters<GraphQLSchema['getPossibleTypes']>) => whole().getPossibleTypes(type),
    getImplementations: (...[type]: Parameters<GraphQLSchema['getImplementations']>) =>
      whole().getImplementations(type),
    isSubType: (...given: Parameters<GraphQLSchema['isSubType']>) => whole().isSubType(...given),
  })
}

function lazyRoots(base: GraphQLSchema, { all, partOf, has }: Parts) {
  const own = { query: base.getQueryType(), mutation: base.getMutationType(), subscription: base.getSubscriptionType() }
  const rootOf = (root: RootName) => {
    const name = roots[root]
    if (!own[root] && !has(root)) return null
    const fields: Fields = Object.assign(Object.create(null), own[root]?.getFields())
    const made = new Set<Part>()
    const make = (part: Part | undefined) => {
      if (!part || made.has(part)) return
      made.add(part)
      const type = new GraphQLObjectType({ name, fields: Object.fromEntries(part.fields()[root]) })
      Object.assign(fields, type.getFields())
    }
    const order = () => {
      for (const part of all()) make(part)
      return inOrder(fields, [...Object.keys(own[root]?.getFields() ?? {}), ...namesOf(all(), name)])
    }
    const type = new GraphQLObjectType({ name, description: own[root]?.description ?? descriptions[name], fields: {} })
    const lazy = lazyFields(fields, (field) => make(partOf(`${name}.${field}`)), order)
    return Object.assign(type, { getFields: () => lazy })
  }
  return { query: rootOf('query'), mutation: rootOf('mutation'), subscription: rootOf('subscription') }
}

function namesOf(parts: readonly Part[], root: string): string[] {
  const start = `${root}.`
  return parts.flatMap(({ coordinates }) =>
    coordinates.flatMap((coordinate) => (coordinate.startsWith(start) ? [coordinate.slice(start.length)] : [])),
  )
}

/** The names that there are, in an order that does not tell what was asked for before. */
function inOrder(fields: Fields, names: readonly string[]): string[] {
  const known = names.filter((name) => name in fields)
  const count = Object.keys(fields).length
  if (known.length < count) throw new Error('A root field of a collection is not among its coordinates.')
  return known
}

/** `fields`, of which each is made when it is looked at, and all when they are listed. */
function lazyFields(fields: Fields, make: (field: string) => void, order: () => string[]): Fields {
  const look = (field: string | symbol) => void (typeof field === 'string' && make(field))
  return new Proxy(fields, {
    get: (target, field) => {
      look(field)
      return Reflect.get(target, field)
    },
    has: (target, field) => {
      look(field)
      return Reflect.has(target, field)
    },
    getOwnPropertyDescriptor: (target, field) => {
      look(field)
      return Reflect.getOwnPropertyDescriptor(target, field)
    },
    ownKeys: order,
  })
}
