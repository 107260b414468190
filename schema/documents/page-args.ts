import { type GraphQLFieldConfigArgumentMap, GraphQLInt, GraphQLList, GraphQLNonNull, GraphQLString } from 'graphql'
import type { CollectionTypes } from './types.ts'

/** The arguments of a list. */
export function pageArgs({ where, order }: Pick<CollectionTypes, 'where' | 'order'>): GraphQLFieldConfigArgumentMap {
  return {
    where: { type: where, description: 'Which ones.' },
    orderBy: { type: new GraphQLList(new GraphQLNonNull(order)), description: 'In which order; by id if left out.' },
    first: { type: GraphQLInt, description: 'How many from the beginning: 25 if left out, 100 at most.' },
    after: { type: GraphQLString, description: 'Only what comes after this cursor.' },
    last: { type: GraphQLInt, description: 'How many from the end, 100 at most.' },
    before: { type: GraphQLString, description: 'Only what comes before this cursor.' },
    offset: { type: GraphQLInt, description: 'How many to skip, 1,000,000 at most.' },
    shuffle: {
      type: GraphQLInt,
      description:
        'By chance instead of by id, where `orderBy` leaves them equal: any number, of which the same gives the same order.',
    },
  }
}
