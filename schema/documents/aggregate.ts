import {
  GraphQLEnumType,
  type GraphQLFieldConfigMap,
  GraphQLID,
  type GraphQLInputFieldConfigMap,
  GraphQLInputObjectType,
  type GraphQLInputType,
  GraphQLInt,
  GraphQLList,
  GraphQLNonNull,
  GraphQLObjectType,
  type GraphQLOutputType,
} from 'graphql'
import type { Context } from '../../src/context.ts'
import { innerTypes, isComparable, isGroupable, isNumber, resultType } from '../../src/documents/aggregate.ts'
import type { Column } from '../../src/documents/model.ts'
import type { AggregateTypes } from './aggregate-types.ts'
import type { SharedTypes } from './shared.ts'
import type { ColumnTypes } from './values.ts'
import type { VisibleCollection } from './visible.ts'

type Fields = GraphQLFieldConfigMap<unknown, Context>
type Inputs = GraphQLInputFieldConfigMap
type Facet = { key: string; column: Column | null }

const answer = (parent: unknown, _args: unknown, _ctx: Context, { path }: { path: { key: string | number } }) =>
  (parent as Record<string, unknown>)[path.key]

/** What an attribute is put into groups by: its value, or, of moments and days, the period that it lies in. */
export const groupKinds = {
  value: new GraphQLEnumType({
    name: 'GroupKind',
    description: 'What makes a group.',
    values: { VALUE: { description: 'The same value.' } },
  }),
  period: new GraphQLEnumType({
    name: 'GroupPeriod',
    description: 'What of a moment or a day makes a group. Periods begin in UTC.',
    values: {
      VALUE: { description: 'The same value.' },
      DAY: { description: 'The same day.' },
      WEEK: { description: 'The same week, from Monday on.' },
      MONTH: { description: 'The same month.' },
      YEAR: { description: 'The same year.' },
    },
  }),
}

/** What the types of one collection's groups are made of. */
type Parts = {
  shared: SharedTypes
  valueTypes: ColumnTypes
  typeName: string
  noun: string
  groupable: readonly Facet[]
  comparable: readonly Facet[]
  numeric: readonly Facet[]
}

/** `PostAggregate`, and the inputs that ask for it. */
export function aggregateTypes(
  shared: SharedTypes,
  { collection, columns, neighbours }: VisibleCollection,
  valueTypes: ColumnTypes,
): AggregateTypes {
  const facets = (some: readonly Column[]) => some.map((column) => ({ key: column.key, column }))
  const relations = neighbours.filter(({ join }) => join.kind === 'to').map(({ key }) => ({ key, column: null }))
  const parts: Parts = {
    shared,
    valueTypes,
    typeName: collection.typeName,
    noun: collection.key,
    groupable: [...facets(columns.filter(isGroupable)), ...relations],
    comparable: facets(columns.filter(isComparable)),
    numeric: facets(columns.filter(isNumber)),
  }
  const isPeriod = ({ column }: Facet) => column?.type === 'DATETIME' || column?.type === 'DATE'
  const description = `What documents of \`${collection.key}\` are put into groups by: one key for each item.`
  return {
    group: input(parts, 'Group', description, parts.groupable, (facet) =>
      isPeriod(facet) ? groupKinds.period : groupKinds.value,
    ),
    aggregate: aggregateType(parts),
    having: havingType(parts),
    order: orderType(parts),
  }
}

function object(
  { typeName }: Parts,
  suffix: string,
  description: string,
  facets: readonly Facet[],
  type: (facet: Facet) => GraphQLOutputType,
) {
  const field = (facet: Facet) => ({ type: type(facet), resolve: answer, description: `Of \`${facet.key}\`.` })
  const made = new GraphQLObjectType<unknown, Context>({
    name: `${typeName}${suffix}`,
    description,
    fields: () => fieldsOf(facets, field),
  })
  return new GraphQLNonNull(made)
}

function input(
  { typeName }: Parts,
  suffix: string,
  description: string,
  facets: readonly Facet[],
  type: (facet: Facet) => GraphQLInputType,
) {
  const field = (facet: Facet) => ({ type: type(facet), description: `By \`${facet.key}\`.` })
  return new GraphQLInputObjectType({
    name: `${typeName}${suffix}`,
    description,
    fields: () => inputsOf(facets, field),
  })
}

function resultOf(name: 'sum' | 'avg', { column }: Facet) {
  const type = resultType(name, column?.type ?? 'INTEGER')
  return type === 'ENUM' ? 'INTEGER' : type
}

