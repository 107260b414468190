import type { GraphQLInputObjectType, GraphQLObjectType } from 'graphql'

/** The types of a collection's groups. */
export type AggregateTypes = {
  aggregate: GraphQLObjectType
  group: GraphQLInputObjectType
  having: GraphQLInputObjectType
  order: GraphQLInputObjectType
}
