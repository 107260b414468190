import SchemaBuilder, { BasePlugin, type PothosOutputFieldConfig, type SchemaTypes } from '@pothos/core'
import {
  type GraphQLArgument,
  type GraphQLFieldResolver,
  GraphQLID,
  type GraphQLInputField,
  type GraphQLResolveInfo,
  getNullableType,
  isInputObjectType,
  isNonNullType,
} from 'graphql'
import { NotFound } from '../src/errors.ts'

declare global {
  export namespace PothosSchemaTypes {
    interface Plugins<Types extends SchemaTypes> {
      absent: AbsentPlugin<Types>
    }
  }
}

type Resolver<Types extends SchemaTypes> = GraphQLFieldResolver<unknown, Types['Context'], object>

/** Says of a NOT_FOUND where the caller named what is not there. Modules say it themselves only where that may be one of many places. */
class AbsentPlugin<Types extends SchemaTypes> extends BasePlugin<Types> {
  override wrapResolve(resolve: Resolver<Types>, field: PothosOutputFieldConfig<Types>) {
    return field.kind === 'Mutation' ? placing(resolve) : resolve
  }

  override wrapSubscribe(subscribe: Resolver<Types> | undefined) {
    return subscribe && placing(subscribe)
  }
}

SchemaBuilder.registerPlugin('absent', AbsentPlugin)

function placing<Types extends SchemaTypes>(resolve: Resolver<Types>): Resolver<Types> {
  return async (root, args, ctx, info) => {
    try {
      return await resolve(root, args, ctx, info)
    } catch (error) {
      throw error instanceof NotFound && error.at.length === 0 ? new NotFound(error.message, placeOf(info)) : error
    }
  }
}

/** Where a field takes the one id that it must be given, or may be where it must be given none; nowhere, if there are more. */
function placeOf({ parentType, fieldName }: GraphQLResolveInfo): readonly string[] {
  const ids = idsOf(parentType.getFields()[fieldName]?.args ?? [])
  const required = ids.filter((id) => id.required)
  const [id, ...more] = required.length > 0 ? required : ids
  return id && more.length === 0 ? id.path : []
}

type Place = { path: readonly string[]; required: boolean }

function idsOf(inputs: readonly (GraphQLArgument | GraphQLInputField)[]): Place[] {
  return inputs.flatMap(({ name, type }) => {
    const required = isNonNullType(type)
    const given = getNullableType(type)
    if (given === GraphQLID) return [{ path: [name], required }]
    if (!required || !isInputObjectType(given)) return []
    return idsOf(Object.values(given.getFields())).map((id) => ({ ...id, path: [name, ...id.path] }))
  })
}