function aggregateType(parts: Parts): GraphQLObjectType {
  const { shared, valueTypes, typeName, noun, groupable, comparable, numeric } = parts
  const value = ({ column }: Facet) => (column ? valueTypes.output(column) : GraphQLID)
  const values = object(parts, innerTypes.min, 'A value of each; null where there is none.', comparable, value)
  const common = 'What the documents of a group have in common: null for what is not among `groupBy`.'
  const distinct = 'How many different values there are, nulls left out.'
  const number = new GraphQLNonNull(GraphQLInt)
  const result = (name: 'sum' | 'avg') => (facet: Facet) => shared.values[resultOf(name, facet)]
  const fields: Fields = {
    key: { type: object(parts, innerTypes.key, common, groupable, value), description: 'What makes this group.' },
    count: { type: number, description: 'How many documents it has.' },
    countDistinct: {
      type: object(parts, innerTypes.countDistinct, distinct, groupable, () => number),
      description: distinct,
    },
    min: { type: values, description: 'The least values.' },
    max: { type: values, description: 'The greatest values.' },
    ...(numeric.length > 0 && {
      sum: {
        type: object(parts, innerTypes.sum, 'Sums: exact, but of floats.', numeric, result('sum')),
        description: 'The sums.',
      },
      avg: {
        type: object(parts, innerTypes.avg, 'Averages.', numeric, result('avg')),
        description: 'The averages, nulls left out.',
      },
    }),
  }
  return new GraphQLObjectType<unknown, Context>({
    name: `${typeName}Aggregate`,
    description: `A group of documents of \`${noun}\`.`,
    fields: Object.fromEntries(Object.entries(fields).map(([key, field]) => [key, { ...field, resolve: answer }])),
  })
}

function havingType(parts: Parts): GraphQLInputObjectType {
  const { shared, valueTypes, typeName, groupable, comparable, numeric } = parts
  const filter = (name: 'sum' | 'avg') => (facet: Facet) => shared.filters[resultOf(name, facet)]
  const limit = ({ column }: Facet) => (column ? valueTypes.filter(column) : shared.filters.ID)
  const counts = input(parts, 'AggregateCountsHaving', 'Conditions on counts.', groupable, () => shared.filters.INTEGER)
  const limits = input(parts, 'AggregateValuesHaving', 'Conditions on the least or greatest values.', comparable, limit)
  const keys = input(parts, 'AggregateKeyHaving', 'Conditions on what makes groups.', groupable, limit)
  const having: GraphQLInputObjectType = new GraphQLInputObjectType({
    name: `${typeName}Having`,
    description: 'Which groups: all that is given must hold.',
    fields: () => {
      const list = new GraphQLList(new GraphQLNonNull(having))
      return {
        key: { type: keys, description: 'By what makes them groups: only by what is among `groupBy`.' },
        count: { type: shared.filters.INTEGER, description: 'By how many documents they have.' },
        countDistinct: { type: counts, description: 'By how many different values there are.' },
        min: { type: limits, description: 'By the least values.' },
        max: { type: limits, description: 'By the greatest values.' },
        ...(numeric.length > 0 && {
          sum: {
            type: input(parts, 'AggregateSumsHaving', 'Conditions on sums.', numeric, filter('sum')),
            description: 'By the sums.',
          },
          avg: {
            type: input(parts, 'AggregateAveragesHaving', 'Conditions on averages.', numeric, filter('avg')),
            description: 'By the averages.',
          },
        }),
        and: { type: list, description: 'All of these hold.' },
        or: { type: list, description: 'At least one of these holds.' },
        not: { type: having, description: 'This does not hold.' },
      }
    },
  })
  return having
}

function orderType(parts: Parts): GraphQLInputObjectType {
  const { shared, typeName, groupable, comparable, numeric } = parts
  const order = (suffix: string, facets: readonly Facet[]) =>
    input(parts, suffix, 'An order by one of these.', facets, () => shared.OrderDirection)
  const keys = order('AggregateKeyOrder', groupable)
  const values = order('AggregateValuesOrder', comparable)
  const numbers = order('AggregateNumbersOrder', numeric)
  return new GraphQLInputObjectType({
    name: `${typeName}AggregateOrder`,
    description:
      'An order of groups: one key for each item, 8 items at most. Groups that are equal in all of them follow by their keys.',
    fields: {
      count: { type: shared.OrderDirection, description: 'By how many documents they have.' },
      key: { type: keys, description: 'By what makes them groups.' },
      countDistinct: { type: keys, description: 'By how many different values there are.' },
      min: { type: values, description: 'By the least values.' },
      max: { type: values, description: 'By the greatest values.' },
      ...(numeric.length > 0 && {
        sum: { type: numbers, description: 'By the sums.' },
        avg: { type: numbers, description: 'By the averages.' },
      }),
    },
  })
}

function fieldsOf(facets: readonly Facet[], make: (facet: Facet) => Fields[string]): Fields {
  return Object.fromEntries(facets.map((facet) => [facet.key, make(facet)]))
}

function inputsOf(facets: readonly Facet[], make: (facet: Facet) => Inputs[string]): Inputs {
  return Object.fromEntries(facets.map((facet) => [facet.key, make(facet)]))
}

/** The arguments of `postsAggregate`. */
export function aggregateArgs({ group, having, order }: AggregateTypes, where: GraphQLInputObjectType) {
  return {
    where: { type: where, description: 'Of which documents.' },
    groupBy: {
      type: new GraphQLList(new GraphQLNonNull(group)),
      description: 'What makes groups, 4 keys at most; all documents are one group if left out.',
    },
    having: { type: having, description: 'Which groups.' },
    orderBy: {
      type: new GraphQLList(new GraphQLNonNull(order)),
      description: 'In which order; by what makes the groups if left out.',
    },
    first: { type: GraphQLInt, description: 'How many groups: 25 if left out, 100 at most.' },
    offset: { type: GraphQLInt, description: 'How many to skip, 1,000,000 at most.' },
  }
}
