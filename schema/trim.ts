import {
  type GraphQLFieldConfigMap,
  GraphQLList,
  GraphQLNonNull,
  GraphQLObjectType,
  type GraphQLOutputType,
  GraphQLSchema,
  getNamedType,
  isIntrospectionType,
  isListType,
  isNonNullType,
  isObjectType,
} from 'graphql'
import type { Context } from '../src/context.ts'
import { type Access, mayUse } from './access.ts'
import { descriptions } from './lazy.ts'

type Fields = GraphQLFieldConfigMap<unknown, Context>

/** The API without the fields that this caller may not use, and so without the types that only those lead to. */
export function trim(api: GraphQLSchema, ctx: Context, extensions: Record<string, unknown> = {}): GraphQLSchema {
  const typeOf = trimTypes(api, ctx)
  const root = (type: GraphQLObjectType | null | undefined, name: string) => {
    const fields = keep(type?.toConfig().fields ?? {}, (access) => access !== null && mayUse(ctx, access), typeOf)
    const description = type?.description ?? descriptions[name]
    return Object.keys(fields).length === 0 ? null : new GraphQLObjectType({ name, description, fields })
  }
  return new GraphQLSchema({
    description: api.description,
    query: root(api.getQueryType(), 'Query'),
    mutation: root(api.getMutationType(), 'Mutation'),
    subscription: root(api.getSubscriptionType(), 'Subscription'),
    directives: api.getDirectives(),
    extensions: { ...api.extensions, ...extensions },
    // Made by code from checked names; a test holds it to the specification.
    assumeValid: true,
  })
}

type TypeOf = (type: GraphQLOutputType) => GraphQLOutputType

/** What stands in place of a type: itself, unless it has a field that is not for this caller, or leads to one that has. */
function trimTypes(api: GraphQLSchema, ctx: Context): TypeOf {
  const mayShow = (access: Access | null) => access === null || mayUse(ctx, access)
  const made = new Map<string, GraphQLObjectType>()
  const typeOf: TypeOf = (type) => {
    if (isNonNullType(type)) return new GraphQLNonNull(typeOf(type.ofType))
    if (isListType(type)) return new GraphQLList(typeOf(type.ofType))
    return made.get(type.name) ?? type
  }
  const trimmed = (type: GraphQLObjectType) => {
    const config = type.toConfig()
    return new GraphQLObjectType({ ...config, fields: () => keep(config.fields, mayShow, typeOf) })
  }
  const roots = [api.getQueryType(), api.getMutationType(), api.getSubscriptionType()]
  const objects = Object.values(api.getTypeMap()).filter(isObjectType)
  const types = objects.filter((type) => !(roots.includes(type) || isIntrospectionType(type)))
  for (let before = -1; before < made.size; ) {
    before = made.size
    for (const type of types) {
      const fields = Object.values(type.getFields())
      const differs = fields.some((one) => !mayShow(accessOf(one)) || made.has(getNamedType(one.type).name))
      if (differs && !made.has(type.name)) made.set(type.name, trimmed(type))
    }
  }
  return typeOf
}

function keep(fields: Fields, mayShow: (access: Access | null) => boolean, typeOf: TypeOf): Fields {
  const kept = Object.entries(fields).filter(([, field]) => mayShow(accessOf(field)))
  return Object.fromEntries(kept.map(([name, field]) => [name, { ...field, type: typeOf(field.type) }]))
}

/** Who may use a field, where it says so. A root field that does not is for nobody, any other for everybody. */
export function accessOf({ extensions }: { extensions?: object | null | undefined }): Access | null {
  const access: unknown = extensions && 'access' in extensions && extensions.access
  return typeof access === 'object' && access !== null && 'audience' in access ? (access as Access) : null
}
