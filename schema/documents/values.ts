import {
  GraphQLEnumType,
  type GraphQLInputObjectType,
  GraphQLList,
  GraphQLNonNull,
  type GraphQLScalarType,
} from 'graphql'
import type { CollectionModel, Column } from '../../src/documents/model.ts'
import type { ColumnType } from '../../src/documents/types.ts'
import { enumFilters } from './filters.ts'
import type { SharedTypes } from './shared.ts'

/** The types of the values of one collection: those that all share, and its own enums. */
export type ColumnTypes = {
  /** As documents answer it. */
  output: (column: Column) => ValueType
  /** As documents are given it. */
  input: (column: Column) => ValueType
  filter: (column: Column) => GraphQLInputObjectType
  enumOf: (column: Column) => GraphQLEnumType
}

type Item = GraphQLScalarType | GraphQLEnumType
type ValueType = Item | GraphQLList<GraphQLNonNull<Item>>

export function createColumnTypes(shared: SharedTypes, collection: CollectionModel): ColumnTypes {
  const enums = new Map<string, OwnEnum>()
  const enumOf = (column: Column) => {
    const made = enums.get(column.key) ?? makeEnum(shared, collection, column)
    enums.set(column.key, made)
    return made
  }
  const item = (column: Column): Item => (column.type === 'ENUM' ? enumOf(column).type : shared.values[column.type])
  const valueType = (column: Column) => (column.list ? new GraphQLList(new GraphQLNonNull(item(column))) : item(column))
  return {
    output: valueType,
    input: valueType,
    enumOf: (column) => enumOf(column).type,
    filter: (column) => {
      const { type, list } = column
      const own = type === 'ENUM' ? enumOf(column) : null
      const found = list ? (own?.listFilter ?? shared.listFilters[type]) : (own?.filter ?? filterOf(shared, type))
      if (!found) throw new Error(`Lists of ${type} have no filter.`)
      return found
    },
  }
}

function filterOf({ filters }: SharedTypes, type: ColumnType): GraphQLInputObjectType | undefined {
  return type === 'ENUM' ? undefined : filters[type]
}

type OwnEnum = { type: GraphQLEnumType } & ReturnType<typeof enumFilters>

function makeEnum(shared: SharedTypes, collection: CollectionModel, { key, elements }: Column): OwnEnum {
  const name = `${collection.typeName}${key.charAt(0).toUpperCase()}${key.slice(1)}`
  const type = new GraphQLEnumType({
    name,
    description: `What \`${key}\` of a document of \`${collection.key}\` can be.`,
    values: Object.fromEntries(elements.map((element) => [element, { description: `\`${element}\`.` }])),
  })
  return { type, ...enumFilters(type, shared) }
}

const nouns: Record<ColumnType, string> = {
  ID: 'An id',
  STRING: 'A text',
  TEXT: 'A text',
  INTEGER: 'A whole number',
  BIGINT: 'A whole number of 64 bits',
  FLOAT: 'A number',
  DECIMAL: 'An exact decimal number',
  BOOLEAN: 'True or false',
  DATETIME: 'A moment',
  DATE: 'A day',
  EMAIL: 'An email address',
  URL: 'A web address',
  IP: 'An address of the internet',
  UUID: 'A UUID',
  ENUM: 'One of its values',
  JSON: 'JSON',
  POINT: 'A place',
  LINE: 'A way',
  POLYGON: 'An area',
  VECTOR: 'A vector',
}

/** `toLocaleString` looks up the language each time: 0.01 ms for each attribute of a schema. */
const counts = new Intl.NumberFormat('en-US')

/** What those who define it say it is for comes first, in a paragraph of its own. */
export function described({ description }: { description: string | null }, generated: string): string {
  return description === null ? generated : `${description}\n\n${generated}`
}

/** What an attribute is for, and what it holds, in a sentence or two. */
export function describe(column: Column): string {
  const { type, list, size, dimensions, min, max, default: value } = column
  const noun = list ? `A list: each ${nouns[type].charAt(0).toLowerCase()}${nouns[type].slice(1)}` : nouns[type]
  const bounds = [
    ...(size === null ? [] : [`of at most ${counts.format(size)} characters`]),
    ...(dimensions === null ? [] : [`of ${counts.format(dimensions)} numbers`]),
    ...(min === null ? [] : [`from ${String(min)}`]),
    ...(max === null ? [] : [`to ${String(max)}`]),
  ]
  const initial = value === undefined ? '' : ` ${JSON.stringify(value)} for a new one, if left out.`
  const traits = [
    ...(column.pattern === null ? [] : [` Matches \`${column.pattern}\`.`]),
    ...(column.unique ? [' No two documents have the same.'] : []),
    ...(column.encrypted ? [' Kept encrypted: nothing is found or ordered by it.'] : []),
    ...(column.computed ? [' Computed: it cannot be set.'] : []),
  ]
  return described(column, `${[noun, ...bounds].join(' ')}.${traits.join('')}${initial}`)
}
