import { setImmediate as pass } from 'node:timers/promises'
import type { GraphQLSchema } from 'graphql'
import { LRUCache } from 'lru-cache'
import { type Context, consoleProjectId, type Services } from '../src/context.ts'
import { createFanout } from '../src/documents/fanout.ts'
import type { ProjectModel } from '../src/documents/model.ts'
import { createModels, type Models } from '../src/documents/models.ts'
import { reserveNames } from '../src/documents/names.ts'
import { classOf } from '../src/documents/permissions.ts'
import { scopesOf } from '../src/modules/permissions/roles.ts'
import { audienceOf } from './access.ts'
import { hasFields, rootFields } from './documents/fields.ts'
import { createTypesOf } from './documents/group.ts'
import { createSharedTypes, sharedNames } from './documents/shared.ts'
import type { Environment, RootName } from './documents/types.ts'
import { type VisibleCollection, visibleCollections } from './documents/visible.ts'
import { schema } from './index.ts'
import { extendLazily, type Part } from './lazy.ts'
import { trim } from './trim.ts'

export type Schemas = {
  /** The schema that this caller is shown, and executed on: the same object until something in it changes. */
  for: (ctx: Context) => Promise<GraphQLSchema>
  /** Tells of each change of a project's own types. Answers how to stop. */
  watch?: Models['watch']
  close: () => Promise<void>
}

/** How many collections all remembered schemas may have together. */
const most = 5000

/** One for each set of scopes that is in use: about 45 kB each, and 5 ms to make. */
const mostAudiences = 1_000

/** `api` is what is the same in all projects. */
export function createSchemas(services: Services, api: GraphQLSchema = schema): Schemas {
  const models = createModels(services)
  const fanout = createFanout(services, models)
  const environment: Environment = { models, fanout, shared: createSharedTypes(api) }
  reserveNames(coordinatesOf(api))
  reserveNames([...sharedNames(environment.shared), 'PermissionRight', 'GroupKind', 'GroupPeriod'])
  const trimmed = new LRUCache<string, GraphQLSchema>({ max: mostAudiences })
  const schemas = new LRUCache<string, { model: ProjectModel; schema: GraphQLSchema }>({
    maxSize: most,
    sizeCalculation: ({ model }) => model.collections.size + 10,
  })

  return {
    for: async (ctx) => {
      const audience = audienceKey(ctx)
      const own = () => remember(trimmed, audience, () => trim(api, ctx, { models }))
      if (ctx.projectId === consoleProjectId) return own()
      const model = await models.get(ctx.projectId)
      if (model.collections.size === 0) return own()
      const key = `${ctx.projectId} ${audience}`
      const known = schemas.get(key)
      if (known?.model === model) return known.schema
      const made = build(environment, own(), model, ctx)
      schemas.set(key, { model, schema: made })
      // Others are heard before the first operation of a new schema is looked at, which makes the types that it needs.
      await pass()
      return made
    },
    watch: models.watch,
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
  const scopes = [...(scopesOf(ctx) ?? [])].sort().join(' ')
  return `${audienceOf(ctx)} ${classOf(ctx).kind} ${scopes}`
}

function build(environment: Environment, own: GraphQLSchema, model: ProjectModel, ctx: Context): GraphQLSchema {
  const visible = visibleCollections(model, classOf(ctx))
  const typesOf = createTypesOf(environment, visible)
  const partOf = (one: VisibleCollection): Part => {
    const types = () => typesOf(one.collection.id)
    return {
      coordinates: one.collection.names.coordinates,
      fields: () => rootFields(environment, one, types()),
      types: () => {
        const { aggregate, ...others } = types()
        return [...Object.values(others), ...Object.values(aggregate)].filter((type) => type !== null)
      },
    }
  }
  const parts = new Map<VisibleCollection, Part>()
  const find = (one: VisibleCollection) => {
    const part = parts.get(one) ?? partOf(one)
    parts.set(one, part)
    return part
  }
  const byOwner = (coordinate: string) => {
    const one = visible.get(model.owners.get(coordinate) ?? '')
    return one && find(one)
  }
  const has = (root: RootName) => {
    for (const one of visible.all()) if (hasFields(one, root)) return true
    return false
  }
  return extendLazily(own, { all: () => [...visible.all()].map(find), partOf: byOwner, has }, { model })
}

function coordinatesOf(api: GraphQLSchema): string[] {
  const roots = [api.getQueryType(), api.getMutationType(), api.getSubscriptionType()]
  const fields = roots.flatMap((type) => Object.keys(type?.getFields() ?? {}).map((field) => `${type?.name}.${field}`))
  return [...Object.keys(api.getTypeMap()), ...fields]
}
