import {
  type GraphQLFieldConfigArgumentMap,
  type GraphQLFieldConfigMap,
  type GraphQLFieldResolver,
  GraphQLID,
  GraphQLInt,
  GraphQLList,
  GraphQLNonNull,
  GraphQLObjectType,
  GraphQLString,
} from 'graphql'
import type { Context } from '../../src/context.ts'
import { changeType } from './change.ts'
import { createInputType, describe, orderType, updateInputType, valueType, whereType } from './inputs.ts'
import { listOf, required, type SharedTypes } from './shared.ts'
import type { CollectionTypes, Environment, FieldConfig, TypesOf } from './types.ts'
import type { VisibleCollection } from './visible.ts'

type Fields = GraphQLFieldConfigMap<unknown, Context>

/** Types by collection id: a group's types refer to each other, and to none outside it. */
export type Group = ReadonlyMap<string, CollectionTypes>

/** Makes the types of a group. */
export function createGroup(environment: Environment, members: readonly VisibleCollection[]): Group {
  const group = new Map<string, CollectionTypes>()
  const types = (collectionId: string) => {
    const found = group.get(collectionId)
    if (!found) throw new Error(`${collectionId} is not of this group.`)
    return found
  }
  for (const visible of members) group.set(visible.collection.id, createTypes(environment, visible, types))
  return group
}

function createTypes(environment: Environment, visible: VisibleCollection, types: TypesOf): CollectionTypes {
  const { shared } = environment
  const document = documentType(shared, visible, types)
  return {
    document,
    connection: connectionType(shared, visible, document),
    change: changeType(environment, visible, document),
    where: whereType(shared, visible, types),
    order: orderType(shared, visible),
    createInput: createInputType(shared, visible),
    updateInput: updateInputType(shared, visible),
  }
}

/** The statement has put each answer where its response key says. */
const answer: GraphQLFieldResolver<unknown, Context> = (parent, _args, _ctx, info) =>
  (parent as Record<string, unknown>)[info.path.key]

function documentType(shared: SharedTypes, visible: VisibleCollection, types: TypesOf): GraphQLObjectType {
  const { collection, relations, reverses } = visible
  const own = [...collection.columns.values()].filter(({ name }) => !name.startsWith('_'))
  return new GraphQLObjectType<unknown, Context>({
    name: collection.typeName,
    description: `A document of the collection \`${collection.key}\`.`,
    fields: (): Fields => ({
      id: {
        type: required(GraphQLID),
        resolve: answer,
        description: 'Names it among the documents of its collection.',
      },
      createdAt: { type: required(shared.DateTime), resolve: answer, description: 'When it was created.' },
      updatedAt: { type: required(shared.DateTime), resolve: answer, description: 'When it was last changed.' },
      permissions: {
        type: listOf(shared.Permission),
        resolve: answer,
        description: 'What it grants by itself, beside its collection.',
      },
      ...eachOf(own, (column) => {
        const type = valueType(shared, column.type)
        return [
          column.key,
          {
            type: column.required ? required(type) : type,
            resolve: answer,
            description: describe({ ...column, default: undefined }),
          },
        ]
      }),
      ...eachOf(relations, ({ key, collectionId }) => {
        const description = 'The document that it points at; null where there is none, or none that you may read.'
        return [key, { type: types(collectionId).document, resolve: answer, description }]
      }),
      ...eachOf(reverses, ({ key, collectionId, column }) => {
        const { connection, where, order } = types(collectionId)
        const description = `The documents whose \`${column}\` is this one.`
        return [key, { type: required(connection), args: pageArgs({ where, order }), resolve: answer, description }]
      }),
    }),
  })
}

function connectionType(
  shared: SharedTypes,
  { collection }: VisibleCollection,
  document: GraphQLObjectType,
): GraphQLObjectType {
  const { typeName, key } = collection
  const edge = new GraphQLObjectType<unknown, Context>({
    name: `${typeName}Edge`,
    description: `A document of \`${key}\` at its place in a list.`,
    fields: {
      cursor: {
        type: required(GraphQLString),
        resolve: answer,
        description: 'Its place, for `after` and `before` in a list of the same order.',
      },
      node: { type: required(document), resolve: answer, description: 'The document.' },
    },
  })
  return new GraphQLObjectType<unknown, Context>({
    name: `${typeName}Connection`,
    description: `A page of a list of \`${key}\`.`,
    fields: {
      edges: { type: listOf(edge), resolve: answer, description: 'The documents, each with its place.' },
      nodes: { type: listOf(document), resolve: answer, description: 'The documents.' },
      pageInfo: {
        type: required(shared.PageInfo),
        resolve: answer,
        description: 'Where the page begins and ends, and whether there is more.',
      },
      totalCount: {
        type: required(GraphQLInt),
        resolve: answer,
        description: 'How many documents all pages have. Counted only when asked for.',
      },
    },
  })
}

/** The arguments of a list. */
export function pageArgs({ where, order }: Pick<CollectionTypes, 'where' | 'order'>): GraphQLFieldConfigArgumentMap {
  return {
    where: { type: where, description: 'Which ones.' },
    orderBy: { type: new GraphQLList(new GraphQLNonNull(order)), description: 'In which order; by id if left out.' },
    first: { type: GraphQLInt, description: 'How many from the beginning: 25 if left out, 100 at most.' },
    after: { type: GraphQLString, description: 'Only what comes after this cursor.' },
    last: { type: GraphQLInt, description: 'How many from the end, 100 at most.' },
    before: { type: GraphQLString, description: 'Only what comes before this cursor.' },
    offset: { type: GraphQLInt, description: 'How many to skip.' },
  }
}

function eachOf<T>(items: Iterable<T>, entry: (item: T) => [string, FieldConfig]): Fields {
  return Object.fromEntries([...items].map(entry))
}
