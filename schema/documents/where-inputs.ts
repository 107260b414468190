import {
  type GraphQLInputFieldConfig,
  type GraphQLInputFieldConfigMap,
  GraphQLInputObjectType,
  GraphQLList,
  GraphQLNonNull,
} from 'graphql'
import { isFilterable } from '../../src/documents/values.ts'
import type { FilterTypes } from './filters.ts'
import type { TypesOf } from './types.ts'
import type { ColumnTypes } from './values.ts'
import type { VisibleCollection } from './visible.ts'

/** `PostWhere`. */
export function whereType(
  { collection, columns, neighbours }: VisibleCollection,
  valueTypes: ColumnTypes,
  types: TypesOf,
): GraphQLInputObjectType {
  const where: GraphQLInputObjectType = new GraphQLInputObjectType({
    name: `${collection.typeName}Where`,
    description: `Which documents of \`${collection.key}\`: all that is given must hold.`,
    fields: () => {
      const list = new GraphQLList(new GraphQLNonNull(where))
      return {
        ...eachOf(columns.filter(isFilterable), (column) => [
          column.key,
          { type: valueTypes.filter(column), description: `By \`${column.key}\`.` },
        ]),
        ...eachOf(neighbours, ({ key, collectionId, many, own }) => {
          const { where: related, manyWhere } = types(collectionId)
          if (many) return [key, { type: manyWhere, description: `By the documents of \`${key}\` that you may read.` }]
          const which = own ? `the document that \`${key}\` points at` : 'the document that points at this one'
          return [key, { type: related, description: `By ${which}: true only where you may read it.` }]
        }),
        and: { type: list, description: 'All of these hold.' },
        or: { type: list, description: 'At least one of these holds.' },
        not: { type: where, description: 'This does not hold.' },
      }
    },
  })
  return where
}

/** `PostManyWhere`: a filter by several documents. */
export function manyWhereType(
  { filters }: Pick<FilterTypes, 'filters'>,
  { collection }: VisibleCollection,
  where: GraphQLInputObjectType,
): GraphQLInputObjectType {
  const { typeName, key } = collection
  return new GraphQLInputObjectType({
    name: `${typeName}ManyWhere`,
    description: `How many of the related documents of \`${key}\` match. Only those that you may read count.`,
    fields: {
      some: { type: where, description: 'At least one of them matches.' },
      every: { type: where, description: 'All of them match, or there are none.' },
      none: { type: where, description: 'None of them matches.' },
      count: { type: filters.INTEGER, description: 'How many there are.' },
      of: { type: where, description: 'Which of them `count` counts: all if left out.' },
    },
  })
}

function eachOf<T>(
  items: Iterable<T>,
  entry: (item: T) => [string, GraphQLInputFieldConfig],
): GraphQLInputFieldConfigMap {
  return Object.fromEntries([...items].map(entry))
}
