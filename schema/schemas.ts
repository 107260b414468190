import { createHash } from 'node:crypto'
import { type GraphQLFieldConfigMap, GraphQLObjectType, GraphQLSchema } from 'graphql'
import { LRUCache } from 'lru-cache'
import { type Context, consoleProjectId, type Services } from '../src/context.ts'
import type { ProjectModel } from '../src/documents/model.ts'
import { createModels } from '../src/documents/models.ts'
import { reserveNames } from '../src/documents/names.ts'
import { classOf } from '../src/documents/permissions.ts'
import { type Access, audienceOf, mayUse } from './access.ts'
import { rootFields } from './documents/fields.ts'
import { createGroup, type Group } from './documents/group.ts'
import { createSharedTypes, sharedNames } from './documents/shared.ts'
import type { Environment, RootFields } from './documents/types.ts'
import { groupsOf, visibleCollections } from './documents/visible.ts'
import { schema } from './index.ts'

export type Schemas = {
  /** The schema that this caller is shown, and executed on: the same object until something in it changes. */
  for: (ctx: Context) => Promise<GraphQLSchema>
  close: () => Promise<void>
}

/** How many collections all remembered schemas may have together, and all remembered types. */
const most = { schemas: 5000, groups: 5000 }

/** `api` is what is the same in all projects. */
export function createSchemas(services: Services, api: GraphQLSchema = schema): Schemas {
  const models = createModels(services)
  const environment: Environment = { models, shared: createSharedTypes(api) }
  reserveNames(coordinatesOf(api))
  reserveNames([...sharedNames(environment.shared), 'PermissionRight'])
  const trimmed = new LRUCache<string, GraphQLSchema>({ max: 200 })
  const schemas = new LRUCache<string, { model: ProjectModel; schema: GraphQLSchema }>({
    maxSize: most.schemas,
    sizeCalculation: ({ model }) => model.collections.size + 10,
  })
  const groups = new LRUCache<string, Group>({ maxSize: most.groups, sizeCalculation: (group) => group.size + 1 })

  return {
    for: async (ctx) => {
      const audience = audienceKey(ctx)
      const own = remember(trimmed, audience, () => trim(api, ctx))
      if (ctx.projectId === consoleProjectId) return own
      const model = await models.get(ctx.projectId)
      if (model.collections.size === 0) return own
      const key = `${ctx.projectId} ${audience}`
      const known = schemas.get(key)
      if (known?.model === model) return known.schema
      const made = build(environment, groups, own, model, ctx)
      schemas.set(key, { model, schema: made })
      return made
    },
    close: () => models.close(),
  }
}

function remember<T extends object>(cache: LRUCache<string, T>, key: string, make: () => T): T {
  const known = cache.get(key)
  if (known) return known
  const made = make()
  cache.set(key, made)
  return made
}

/** Callers of one key are shown one schema. */
function audienceKey(ctx: Context): string {
  const scopes = ctx.actor?.kind === 'key' ? [...ctx.actor.scopes].sort().join(' ') : ''
  return `${audienceOf(ctx)} ${classOf(ctx).kind} ${scopes}`
}

/** The API without the root fields that this caller may not use, and so without the types that only those lead to. */
export function trim(api: GraphQLSchema, ctx: Context): GraphQLSchema {
  const fields = (type: GraphQLObjectType | null | undefined) => {
    const all = Object.entries(type?.toConfig().fields ?? {})
    return all.filter(([, { extensions }]) => isAccess(extensions?.access) && mayUse(ctx, extensions.access))
  }
  return assemble(api, {
    query: fields(api.getQueryType()),
    mutation: fields(api.getMutationType()),
    subscription: fields(api.getSubscriptionType()),
  })
}

/** A field that does not say who may use it is for nobody. */
function isAccess(access: unknown): access is Access {
  return typeof access === 'object' && access !== null && 'audience' in access
}

type Groups = LRUCache<string, Group>

function build(
  environment: Environment,
  groups: Groups,
  own: GraphQLSchema,
  model: ProjectModel,
  ctx: Context,
): GraphQLSchema {
  const visible = visibleCollections(model, classOf(ctx))
  const fields: RootFields = { query: [], mutation: [], subscription: [] }
  for (const { members, shape } of groupsOf(visible)) {
    const key = createHash('sha256').update(`${model.projectId}\n${shape}`).digest('base64')
    const group = remember(groups, key, () => createGroup(environment, members))
    for (const member of members) {
      const types = group.get(member.collection.id)
      if (!types) continue
      const more = rootFields(environment, member, types)
      fields.query.push(...more.query)
      fields.mutation.push(...more.mutation)
      fields.subscription.push(...more.subscription)
    }
  }
  return assemble(own, fields, model)
}

/** `base` with other root fields, or, for a project's model, with more of them. */
function assemble(base: GraphQLSchema, fields: RootFields, model?: ProjectModel): GraphQLSchema {
  const root = (type: GraphQLObjectType | null | undefined, name: string, given: RootFields['query']) => {
    const before = model ? Object.entries(type?.toConfig().fields ?? {}) : []
    const all: GraphQLFieldConfigMap<unknown, Context> = Object.fromEntries([...before, ...given])
    return Object.keys(all).length === 0
      ? null
      : new GraphQLObjectType({ name, description: type?.description ?? descriptions[name], fields: all })
  }
  return new GraphQLSchema({
    description: base.description,
    query: root(base.getQueryType(), 'Query', fields.query),
    mutation: root(base.getMutationType(), 'Mutation', fields.mutation),
    subscription: root(base.getSubscriptionType(), 'Subscription', fields.subscription),
    directives: base.getDirectives(),
    extensions: { ...base.extensions, ...(model ? { model } : {}) },
    // Made by code from checked names; a test holds it to the specification.
    assumeValid: true,
  })
}

const descriptions: Record<string, string> = {
  Mutation: 'Writes. Each is one transaction, and answers the thing it changed.',
  Subscription: 'What happens, as it happens. Each payload carries a cursor to go on from.',
}

function coordinatesOf(api: GraphQLSchema): string[] {
  const roots = [api.getQueryType(), api.getMutationType(), api.getSubscriptionType()]
  const fields = roots.flatMap((type) => Object.keys(type?.getFields() ?? {}).map((field) => `${type?.name}.${field}`))
  return [...Object.keys(api.getTypeMap()), ...fields]
}
