import {
  type GraphQLEnumType,
  type GraphQLInputFieldConfig,
  GraphQLInputObjectType,
  GraphQLNonNull,
  GraphQLString,
} from 'graphql'
import type { FilterTypes, Values } from './filters.ts'

/** Inputs of orders by what is computed of a value. */
export type ComputedOrders = Readonly<Record<'rank' | 'distance' | 'vector' | 'count', GraphQLInputObjectType>>

export function createComputedOrders(
  { POINT, VECTOR }: Values,
  { language, measure }: FilterTypes['parts'],
  OrderDirection: GraphQLEnumType,
): ComputedOrders {
  const direction = (defaultValue: 'ASC' | 'DESC', description: string) => {
    return { direction: { type: OrderDirection, defaultValue, description } }
  }
  const input = (name: string, description: string, fields: Record<string, GraphQLInputFieldConfig>) =>
    new GraphQLInputObjectType({ name, description, fields })
  return {
    count: input('RelatedCountOrder', 'An order by how many related documents there are.', {
      count: { type: new GraphQLNonNull(OrderDirection), description: 'Only those that you may read count.' },
    }),
    rank: input('RankOrder', 'An order by how well a text fits a search.', {
      search: {
        type: new GraphQLNonNull(GraphQLString),
        description: 'The words, as in a `search` filter: at most 1,000 characters.',
      },
      language: { type: language, description: "That of the attribute's full-text index if left out." },
      ...direction('DESC', 'DESC puts what fits best first.'),
    }),
    distance: input('DistanceOrder', 'An order by the metres to a place, on the earth taken as a ball (haversine).', {
      near: { type: new GraphQLNonNull(POINT), description: 'To where.' },
      ...direction('ASC', 'ASC puts the nearest first.'),
    }),
    vector: input('VectorOrder', 'An order by how far a vector is from another one.', {
      near: { type: new GraphQLNonNull(VECTOR), description: 'From which, of as many numbers.' },
      measure: { type: measure, defaultValue: 'EUCLIDEAN', description: 'How it is measured.' },
      ...direction('ASC', 'ASC puts the nearest first.'),
    }),
  }
}
