import type { FieldNode } from 'graphql'
import { Invalid } from '../errors.ts'
import { type Direction, type DirectionName, directions } from './directions.ts'
import type { CollectionModel, Column, Neighbour, ProjectModel } from './model.ts'
import type { Operator, Typed } from './operator.ts'
import { operatorsOf } from './operators.ts'
import { limitOf, offsetOf } from './page.ts'
import { type Info, type Source, selectedFields } from './selection.ts'
import type { ColumnType } from './types.ts'
import {
  type Condition,
  conjunction,
  countPart,
  createCount,
  given,
  type Logic,
  parseLogic,
  parseWhere,
} from './where.ts'

/** What documents are put into groups by, counted or computed of: a value, or which document a relation points at. */
export type Facet = { key: string; type: ColumnType } & (
  | { kind: 'column'; column: Column }
  | { kind: 'relation'; neighbour: Neighbour }
)

export type Period = 'VALUE' | 'DAY' | 'WEEK' | 'MONTH' | 'YEAR'
export type Group = { facet: Facet; each: Period }

export const functions = ['countDistinct', 'sum', 'avg', 'min', 'max'] as const
type FunctionName = (typeof functions)[number]

/** Something that is computed of a group. */
export type Measured = { type: ColumnType } & (
  | { of: 'count' }
  | { of: 'key'; place: number }
  | { of: FunctionName; facet: Facet }
)

export type AggregateField = { key: string } & (
  | { kind: 'typename'; name: string }
  | { kind: 'null' }
  | { kind: 'value'; measured: Measured }
  | { kind: 'object'; fields: readonly AggregateField[] }
)

/** Which groups. It is two-valued, as a filter of documents is. */
export type Having = Logic<{ kind: 'compare'; measured: Measured; operator: Operator; value: unknown }>

export type AggregatePlan = {
  collectionId: string
  where: Condition | null
  groups: readonly Group[]
  having: Having | null
  order: readonly ({ measured: Measured } & Direction)[]
  limit: number
  offset: unknown
  fields: readonly AggregateField[]
}

type Args = Readonly<Record<string, unknown>>
type Path = readonly string[]

const greatest = { groups: 4, keys: 8 }
const numbers: readonly ColumnType[] = ['INTEGER', 'BIGINT', 'FLOAT', 'DECIMAL']
const uncomparable: readonly ColumnType[] = ['BOOLEAN', 'UUID', 'ENUM', 'JSON', 'POINT', 'LINE', 'POLYGON', 'VECTOR']
const ungroupable: readonly ColumnType[] = ['JSON', 'POINT', 'LINE', 'POLYGON', 'VECTOR']

const isPlain = ({ key, list, encrypted }: Column) => !list && !encrypted && key !== 'version'

/** What values of a column can be put into: groups; the least and the greatest of them; sums. */
export const isGroupable = (column: Column) => isPlain(column) && !ungroupable.includes(column.type)
export const isComparable = (column: Column) => isPlain(column) && !uncomparable.includes(column.type)
export const isNumber = (column: Column) => isPlain(column) && numbers.includes(column.type)

/** The type of what a function gives. Sums of 64-bit numbers may be greater than those. */
export function resultType(name: FunctionName, type: ColumnType): ColumnType {
  const isSmall = type === 'INTEGER' || type === 'FLOAT'
  if (name === 'countDistinct') return 'INTEGER'
  if (name === 'sum') return type === 'INTEGER' ? 'BIGINT' : type === 'FLOAT' ? 'FLOAT' : 'DECIMAL'
  if (name === 'avg') return isSmall ? 'FLOAT' : 'DECIMAL'
  return type
}

export type AggregateRoot = { kind: 'aggregate'; aggregate: AggregatePlan }

/** The plan of a root field that answers groups of documents. */
export function planAggregate(info: Info, model: ProjectModel, collection: CollectionModel, args: Args): AggregateRoot {
  const groups = groupsOf(collection, args.groupBy)
  const plan: AggregatePlan = {
    collectionId: collection.id,
    where: args.where == null ? null : parseWhere(model, collection, args.where, ['where']),
    groups,
    having: args.having == null ? null : havingOf(collection, groups, args.having),
    order: orderOf(collection, groups, args.orderBy),
    limit: limitOf(args.first, ['first']) ?? 25,
    offset: offsetOf(args.offset, ['offset']),
    fields: fieldsOf(info, info.fieldNodes, collection, groups),
  }
  return { kind: 'aggregate', aggregate: plan }
}

function facetOf(collection: CollectionModel, key: string, path: Path): Facet {
  const column = collection.columns.get(key)
  if (column && isPlain(column)) return { key, type: column.type, kind: 'column', column }
  const neighbour = collection.neighbours.get(key)
  if (neighbour?.join.kind === 'to') return { key, type: 'ID', kind: 'relation', neighbour }
  throw new Invalid('There is nothing of this name to compute by.', path)
}

function only(item: unknown, path: Path): [string, unknown] {
  const [entry, ...more] = Object.entries(item ?? {})
  if (!entry || more.length > 0) throw new Invalid('Each item names exactly one key.', path)
  if (entry[1] === null) throw new Invalid('This must not be null.', [...path, entry[0]])
  return entry
}

/** What is computed, as it is compared. */
export function typedOf(measured: Measured, groups: readonly Group[]): Typed {
  const facet = measured.of === 'key' ? groups[measured.place]?.facet : measured.of === 'count' ? null : measured.facet
  const language = facet?.kind === 'column' ? facet.column.language : null
  return { type: measured.type, list: false, language }
}

