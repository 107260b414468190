import { Invalid } from '../errors.ts'
import { type Direction, type DirectionName, directions, isDirection } from './directions.ts'
import type { CollectionModel, Column, Neighbour, ProjectModel } from './model.ts'
import { type Measure, measureOf, parseOrigin } from './operators-vector.ts'
import { parseSearch, type Search } from './search.ts'
import { requireLiteral, whenGiven } from './slots.ts'
import type { ColumnType } from './types.ts'
import { isOrderable, parseOperand } from './values.ts'

/** One of the values that a list is ordered by: what it is, and how its cursors name it. */
export type OrderTerm = {
  text: string
  type: ColumnType
  /** Whether there always is one. */
  required: boolean
} & Direction &
  OrderValue

export type OrderValue =
  /** Of the document itself, or of the one that a way of relations leads to. */
  | { kind: 'column'; way: readonly Neighbour[]; column: Column }
  /** How many documents the last neighbour has: of the document, or of the one that a way leads to. */
  | { kind: 'count'; way: readonly Neighbour[]; of: Neighbour }
  | { kind: 'rank'; way: readonly Neighbour[]; column: Column; search: Search }
  | { kind: 'metres'; way: readonly Neighbour[]; column: Column; from: unknown }
  | { kind: 'vector'; way: readonly Neighbour[]; column: Column; from: unknown; measure: Measure }
  | { kind: 'shuffle'; seed: unknown }

type Path = readonly string[]

const greatest = { keys: 8, way: 10 }

/** Reads `orderBy` and `shuffle`. What they give always ends in the id, so that no two documents are at one place. */
export function parseOrder(
  model: ProjectModel,
  collection: CollectionModel,
  { orderBy, shuffle }: Readonly<Record<string, unknown>>,
  path: Path,
): OrderTerm[] {
  const items = orderBy == null ? [] : Array.isArray(orderBy) ? orderBy : [orderBy]
  const at = [...path, 'orderBy']
  if (items.length > greatest.keys) throw new Invalid(`A list is ordered by at most ${greatest.keys} keys.`, at)
  const terms = items.map((item, i) => termOf(model, collection, item, [...at, `${i}`], []))
  const chance = shuffle == null ? [] : [shuffleTerm(shuffle, [...path, 'shuffle'])]
  const id = terms.findIndex(({ text }) => text === 'id')
  if (id >= 0) return terms.slice(0, id + 1)
  return [...terms, ...chance, columnTerm(idOf(collection), [], terms.at(-1)?.descending ? 'DESC' : 'ASC')]
}

/** An order by chance: the same for the same seed, so that pages fit together. */
function shuffleTerm(seed: unknown, path: Path): OrderTerm {
  const read = whenGiven(seed, (given) => {
    if (Number.isInteger(given)) return given
    throw new Invalid('This is not a whole number.', path)
  })
  return { text: 'shuffle', ...directions.ASC, type: 'BIGINT', required: true, kind: 'shuffle', seed: read }
}

function idOf(collection: CollectionModel): Column {
  const column = collection.columns.get('id')
  if (!column) throw new Error('A collection has no id.')
  return column
}

function termOf(
  model: ProjectModel,
  collection: CollectionModel,
  item: unknown,
  path: Path,
  way: readonly Neighbour[],
): OrderTerm {
  const [entry, ...more] = Object.entries(item ?? {})
  if (!entry || more.length > 0) throw new Invalid('Each item names exactly one key.', path)
  const [key, value] = entry
  const at = [...path, key]
  const neighbour = collection.neighbours.get(key)
  const related = neighbour && !neighbour.many && model.collections.get(neighbour.collectionId)
  if (related && typeof value === 'object') {
    if (way.length === greatest.way) throw new Invalid('This order is nested too deeply.', path.slice(0, 3))
    return termOf(model, related, value, at, [...way, neighbour])
  }
  if (neighbour?.many) return countTerm(neighbour, way, value, at)
  const column = collection.columns.get(key)
  if (column && isOrderable(column) && isDirection(value)) return columnTerm(column, way, value)
  if (typeof value === 'object' && value !== null) return computedTerm(collection, way, key, value as Given, at)
  throw new Invalid('Say ASC or DESC.', at)
}

/** How a cursor names what lies at the end of a way. */
function textOf(way: readonly Neighbour[], key: string): string {
  return [...way.map((neighbour) => neighbour.key), key].join('.')
}

function columnTerm(column: Column, way: readonly Neighbour[], direction: DirectionName): OrderTerm {
  return {
    kind: 'column',
    way,
    column,
    text: textOf(way, column.key),
    ...directions[direction],
    type: column.type,
    required: way.length === 0 && column.required,
  }
}

function countTerm(of: Neighbour, way: readonly Neighbour[], value: unknown, at: Path): OrderTerm {
  const [[name, direction] = ['', null], ...more] = Object.entries(value ?? {})
  if (name !== 'count' || more.length > 0 || !isDirection(direction))
    throw new Invalid('Say ASC or DESC of `count`.', at)
  const text = textOf([...way, of], name)
  return { kind: 'count', way, of, text, ...directions[direction], type: 'INTEGER', required: way.length === 0 }
}

/** What an order by the rank of a search is called, beside the attribute whose words it is about. */
export const rankSuffix = 'Rank'

type Given = Readonly<Record<string, unknown>>

/** By something that is computed of the document's value and of one that is given. */
function computedTerm(
  collection: CollectionModel,
  way: readonly Neighbour[],
  key: string,
  given: Given,
  at: Path,
): OrderTerm {
  const isOwn = way.length === 0
  const term = (column: Column, first: 'ASC' | 'DESC') => {
    const direction = directions[isDirection(given.direction) ? given.direction : first]
    const required = isOwn && column.required
    return { text: textOf(way, key), ...direction, type: 'FLOAT', required, way, column } as const
  }
  const column = collection.columns.get(key)
  const ranked = key.endsWith(rankSuffix) ? collection.columns.get(key.slice(0, -rankSuffix.length)) : undefined
  if (column?.type === 'POINT') {
    return { ...term(column, 'ASC'), kind: 'metres', from: parseOperand(column, given.near, [...at, 'near']) }
  }
  if (column?.type === 'VECTOR') {
    const from = parseOrigin(column, given.near, [...at, 'near'])
    return { ...term(column, 'ASC'), kind: 'vector', from, measure: measureOf(given.measure) }
  }
  if (!column && ranked?.language && requireLiteral(given.search) !== null) {
    const search = parseSearch(ranked, given.search, given.language, at, 'search')
    return { ...term(ranked, 'DESC'), kind: 'rank', search, required: isOwn }
  }
  throw new Invalid('There is nothing of this name to order by.', at)
}
