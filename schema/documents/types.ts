import type { GraphQLEnumType, GraphQLFieldConfig, GraphQLInputObjectType, GraphQLObjectType } from 'graphql'
import type { Context } from '../../src/context.ts'
import type { Fanout } from '../../src/documents/fanout.ts'
import type { Models } from '../../src/documents/models.ts'
import type { AggregateTypes } from './aggregate-types.ts'
import type { SharedTypes } from './shared.ts'

/** What the types of all collections are made with. */
export type Environment = { shared: SharedTypes; models: Models; fanout: Fanout }

/** The types of one collection. */
export type CollectionTypes = {
  document: GraphQLObjectType
  connection: GraphQLObjectType
  change: GraphQLObjectType
  live: GraphQLObjectType
  liveChange: GraphQLObjectType
  where: GraphQLInputObjectType
  manyWhere: GraphQLInputObjectType
  order: GraphQLInputObjectType
  aggregate: AggregateTypes
  createInput: GraphQLInputObjectType
  updateInput: GraphQLInputObjectType
  upsertInput: GraphQLInputObjectType
  /** By what its documents are found beside their ids, null where there is nothing. */
  uniqueKey: GraphQLEnumType | null
  /** What the inputs of its neighbours say of its documents, and how they create one: null where they cannot. */
  links: GraphQLInputObjectType
  linkChanges: GraphQLInputObjectType
  newInput: GraphQLInputObjectType | null
  /** What `updatePosts` sets, and what it applies; null where there is nothing of the kind. */
  setInput: GraphQLInputObjectType | null
  operations: GraphQLInputObjectType | null
  bulkResult: GraphQLObjectType
}

/** The types of a collection by its id. */
export type TypesOf = (collectionId: string) => CollectionTypes

export type FieldConfig = GraphQLFieldConfig<unknown, Context>

export type RootName = 'query' | 'mutation' | 'subscription'

export type RootFields = Record<RootName, [string, FieldConfig][]>
