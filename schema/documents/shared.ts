import {
  GraphQLBoolean,
  GraphQLEnumType,
  GraphQLID,
  type GraphQLInputFieldConfigMap,
  GraphQLInputObjectType,
  type GraphQLInputType,
  GraphQLInt,
  GraphQLList,
  type GraphQLNamedType,
  GraphQLNonNull,
  GraphQLObjectType,
  GraphQLScalarType,
  type GraphQLSchema,
  GraphQLString,
} from 'graphql'

/** The types that all collections share. */
export type SharedTypes = {
  DateTime: GraphQLScalarType
  PageInfo: GraphQLObjectType
  Permission: GraphQLObjectType
  PermissionInput: GraphQLInputObjectType
  ChangeKind: GraphQLEnumType
  OrderDirection: GraphQLEnumType
  IDFilter: GraphQLInputObjectType
  StringFilter: GraphQLInputObjectType
  IntFilter: GraphQLInputObjectType
  BooleanFilter: GraphQLInputObjectType
  DateTimeFilter: GraphQLInputObjectType
}

export const required = <T extends GraphQLNamedType>(type: T) => new GraphQLNonNull(type)
export const listOf = <T extends GraphQLNamedType>(type: T) =>
  new GraphQLNonNull(new GraphQLList(new GraphQLNonNull(type)))

/** Makes them once, but those that the API itself has already are its own: a schema has one type of a name. */
export function createSharedTypes(api: GraphQLSchema): SharedTypes {
  const DateTime = api.getType('DateTime')
  const PageInfo = api.getType('PageInfo')
  if (!(DateTime instanceof GraphQLScalarType)) throw new Error('The API has no scalar DateTime.')
  if (!(PageInfo instanceof GraphQLObjectType)) throw new Error('The API has no type PageInfo.')
  const input = (type: GraphQLInputObjectType) => known(api, type, GraphQLInputObjectType)
  const right = known(api, permissionRight, GraphQLEnumType)
  return {
    DateTime,
    PageInfo,
    Permission: known(api, permission(right), GraphQLObjectType),
    PermissionInput: input(permissionInput(right)),
    ChangeKind: known(api, changeKind, GraphQLEnumType),
    OrderDirection: known(api, orderDirection, GraphQLEnumType),
    IDFilter: input(filter('IDFilter', 'an id', equality(GraphQLID))),
    StringFilter: input(
      filter('StringFilter', 'a text', { ...ordered(GraphQLString, 'by code point'), ...parts, ...isNull }),
    ),
    IntFilter: input(filter('IntFilter', 'a whole number', { ...ordered(GraphQLInt, 'by size'), ...isNull })),
    BooleanFilter: input(filter('BooleanFilter', 'a truth value', { ...sameness(GraphQLBoolean), ...isNull })),
    DateTimeFilter: input(filter('DateTimeFilter', 'a moment', { ...ordered(DateTime, 'by time'), ...isNull })),
  }
}

type Constructor<T> = abstract new (...args: never[]) => T

function known<T extends GraphQLNamedType>(api: GraphQLSchema, type: T, kind: Constructor<T>): T {
  const own = api.getType(type.name)
  if (own && !(own instanceof kind)) throw new Error(`${type.name} of the API is of another kind.`)
  return own ? (own as T) : type
}

const permissionRight = new GraphQLEnumType({
  name: 'PermissionRight',
  description: 'What a permission allows.',
  values: {
    CREATE: { description: 'To create documents. Collections grant it, documents cannot.' },
    READ: { description: 'To read.' },
    UPDATE: { description: 'To change.' },
    DELETE: { description: 'To delete.' },
    WRITE: { description: 'CREATE, UPDATE and DELETE in one. Answers name them one by one.' },
  },
})

const roles =
  'Whom it is given to: `any`, `guests`, `users`, `users/verified`, `users/unverified`, `user:ID`, `team:ID`, `team:ID/ROLE`, `member:ID` or `label:NAME`.'

function permission(right: GraphQLEnumType): GraphQLObjectType {
  return new GraphQLObjectType({
    name: 'Permission',
    description: 'One right that one role holds.',
    fields: {
      right: { type: required(right), description: 'What it allows.' },
      role: { type: required(GraphQLString), description: roles },
    },
  })
}

function permissionInput(right: GraphQLEnumType): GraphQLInputObjectType {
  return new GraphQLInputObjectType({
    name: 'PermissionInput',
    description: 'One right for one role.',
    fields: {
      right: { type: required(right), description: 'What it allows.' },
      role: { type: required(GraphQLString), description: roles },
    },
  })
}

const changeKind = new GraphQLEnumType({
  name: 'ChangeKind',
  description: 'What a change means to the one who is told of it.',
  values: {
    CREATED: { description: 'A new document matches.' },
    UPDATED: { description: 'A document that matched was changed and still matches.' },
    DELETED: { description: 'A document that matched is gone.' },
    ENTERED: { description: 'A document has come to match, or you have come to be able to read it.' },
    LEFT: { description: 'A document no longer matches, or you can no longer read it.' },
  },
})

const orderDirection = new GraphQLEnumType({
  name: 'OrderDirection',
  description: 'The direction of an order. Null counts as greater than every value.',
  values: {
    ASC: { description: 'Smallest first, nulls last.' },
    DESC: { description: 'Greatest first, nulls first.' },
  },
})

function filter(name: string, noun: string, fields: GraphQLInputFieldConfigMap): GraphQLInputObjectType {
  return new GraphQLInputObjectType({
    name,
    description: `Conditions on ${noun}: all that are given must hold.`,
    fields,
  })
}

function sameness(type: GraphQLInputType): GraphQLInputFieldConfigMap {
  return {
    eq: { type, description: 'Is this.' },
    ne: { type, description: 'Is not this. Null is not.' },
  }
}

function equality(type: GraphQLNamedType & GraphQLInputType): GraphQLInputFieldConfigMap {
  const list = new GraphQLList(new GraphQLNonNull(type))
  return {
    ...sameness(type),
    in: { type: list, description: 'Is one of these, 1000 at most.' },
    notIn: { type: list, description: 'Is none of these, 1000 at most. Null is none of them.' },
  }
}

function ordered(type: GraphQLNamedType & GraphQLInputType, order: string): GraphQLInputFieldConfigMap {
  return {
    ...equality(type),
    gt: { type, description: `Is greater, ${order}.` },
    gte: { type, description: `Is greater or the same, ${order}.` },
    lt: { type, description: `Is less, ${order}.` },
    lte: { type, description: `Is less or the same, ${order}.` },
  }
}

const parts: GraphQLInputFieldConfigMap = {
  contains: { type: GraphQLString, description: 'Has this in it. Case matters.' },
  startsWith: { type: GraphQLString, description: 'Begins with this. Case matters.' },
  endsWith: { type: GraphQLString, description: 'Ends with this. Case matters.' },
}

const isNull: GraphQLInputFieldConfigMap = {
  isNull: { type: GraphQLBoolean, description: 'Whether there is no value.' },
}
