import {
  GraphQLBoolean,
  type GraphQLInputFieldConfigMap,
  type GraphQLInputObjectType,
  GraphQLList,
  GraphQLNonNull,
  type GraphQLScalarType,
  GraphQLString,
} from 'graphql'

type Fields = GraphQLInputFieldConfigMap
type Geometries = Readonly<Record<'POINT' | 'LINE' | 'POLYGON', GraphQLScalarType>>

/** Said of operators that PostgreSQL alone can tell. */
export const notLive = 'Not in live filters and rules.'

export function jsonFields(json: GraphQLScalarType): Fields {
  const value = (description: string) => ({ type: json, description })
  return {
    path: {
      type: new GraphQLList(new GraphQLNonNull(GraphQLString)),
      description:
        'Where to look: keys of objects and places in lists, which begin at "0", of at most 20 steps. The whole value if left out. It is no condition itself.',
    },
    exists: { type: GraphQLBoolean, description: `Whether there is anything at the path, be it null. ${notLive}` },
    eq: value(`Is this: keys in any order, numbers by size. ${notLive}`),
    ne: value(`Is not this. What is not there is not. ${notLive}`),
    in: {
      type: new GraphQLList(new GraphQLNonNull(json)),
      description: `Is one of these, 5,000 at most. ${notLive}`,
    },
    notIn: {
      type: new GraphQLList(new GraphQLNonNull(json)),
      description: `Is none of these, 5,000 at most. What is not there is none of them. ${notLive}`,
    },
    gt: value(`Is greater: a number than a number, by size, or a text than a text, by code point. ${notLive}`),
    gte: value(`Is greater or the same, of numbers or of texts. ${notLive}`),
    lt: value(`Is less, of numbers or of texts. ${notLive}`),
    lte: value(`Is less or the same, of numbers or of texts. ${notLive}`),
    contains: value(
      `Has this in it: an object its keys with such values, a list such items in any order, all of them to any depth. ${notLive}`,
    ),
    notContains: value(`Does not have this in it. What is not there does not. ${notLive}`),
    hasKey: { type: GraphQLString, description: `Is an object that has this key. ${notLive}` },
    isNull: {
      type: GraphQLBoolean,
      description: `Whether there is nothing at the path, or null. ${notLive}`,
    },
  }
}

function geometry(type: GraphQLScalarType, description: string) {
  return { type, description: `${description} ${notLive}` }
}

export function pointFields(
  { POINT, POLYGON }: Geometries,
  { near, distance }: Readonly<Record<'near' | 'distance', GraphQLInputObjectType>>,
): Fields {
  return {
    eq: geometry(POINT, 'Is this place.'),
    ne: geometry(POINT, 'Is not this place. Null is not.'),
    near: { type: near, description: `Lies within this circle. ${notLive}` },
    distance: { type: distance, description: `How far it is from another place. ${notLive}` },
    within: geometry(POLYGON, 'Lies in this area or on its edge.'),
    notWithin: geometry(POLYGON, 'Lies outside of this area. Null does.'),
  }
}

export function lineFields({ POINT, LINE, POLYGON }: Geometries): Fields {
  return {
    eq: geometry(LINE, 'Is this way, in this direction.'),
    ne: geometry(LINE, 'Is not this way in this direction. Null is not.'),
    contains: geometry(POINT, 'This place is on it.'),
    notContains: geometry(POINT, 'This place is not on it. Null has none.'),
    intersects: geometry(LINE, 'Crosses or touches this way.'),
    notIntersects: geometry(LINE, 'Neither crosses nor touches this way. Null does not.'),
    crosses: geometry(POLYGON, 'Crosses or touches the edge of this area.'),
    notCrosses: geometry(POLYGON, 'Neither crosses nor touches the edge of this area. Null does not.'),
  }
}

export function polygonFields({ POINT, LINE, POLYGON }: Geometries): Fields {
  return {
    eq: geometry(POLYGON, 'Is this area, its edge begun at the same place.'),
    ne: geometry(POLYGON, 'Is not this area. Null is not.'),
    contains: geometry(POINT, 'This place lies in it or on its edge.'),
    notContains: geometry(POINT, 'This place lies outside of it. Null has none.'),
    within: geometry(POLYGON, 'Lies wholly in this area.'),
    notWithin: geometry(POLYGON, 'Does not lie wholly in this area. Null does not.'),
    covers: geometry(POLYGON, 'This area lies wholly in it.'),
    notCovers: geometry(POLYGON, 'This area does not lie wholly in it. Null covers none.'),
    overlaps: geometry(POLYGON, 'Has a place in common with this area.'),
    notOverlaps: geometry(POLYGON, 'Has no place in common with this area. Null has none.'),
    intersects: geometry(LINE, 'Has a place in common with this way.'),
    notIntersects: geometry(LINE, 'Has no place in common with this way. Null has none.'),
    crosses: geometry(LINE, 'This way crosses or touches its edge.'),
    notCrosses: geometry(LINE, 'This way neither crosses nor touches its edge. Null has none.'),
  }
}
