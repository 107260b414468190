import {
  GraphQLBoolean,
  GraphQLEnumType,
  GraphQLFloat,
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
import type { ColumnType } from '../../src/documents/types.ts'
import { BigIntText, scalars } from './scalars.ts'

/** The types that all collections share. */
export type SharedTypes = {
  DateTime: GraphQLScalarType
  PageInfo: GraphQLObjectType
  Permission: GraphQLObjectType
  PermissionInput: GraphQLInputObjectType
  ChangeKind: GraphQLEnumType
  OrderDirection: GraphQLEnumType
  /** The type of one value, and that of the filters on it. */
  values: Readonly<Record<Exclude<ColumnType, 'ENUM'>, GraphQLScalarType>>
  filters: Readonly<Record<Exclude<ColumnType, 'ENUM'>, GraphQLInputObjectType>>
}

export const required = <T extends GraphQLNamedType>(type: T) => new GraphQLNonNull(type)
export const listOf = <T extends GraphQLNamedType>(type: T) =>
  new GraphQLNonNull(new GraphQLList(new GraphQLNonNull(type)))

/** Every type that collections share, by which the API reserves its names. */
export function sharedNames({ values, filters, ...others }: SharedTypes): string[] {
  return [...Object.values(others), ...Object.values(values), ...Object.values(filters)].map(({ name }) => name)
}

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
    values: valueTypes(api, DateTime),
    filters: filterTypes(api, valueTypes(api, DateTime)),
  }
}

function valueTypes(api: GraphQLSchema, DateTime: GraphQLScalarType): SharedTypes['values'] {
  const own = (type: GraphQLScalarType) => known(api, type, GraphQLScalarType)
  const json = api.getType('JSON')
  if (!(json instanceof GraphQLScalarType)) throw new Error('The API has no scalar JSON.')
  return {
    ID: GraphQLID,
    STRING: GraphQLString,
    TEXT: GraphQLString,
    INTEGER: GraphQLInt,
    BIGINT: own(BigIntText),
    FLOAT: GraphQLFloat,
    DECIMAL: own(scalars.Decimal),
    BOOLEAN: GraphQLBoolean,
    DATETIME: DateTime,
    DATE: own(scalars.Date),
    EMAIL: own(scalars.Email),
    URL: own(scalars.URL),
    IP: own(scalars.IP),
    UUID: own(scalars.UUID),
    JSON: json,
    POINT: own(scalars.Point),
    LINE: own(scalars.Line),
    POLYGON: own(scalars.Polygon),
    VECTOR: own(scalars.Vector),
  }
}

function filterTypes(api: GraphQLSchema, values: SharedTypes['values']): SharedTypes['filters'] {
  const made = (name: string, noun: string, fields: GraphQLInputFieldConfigMap) =>
    known(api, filter(name, noun, { ...fields, ...isNull }), GraphQLInputObjectType)
  const text = (name: string, noun: string, type: GraphQLScalarType) =>
    made(name, noun, { ...ordered(type, 'by code point'), ...parts })
  const string = text('StringFilter', 'a text', GraphQLString)
  return {
    ID: known(api, filter('IDFilter', 'an id', ordered(GraphQLID, 'by code point')), GraphQLInputObjectType),
    STRING: string,
    TEXT: string,
    INTEGER: made('IntFilter', 'a whole number', ordered(GraphQLInt, 'by size')),
    BIGINT: made('BigIntFilter', 'a whole number of 64 bits', ordered(values.BIGINT, 'by size')),
    FLOAT: made('FloatFilter', 'a number', ordered(GraphQLFloat, 'by size')),
    DECIMAL: made('DecimalFilter', 'a decimal number', ordered(values.DECIMAL, 'by size')),
    BOOLEAN: made('BooleanFilter', 'a truth value', sameness(GraphQLBoolean)),
    DATETIME: made('DateTimeFilter', 'a moment', ordered(values.DATETIME, 'by time')),
    DATE: made('DateFilter', 'a day', ordered(values.DATE, 'by time')),
    EMAIL: text('EmailFilter', 'an email address', values.EMAIL),
    URL: text('URLFilter', 'a web address', values.URL),
    IP: made('IPFilter', 'an address', ordered(values.IP, 'version 4 first, then by number')),
    UUID: made('UUIDFilter', 'a UUID', ordered(values.UUID, 'by its text')),
    JSON: made('JSONFilter', 'JSON', {}),
    POINT: made('PointFilter', 'a place', {}),
    LINE: made('LineFilter', 'a way', {}),
    POLYGON: made('PolygonFilter', 'an area', {}),
    VECTOR: made('VectorFilter', 'a vector', {}),
  }
}

/** The filter on an enum, which is its collection's own. */
export function enumFilter(type: GraphQLEnumType): GraphQLInputObjectType {
  return filter(`${type.name}Filter`, `a \`${type.name}\``, { ...equality(type), ...isNull })
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
    in: { type: list, description: 'Is one of these, 5,000 at most.' },
    notIn: { type: list, description: 'Is none of these, 5,000 at most. Null is none of them.' },
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
