import {
  GraphQLBoolean,
  GraphQLEnumType,
  GraphQLFloat,
  GraphQLID,
  GraphQLInputObjectType,
  GraphQLInt,
  GraphQLList,
  type GraphQLNamedType,
  GraphQLNonNull,
  GraphQLObjectType,
  GraphQLScalarType,
  type GraphQLSchema,
  GraphQLString,
} from 'graphql'
import { type ComputedOrders, createComputedOrders } from './computed-orders.ts'
import { createFilterTypes, type FilterTypes, type Values } from './filters.ts'
import { sharedOperationTypes } from './operation-inputs.ts'
import { BigIntText, scalars } from './scalars.ts'

/** The types that all collections share. */
export type SharedTypes = {
  DateTime: GraphQLScalarType
  PageInfo: GraphQLObjectType
  Permission: GraphQLObjectType
  PermissionInput: GraphQLInputObjectType
  ChangeKind: GraphQLEnumType
  LiveChangeKind: GraphQLEnumType
  OrderDirection: GraphQLEnumType
  /** The type of one value. */
  values: Values
  orders: ComputedOrders
} & FilterTypes

export const required = <T extends GraphQLNamedType>(type: T) => new GraphQLNonNull(type)
export const listOf = <T extends GraphQLNamedType>(type: T) =>
  new GraphQLNonNull(new GraphQLList(new GraphQLNonNull(type)))

/** As one says it in a sentence: `a Post`, `an Author`. */
export const oneOf = (typeName: string): string => `${/^[AEIO]/.test(typeName) ? 'an' : 'a'} ${typeName}`

/** Every type that collections share, by which the API reserves its names. */
export function sharedNames({ values, filters, listFilters, parts, orders, ...others }: SharedTypes): string[] {
  const types = [others, values, filters, listFilters, parts, orders].flatMap((some): GraphQLNamedType[] =>
    Object.values(some),
  )
  return [...types, ...sharedOperationTypes(values)].map(({ name }) => name)
}

/** Makes them once, but those that the API itself has already are its own: a schema has one type of a name. */
export function createSharedTypes(api: GraphQLSchema): SharedTypes {
  const DateTime = ofApi(api, 'DateTime', GraphQLScalarType)
  const values = valueTypes(api, DateTime)
  const measure = ofApi(api, 'VectorDistance', GraphQLEnumType)
  const filters = createFilterTypes(values, measure, (type) =>
    known(api, type, type.constructor as Constructor<typeof type>),
  )
  const order = ofApi(api, 'OrderDirection', GraphQLEnumType)
  return {
    DateTime,
    PageInfo: ofApi(api, 'PageInfo', GraphQLObjectType),
    Permission: ofApi(api, 'Permission', GraphQLObjectType),
    PermissionInput: ofApi(api, 'PermissionInput', GraphQLInputObjectType),
    ChangeKind: known(api, changeKind, GraphQLEnumType),
    LiveChangeKind: known(api, liveChangeKind, GraphQLEnumType),
    OrderDirection: order,
    values,
    orders: createComputedOrders(values, filters.parts, order),
    ...filters,
  }
}

function valueTypes(api: GraphQLSchema, DateTime: GraphQLScalarType): Values {
  const own = (type: GraphQLScalarType) => known(api, type, GraphQLScalarType)
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
    JSON: ofApi(api, 'JSON', GraphQLScalarType),
    POINT: own(scalars.Point),
    LINE: own(scalars.Line),
    POLYGON: own(scalars.Polygon),
    VECTOR: own(scalars.Vector),
  }
}

type Constructor<T> = abstract new (...args: never[]) => T

function known<T extends GraphQLNamedType>(api: GraphQLSchema, type: T, kind: Constructor<T>): T {
  return api.getType(type.name) ? ofApi(api, type.name, kind) : type
}

function ofApi<T extends GraphQLNamedType>(api: GraphQLSchema, name: string, kind: Constructor<T>): T {
  const own = api.getType(name)
  if (!(own instanceof kind)) throw new Error(`${name} of the API is of another kind, or missing.`)
  return own as T
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

const liveChangeKind = new GraphQLEnumType({
  name: 'LiveChangeKind',
  description: 'What to do to a list so that it is as it should be.',
  values: {
    ADDED: { description: 'Put the document in at its place.' },
    CHANGED: { description: 'Put it in the place of what you have of it.' },
    MOVED: { description: 'Take it out, and put it in again at its place.' },
    REMOVED: { description: 'Take it out.' },
  },
})
