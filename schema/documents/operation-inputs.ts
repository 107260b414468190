import {
  GraphQLBoolean,
  type GraphQLEnumType,
  type GraphQLInputFieldConfigMap,
  GraphQLInputObjectType,
  type GraphQLInputType,
  GraphQLInt,
  GraphQLList,
  GraphQLNonNull,
  type GraphQLScalarType,
  GraphQLString,
} from 'graphql'
import type { Column } from '../../src/documents/model.ts'
import { type OperatorKind, operatorKind } from '../../src/documents/operations.ts'
import type { Values } from './filters.ts'
import type { VisibleCollection } from './visible.ts'

type Item = GraphQLScalarType | GraphQLEnumType

/** The types of operations that all collections share, by type and kind. */
const made = new WeakMap<Item, Map<OperatorKind, GraphQLInputObjectType>>()

/** `PostOperations`; null where nothing has an operator. */
export function operationsType(
  values: Values,
  { collection, columns, settableColumns }: VisibleCollection,
  enumOf: (column: Column) => GraphQLEnumType,
): GraphQLInputObjectType | null {
  const readable = new Set(columns)
  const entries = settableColumns.flatMap((column) => {
    const kind = operatorKind(column)
    if (!kind || !readable.has(column)) return []
    const item = column.type === 'ENUM' ? enumOf(column) : values[column.type]
    return [[column.key, { type: operationType(item, kind), description: `On \`${column.key}\`.` }] as const]
  })
  if (entries.length === 0) return null
  return new GraphQLInputObjectType({
    name: `${collection.typeName}Operations`,
    description: `What is made of the values of a document of \`${collection.key}\`. A field takes one operator, and is not set besides.`,
    fields: Object.fromEntries(entries),
  })
}

/** Every one that collections can share, by which the API reserves its names. */
export function sharedOperationTypes(values: Values): GraphQLInputObjectType[] {
  const own = [
    ...numbers.map((type) => operationType(values[type], 'number')),
    ...(['DATE', 'DATETIME'] as const).map((type) => operationType(values[type], 'moment')),
    operationType(values.STRING, 'text'),
    operationType(values.BOOLEAN, 'boolean'),
  ]
  return [...own, ...Object.values(values).map((item) => operationType(item, 'list'))]
}

const numbers = ['INTEGER', 'BIGINT', 'FLOAT', 'DECIMAL'] as const

function operationType(item: Item, kind: OperatorKind): GraphQLInputObjectType {
  const byKind = made.get(item) ?? new Map<OperatorKind, GraphQLInputObjectType>()
  made.set(item, byKind)
  const known = byKind.get(kind) ?? makeOperation(item, kind)
  byKind.set(kind, known)
  return known
}

function makeOperation(item: Item, kind: OperatorKind): GraphQLInputObjectType {
  const name = `${item.name}${kind === 'list' ? 'List' : ''}Operation`
  return new GraphQLInputObjectType({ name, description: descriptions[kind], fields: fields[kind](item, name) })
}

const descriptions: Readonly<Record<OperatorKind, string>> = {
  number:
    'One operator on a number. Null counts as 0. A result that passes the range of the type, or `min` or `max`, is refused.',
  list: 'One operator on a list. Null counts as an empty list.',
  text: 'One operator on a text.',
  boolean: 'One operator on a truth value.',
  moment: 'One operator on a point in time. Null stays null.',
}

const fields: Readonly<Record<OperatorKind, (item: Item, name: string) => GraphQLInputFieldConfigMap>> = {
  number: (type) => ({
    increment: { type, description: 'Adds this.' },
    decrement: { type, description: 'Takes this away.' },
    multiply: { type, description: 'Times this.' },
    divide: { type, description: 'Divided by this, which is not 0. Whole numbers lose their fraction.' },
    modulo: { type, description: 'What a division by this leaves, with the sign of what is divided.' },
    power: { type, description: 'To the power of this: 100 at most, and not below 0 but for floats.' },
    min: { type, description: 'Refused if the result were less.' },
    max: { type, description: 'Refused if the result were greater.' },
  }),
  list: (item, name) => {
    const list: GraphQLInputType = new GraphQLList(new GraphQLNonNull(item))
    return {
      append: { type: list, description: 'Adds these at the end.' },
      prepend: { type: list, description: 'Adds these at the beginning.' },
      insert: { type: insertType(item, name), description: 'Puts one at a place.' },
      remove: { type: list, description: 'Leaves out all that are one of these: the difference.' },
      intersect: { type: list, description: 'Keeps only what is one of these.' },
      unique: { type: GraphQLBoolean, description: 'True: keeps the first of each.' },
    }
  },
  text: () => ({
    concat: { type: GraphQLString, description: 'Adds this at the end. Null counts as an empty text.' },
    replace: { type: replacement, description: 'Puts another text wherever one stands. Null stays null.' },
  }),
  boolean: () => ({ toggle: { type: GraphQLBoolean, description: 'True: the opposite. Null counts as false.' } }),
  moment: () => ({
    add: { type: duration, description: 'Adds this by the calendar of UTC; below 0 takes away.' },
    setNow: { type: GraphQLBoolean, description: 'True: the moment of this change.' },
  }),
}

function insertType(item: Item, name: string): GraphQLInputObjectType {
  return new GraphQLInputObjectType({
    name: `${name}Insert`,
    description: 'An item and its place.',
    fields: {
      at: {
        type: new GraphQLNonNull(GraphQLInt),
        description: 'How many items come before it; at the end where there are fewer.',
      },
      value: { type: new GraphQLNonNull(item), description: 'The item.' },
    },
  })
}

const replacement = new GraphQLInputObjectType({
  name: 'TextReplacement',
  description: 'One text in the place of another.',
  fields: {
    text: { type: new GraphQLNonNull(GraphQLString), description: 'What is looked for. Case matters.' },
    with: { type: new GraphQLNonNull(GraphQLString), description: 'What stands there instead.' },
  },
})

const duration = new GraphQLInputObjectType({
  name: 'DurationInput',
  description: 'A length of time: the sum of its parts.',
  fields: Object.fromEntries(
    ['years', 'months', 'days', 'hours', 'minutes', 'seconds'].map((unit) => [
      unit,
      { type: GraphQLInt, description: `How many ${unit}.` },
    ]),
  ),
})