const listOf = (input: unknown): readonly unknown[] => (input == null ? [] : Array.isArray(input) ? input : [input])

function groupsOf(collection: CollectionModel, input: unknown): Group[] {
  const items = listOf(input)
  if (items.length > greatest.groups) throw new Invalid(`There are at most ${greatest.groups} keys.`, ['groupBy'])
  const groups = items.map((item, i) => {
    const path = ['groupBy', `${i}`]
    const [key, each] = only(item, path)
    return { facet: facetOf(collection, key, [...path, key]), each: each as Period }
  })
  const twice = groups.findIndex(({ facet }, i) => groups.findIndex((one) => one.facet.key === facet.key) < i)
  if (twice >= 0) throw new Invalid('Each key stands once.', ['groupBy', `${twice}`])
  return groups
}

function measuredOf(collection: CollectionModel, name: FunctionName, key: string, path: Path): Measured {
  const facet = facetOf(collection, key, path)
  return { of: name, facet, type: resultType(name, facet.type) }
}

function keyOf(groups: readonly Group[], key: string, path: Path): Measured {
  const place = groups.findIndex(({ facet }) => facet.key === key)
  const group = groups[place]
  if (!group) throw new Invalid('This is not among the keys of the groups.', path)
  return { of: 'key', place, type: group.facet.type }
}

const count: Measured = { of: 'count', type: 'INTEGER' }

function havingOf(collection: CollectionModel, groups: readonly Group[], input: unknown): Having {
  const left = createCount()
  const conditions = (filter: unknown, measured: Measured, path: Path): Having => {
    const typed = typedOf(measured, groups)
    const operators = operatorsOf(typed)
    return conjunction(
      Object.entries(given(filter, path)).map(([name, value]): Having => {
        const at = [...path, name]
        countPart(left, at)
        const operator = Object.hasOwn(operators, name) ? operators[name] : undefined
        if (!operator) throw new Invalid('There is nothing of this name to filter by.', at)
        if (value === null) throw new Invalid('This must not be null: `isNull` asks for it.', at)
        return { kind: 'compare', measured, operator, value: operator.parse(typed, value, at) }
      }),
    )
  }
  return parseLogic(input, ['having'], left, (name, inner, path) => {
    if (name === 'count') return conditions(inner, count, path)
    return conjunction(
      Object.entries(given(inner, path)).map(([key, filter]) => {
        const at = [...path, key]
        const measured = name === 'key' ? keyOf(groups, key, at) : measuredOf(collection, name as FunctionName, key, at)
        return conditions(filter, measured, at)
      }),
    )
  })
}

function orderOf(collection: CollectionModel, groups: readonly Group[], input: unknown): AggregatePlan['order'] {
  const items = listOf(input)
  if (items.length > greatest.keys) throw new Invalid(`There are at most ${greatest.keys} keys.`, ['orderBy'])
  const terms = items.map((item, i) => {
    const path = ['orderBy', `${i}`]
    const [name, inner] = only(item, path)
    if (name === 'count') return { measured: count, ...directions[inner as DirectionName] }
    const [key, direction] = only(inner, [...path, name])
    const at = [...path, name, key]
    const measured = name === 'key' ? keyOf(groups, key, at) : measuredOf(collection, name as FunctionName, key, at)
    return { measured, ...directions[direction as DirectionName] }
  })
  const keys = groups.map(({ facet }, place) => ({
    measured: { of: 'key', place, type: facet.type } as const,
    ...directions.ASC,
  }))
  return [...terms, ...keys]
}

/** What is asked of all documents of a list, as one group. */
export function totalsOf(source: Source, nodes: readonly FieldNode[], collection: CollectionModel): AggregateField[] {
  return fieldsOf(source, nodes, collection, [])
}

function fieldsOf(
  source: Source,
  asked: readonly FieldNode[],
  collection: CollectionModel,
  groups: readonly Group[],
): AggregateField[] {
  return [...selectedFields(source, asked, `${collection.typeName}Aggregate`)].map(([key, nodes]) => {
    const name = nodes[0]?.name.value ?? ''
    if (name === '__typename') return { key, kind: 'typename', name: `${collection.typeName}Aggregate` }
    if (name === 'count') return { key, kind: 'value', measured: count }
    const typeName = `${collection.typeName}${innerTypes[name as keyof typeof innerTypes]}`
    const fields = [...selectedFields(source, nodes, typeName)].map(([below, [node]]): AggregateField => {
      const field = node?.name.value ?? ''
      if (field === '__typename') return { key: below, kind: 'typename', name: typeName }
      if (name !== 'key')
        return {
          key: below,
          kind: 'value',
          measured: measuredOf(collection, name as FunctionName, field, [key, below]),
        }
      const isKey = groups.some(({ facet }) => facet.key === field)
      return isKey ? { key: below, kind: 'value', measured: keyOf(groups, field, []) } : { key: below, kind: 'null' }
    })
    return { key, kind: 'object', fields }
  })
}

/** The types of an aggregate's parts, after the name of its collection's type. */
export const innerTypes = {
  key: 'AggregateKey',
  countDistinct: 'AggregateCounts',
  sum: 'AggregateSums',
  avg: 'AggregateAverages',
  min: 'AggregateValues',
  max: 'AggregateValues',
} as const
