import { type GraphQLInputFieldConfig, GraphQLInputObjectType } from 'graphql'
import type { Column } from '../../src/documents/model.ts'
import { rankSuffix } from '../../src/documents/order.ts'
import { isOrderable } from '../../src/documents/values.ts'
import type { SharedTypes } from './shared.ts'
import type { TypesOf } from './types.ts'
import type { VisibleCollection } from './visible.ts'

/** `PostOrder`. */
export function orderType(
  shared: SharedTypes,
  { collection, columns, neighbours }: VisibleCollection,
  types: TypesOf,
): GraphQLInputObjectType {
  const computed = (column: Column): [string, GraphQLInputFieldConfig][] => {
    const { key, type, list, language } = column
    if (type === 'POINT') return [[key, { type: shared.orders.distance, description: `By how far \`${key}\` is.` }]]
    if (type === 'VECTOR') return [[key, { type: shared.orders.vector, description: `By how far \`${key}\` is.` }]]
    if (isOrderable(column)) {
      const rank = `${key}${rankSuffix}`
      const own: [string, GraphQLInputFieldConfig] = [
        key,
        { type: shared.OrderDirection, description: `By \`${key}\`.` },
      ]
      if (language === null || list || collection.columns.has(rank) || collection.neighbours.has(rank)) return [own]
      const description = `By how well \`${key}\` fits a search.`
      return [own, [rank, { type: shared.orders.rank, description }]]
    }
    return []
  }
  return new GraphQLInputObjectType({
    name: `${collection.typeName}Order`,
    description: `An order of \`${collection.key}\`: one key for each item, 8 items at most. Documents that are equal in all of them follow by id, in the direction of the last.`,
    fields: () =>
      Object.fromEntries([
        ...columns.flatMap(computed),
        ...neighbours.map(({ key, collectionId, many }): [string, GraphQLInputFieldConfig] => {
          if (many) return [key, { type: shared.orders.count, description: `By the documents of \`${key}\`.` }]
          const description = `By the document of \`${key}\`: null where there is none that you may read.`
          return [key, { type: types(collectionId).order, description }]
        }),
      ]),
  })
}
