import {
  GraphQLBoolean,
  GraphQLID,
  type GraphQLInputFieldConfig,
  type GraphQLInputFieldConfigMap,
  GraphQLInputObjectType,
  type GraphQLInputType,
  GraphQLInt,
  GraphQLList,
  GraphQLNonNull,
  GraphQLString,
} from 'graphql'
import type { Column, ColumnType } from '../../src/documents/model.ts'
import type { SharedTypes } from './shared.ts'
import type { TypesOf } from './types.ts'
import type { VisibleCollection } from './visible.ts'

/** `PostWhere`. */
export function whereType(
  shared: SharedTypes,
  { collection, relations }: VisibleCollection,
  types: TypesOf,
): GraphQLInputObjectType {
  const { typeName, columns } = collection
  const filters = {
    ID: shared.IDFilter,
    STRING: shared.StringFilter,
    INTEGER: shared.IntFilter,
    BOOLEAN: shared.BooleanFilter,
    DATETIME: shared.DateTimeFilter,
  }
  const where: GraphQLInputObjectType = new GraphQLInputObjectType({
    name: `${typeName}Where`,
    description: `Which documents of \`${collection.key}\`: all that is given must hold.`,
    fields: () => {
      const list = new GraphQLList(new GraphQLNonNull(where))
      return {
        ...eachOf(columns.values(), ({ key, type }) => [key, { type: filters[type], description: `By \`${key}\`.` }]),
        ...eachOf(relations, ({ key, collectionId }) => {
          const description = `By the document that \`${key}\` points at: true only where you may read it.`
          return [key, { type: types(collectionId).where, description }]
        }),
        and: { type: list, description: 'All of these hold.' },
        or: { type: list, description: 'At least one of these holds.' },
        not: { type: where, description: 'This does not hold.' },
      }
    },
  })
  return where
}

/** `PostOrder`. */
export function orderType(shared: SharedTypes, { collection }: VisibleCollection): GraphQLInputObjectType {
  return new GraphQLInputObjectType({
    name: `${collection.typeName}Order`,
    description: `An order of \`${collection.key}\`: one key for each item. Documents that are equal in all of them follow by id.`,
    fields: eachOf(collection.columns.values(), ({ key }) => [
      key,
      { type: shared.OrderDirection, description: `By \`${key}\`.` },
    ]),
  })
}

/** `CreatePostInput`. */
export function createInputType(shared: SharedTypes, visible: VisibleCollection): GraphQLInputObjectType {
  const { typeName, key } = visible.collection
  return new GraphQLInputObjectType({
    name: `Create${typeName}Input`,
    description: `A new document of \`${key}\`.`,
    fields: {
      id: {
        type: GraphQLID,
        description: 'Its id: 1 to 64 of the characters A-Z a-z 0-9 . _ -. One is made if it is left out.',
      },
      ...attributes(shared, visible, true),
      ...permissions(
        shared,
        visible,
        'Who may do what with it. If left out, its creator everything, where that is an end user.',
      ),
    },
  })
}

/** `UpdatePostInput`. */
export function updateInputType(shared: SharedTypes, visible: VisibleCollection): GraphQLInputObjectType {
  const { typeName, key } = visible.collection
  return new GraphQLInputObjectType({
    name: `Update${typeName}Input`,
    description: `Changes of a document of \`${key}\`. What is left out stays as it is.`,
    fields: {
      id: { type: new GraphQLNonNull(GraphQLID), description: 'Which.' },
      ...attributes(shared, visible, false),
      ...permissions(shared, visible, 'Who may do what with it, instead of all that was granted before.'),
    },
  })
}

function permissions(
  shared: SharedTypes,
  { collection }: VisibleCollection,
  description: string,
): GraphQLInputFieldConfigMap {
  if (!collection.documentPermissions) return {}
  return { permissions: { type: new GraphQLList(new GraphQLNonNull(shared.PermissionInput)), description } }
}

function attributes(
  shared: SharedTypes,
  { collection, settable }: VisibleCollection,
  creates: boolean,
): GraphQLInputFieldConfigMap {
  const own = [...collection.columns.values()].filter(({ name }) => !name.startsWith('_'))
  const needed = (isRequired: boolean, type: GraphQLInputType) =>
    creates && isRequired ? new GraphQLNonNull(type) : type
  return {
    ...eachOf(own, (column) => {
      const type = needed(column.required && column.default === undefined, valueType(shared, column.type))
      return [column.key, { type, description: describe(column) }]
    }),
    ...eachOf(settable, ({ key, required }) => [
      key,
      {
        type: needed(required, GraphQLID),
        description: 'The id of the document that it points at, which you must be able to read.',
      },
    ]),
  }
}

export function valueType({ DateTime }: SharedTypes, type: ColumnType) {
  return { ID: GraphQLID, STRING: GraphQLString, INTEGER: GraphQLInt, BOOLEAN: GraphQLBoolean, DATETIME: DateTime }[
    type
  ]
}

const nouns: Record<ColumnType, string> = {
  ID: 'An id',
  STRING: 'A text',
  INTEGER: 'A whole number',
  BOOLEAN: 'True or false',
  DATETIME: 'A moment',
}

/** What an attribute holds, in a sentence. */
export function describe({ type, size, default: value }: Column): string {
  const most = size === null ? '' : ` of at most ${size} characters`
  const initial = value === undefined ? '' : ` ${JSON.stringify(value)} if left out.`
  return `${nouns[type]}${most}.${initial}`
}

function eachOf<T>(
  items: Iterable<T>,
  entry: (item: T) => [string, GraphQLInputFieldConfig],
): GraphQLInputFieldConfigMap {
  return Object.fromEntries([...items].map(entry))
}
