import SchemaBuilder, { BasePlugin, type SchemaTypes } from '@pothos/core'
import { type GraphQLSchema, getNamedType } from 'graphql'

declare global {
  export namespace PothosSchemaTypes {
    interface Plugins<Types extends SchemaTypes> {
      described: DescribedPlugin<Types>
    }
  }
}

/** What a mutation takes is described once, at the type of its input: the argument says the same. */
class DescribedPlugin<Types extends SchemaTypes> extends BasePlugin<Types> {
  override afterBuild(schema: GraphQLSchema): GraphQLSchema {
    for (const { args } of Object.values(schema.getMutationType()?.getFields() ?? {}))
      for (const arg of args) if (arg.name === 'input') arg.description ??= getNamedType(arg.type).description
    return schema
  }
}

SchemaBuilder.registerPlugin('described', DescribedPlugin)
