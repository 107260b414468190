import {
  type GraphQLInputFieldConfig,
  type GraphQLInputFieldConfigMap,
  GraphQLInputObjectType,
  GraphQLList,
  GraphQLNonNull,
} from 'graphql'
import { isFilterable, isOrderable } from '../../src/documents/values.ts'
import type { SharedTypes } from './shared.ts'
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
        ...eachOf(
          neighbours.filter(({ many }) => !many),
          ({ key, collectionId }) => {
            const description = `By the document that \`${key}\` points at: true only where you may read it.`
            return [key, { type: types(collectionId).where, description }]
          },
        ),
        and: { type: list, description: 'All of these hold.' },
        or: { type: list, description: 'At least one of these holds.' },
        not: { type: where, description: 'This does not hold.' },
      }
    },
  })
  return where
}

/** `PostOrder`. */
export function orderType(shared: SharedTypes, { collection, columns }: VisibleCollection): GraphQLInputObjectType {
  return new GraphQLInputObjectType({
    name: `${collection.typeName}Order`,
    description: `An order of \`${collection.key}\`: one key for each item. Documents that are equal in all of them follow by id.`,
    fields: eachOf(columns.filter(isOrderable), ({ key }) => [
      key,
      { type: shared.OrderDirection, description: `By \`${key}\`.` },
    ]),
  })
}

function eachOf<T>(
  items: Iterable<T>,
  entry: (item: T) => [string, GraphQLInputFieldConfig],
): GraphQLInputFieldConfigMap {
  return Object.fromEntries([...items].map(entry))
}
