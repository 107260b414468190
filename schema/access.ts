import SchemaBuilder, {
  BasePlugin,
  type FieldNullability,
  type InputFieldMap,
  type PothosOutputFieldConfig,
  type SchemaTypes,
  type TypeParam,
} from '@pothos/core'
import { type Context, consoleProjectId } from '../src/context.ts'
import type { Scope } from '../src/modules/keys/scopes.ts'
import { scopesOf } from '../src/modules/permissions/roles.ts'

/**
 * Who a field is for. At `/graphql`: `visitor` anybody, `owner` whoever is signed in. At a project's URL: `console` a
 * member of the project, `server` an API key, or a function that acts for itself, that has `scope`, `client` an end user or a guest.
 */
export type Audience = 'visitor' | 'owner' | 'console' | 'server' | 'client'

export type Access = { audience: readonly Audience[]; scope?: Scope }

declare global {
  export namespace PothosSchemaTypes {
    interface Plugins<Types extends SchemaTypes> {
      access: AccessPlugin<Types>
    }
    // A field of another type that does not say it is for everybody who may read what it is a field of.
    interface FieldOptions<
      Types extends SchemaTypes,
      ParentShape,
      Type extends TypeParam<Types>,
      Nullable extends FieldNullability<Type>,
      Args extends InputFieldMap,
      ResolveShape,
      ResolveReturnShape,
    > {
      access?: Access
    }
    // Required: a root field that does not say who may use it does not compile, and does not build.
    interface QueryFieldOptions<
      Types extends SchemaTypes,
      Type extends TypeParam<Types>,
      Nullable extends FieldNullability<Type>,
      Args extends InputFieldMap,
      ResolveReturnShape,
    > {
      access: Access
    }
    interface MutationFieldOptions<
      Types extends SchemaTypes,
      Type extends TypeParam<Types>,
      Nullable extends FieldNullability<Type>,
      Args extends InputFieldMap,
      ResolveReturnShape,
    > {
      access: Access
    }
    interface SubscriptionFieldOptions<
      Types extends SchemaTypes,
      Type extends TypeParam<Types>,
      Nullable extends FieldNullability<Type>,
      Args extends InputFieldMap,
      ResolveShape,
      ResolveReturnShape,
    > {
      access: Access
    }
  }
}

/** Turns a field's `access` into the scope that scope-auth checks, and keeps it where trimming finds it. */
class AccessPlugin<Types extends SchemaTypes> extends BasePlugin<Types> {
  override onOutputFieldConfig(field: PothosOutputFieldConfig<Types>): PothosOutputFieldConfig<Types> {
    const options = field.pothosOptions as { access?: Access; authScopes?: unknown }
    const isRoot = field.kind === 'Query' || field.kind === 'Mutation' || field.kind === 'Subscription'
    if (!options.access && !isRoot) return field
    if (!options.access) throw new Error(`${field.parentType}.${field.name} does not say who may use it.`)
    options.authScopes = { use: options.access }
    return { ...field, extensions: { ...field.extensions, access: options.access } }
  }
}

SchemaBuilder.registerPlugin('access', AccessPlugin)

/** What this caller is to the API that is asked: exactly one, but an owner may do all that a visitor may. */
export function audienceOf(ctx: Pick<Context, 'actor' | 'projectId'>): Audience {
  if (ctx.projectId === consoleProjectId) return ctx.actor ? 'owner' : 'visitor'
  if (ctx.actor?.kind === 'account') return 'console'
  return scopesOf(ctx) ? 'server' : 'client'
}

/** The same rule for introspection and for execution. */
export function mayUse(ctx: Pick<Context, 'actor' | 'projectId'>, access: Access): boolean {
  const audience = audienceOf(ctx)
  if (audience === 'owner') return access.audience.includes('owner') || access.audience.includes('visitor')
  if (!access.audience.includes(audience)) return false
  if (audience !== 'server' || !access.scope) return true
  return scopesOf(ctx)?.has(access.scope) ?? false
}
