import { Invalid } from '../errors.ts'
import type { CollectionModel, Column, Neighbour, ProjectModel } from './model.ts'
import type { Operator } from './operator.ts'
import { operatorsOf } from './operators.ts'
import { parseSteps } from './operators-json.ts'

/**
 * A filter, checked. It is two-valued: a null satisfies no comparison but `ne`, `notIn` and `isNull: true`, and `not`
 * is true wherever its inside is not. `whereSql` and `matches` are its two readings, and a property test holds them equal.
 */
export type Condition = Logic<
  | { kind: 'compare'; column: Column; operator: Operator; value: unknown }
  | { kind: 'related'; neighbour: Neighbour; quantifier: Quantifier; of: Condition }
>

/** What `and`, `or` and `not` make of conditions. */
export type Logic<Leaf> = Leaf | { kind: 'all' | 'some'; of: readonly Logic<Leaf>[] } | { kind: 'not'; of: Logic<Leaf> }

/** The columns that a condition looks at, in the rows themselves. */
export function columnsIn(condition: Condition): readonly Column[] {
  if (condition.kind === 'compare') return [condition.column]
  if (condition.kind === 'not') return columnsIn(condition.of)
  return condition.kind === 'related' ? [] : condition.of.flatMap(columnsIn)
}

/** Of how many related documents a condition holds: of the readable ones. That of a relation to one is `some`. */
export type Quantifier = 'some' | 'every' | 'none' | Counted

/** How many there are. */
export type Counted = readonly { operator: Operator; value: unknown }[]

type Input = Readonly<Record<string, unknown>>

/** What one filter may hold, over all its levels. */
const greatest = { path: 40, parts: 200 }

/** Reads a `where` argument. Throws Invalid with the path of what is wrong in it. */
export function parseWhere(
  model: ProjectModel,
  collection: CollectionModel,
  input: unknown,
  path: readonly string[],
): Condition {
  return all(model, collection, input, path, createCount())
}

/**
 * The same of what is to be changed or deleted. There, a condition that says nothing is refused: of `{ id: { in: $ids } }` without its
 * variable `{ id: {} }` is left, which all match.
 */
export function parseWhereOfChange(
  model: ProjectModel,
  collection: CollectionModel,
  input: unknown,
  path: readonly string[],
): Condition {
  return all(model, collection, input, path, { ...createCount(), isOfChange: true })
}

/** How many parts a filter may still have. */
export type Count = { left: number; isOfChange?: true }

export function createCount(): Count {
  return { left: greatest.parts }
}

/** Reads `and`, `or` and `not`; `leaf` what else stands beside them. All of it must hold. */
export function parseLogic<Leaf>(
  input: unknown,
  path: readonly string[],
  count: Count,
  leaf: (key: string, value: unknown, path: readonly string[]) => Logic<Leaf>,
): Logic<Leaf> {
  const inside = (one: unknown, at: readonly string[]) => {
    requireCondition(given(one, at), at, count)
    return parseLogic(one, at, count, leaf)
  }
  countPart(count, path)
  if (path.length > greatest.path) throw new Invalid('This filter is nested too deeply.', path.slice(0, 3))
  return conjunction(
    Object.entries(given(input, path)).map(([key, value]): Logic<Leaf> => {
      const below = [...path, key]
      if (key === 'and') {
        requireCondition(each(value), below, count)
        return conjunction(each(value).map((item, i) => inside(item, [...below, `${i}`])))
      }
      if (key === 'or') return { kind: 'some', of: each(value).map((item, i) => inside(item, [...below, `${i}`])) }
      return key === 'not' ? { kind: 'not', of: inside(value, below) } : leaf(key, value, below)
    }),
  )
}

function all(
  model: ProjectModel,
  collection: CollectionModel,
  input: unknown,
  path: readonly string[],
  count: Count,
): Condition {
  return parseLogic(input, path, count, (key, value, at) => one(model, collection, key, value, at, count))
}

function one(
  model: ProjectModel,
  collection: CollectionModel,
  key: string,
  input: unknown,
  path: readonly string[],
  count: Count,
): Condition {
  const neighbour = collection.neighbours.get(key)
  const related = neighbour && model.collections.get(neighbour.collectionId)
  if (neighbour && related) {
    const about = (inner: unknown, quantifier: Quantifier, at: readonly string[]): Condition => {
      return { kind: 'related', neighbour, quantifier, of: all(model, related, inner, at, count) }
    }
    if (!neighbour.many) return about(input, 'some', path)
    requireCondition(given(input, path), path, count)
    const { count: number, of, ...parts } = given(input, path)
    if (of !== undefined && number === undefined)
      throw new Invalid('This says what `count` counts, which is not there.', [...path, 'of'])
    const counted = number === undefined ? [] : countsOf(number, [...path, 'count'], count)
    return conjunction([
      ...Object.entries(parts).map(([name, inner]) => {
        const at = [...path, name]
        // All of them are such as nothing is asked of.
        if (name === 'every') requireCondition(given(inner, at), at, count)
        return about(inner, quantifierOf(name, path), at)
      }),
      ...(counted.length > 0 ? [about(of === undefined ? {} : of, counted, [...path, 'of'])] : []),
    ])
  }
  return comparisons(collection.columns.get(key), input, path, count)
}

function quantifierOf(name: string, path: readonly string[]): Quantifier {
  if (name === 'some' || name === 'every' || name === 'none') return name
  throw new Invalid('There is nothing of this name to filter by.', [...path, name])
}

/** A count, as it is compared. */
export const number = { type: 'INTEGER', list: false } as const

function countsOf(input: unknown, path: readonly string[], count: Count): Counted {
  requireCondition(given(input, path), path, count)
  return Object.entries(given(input, path)).map(([name, value]) => {
    const at = [...path, name]
    countPart(count, at)
    const operators = operatorsOf(number)
    const operator = Object.hasOwn(operators, name) ? operators[name] : undefined
    if (!operator) throw new Invalid('There is nothing of this name to filter by.', at)
    if (value === null) throw new Invalid('This must not be null.', at)
    return { operator, value: operator.parse(number, value, at) }
  })
}

/** All that is asked of one column. The steps into a JSON value are no condition: they say of what the others are. */
function comparisons(
  column: Column | undefined,
  input: unknown,
  path: readonly string[],
  count: Count,
  stands?: Stands,
): Condition {
  if (!column || column.encrypted) throw new Invalid('There is nothing of this name to filter by.', path)
  const { path: inside, ...json } = given(input, path)
  if (column.type !== 'JSON') {
    const parts = given(input, path)
    requireCondition(parts, path, count)
    return conjunction(
      Object.entries(parts).map(([name, value]) => compare(column, name, value, [...path, name], count, stands)),
    )
  }
  if (inside === null) throw new Invalid('This must not be null: leave it out instead.', [...path, 'path'])
  const steps = parseSteps(inside, [...path, 'path'])
  requireCondition(json, inside === undefined ? path : [...path, 'path'], count)
  const at = (condition: Condition) =>
    condition.kind === 'compare' ? { ...condition, value: { steps, value: condition.value } } : condition
  return conjunction(
    Object.entries(json).map(([name, value]) => at(compare(column, name, value, [...path, name], count, stands))),
  )
}

/** What an operand may be instead of a value, by the text that stands for it. */
type Stands = ReadonlyMap<unknown, unknown>

function compare(
  column: Column,
  name: string,
  value: unknown,
  path: readonly string[],
  count: Count,
  stands?: Stands,
): Condition {
  countPart(count, path)
  const operators = operatorsOf(column)
  const operator = Object.hasOwn(operators, name) ? operators[name] : undefined
  if (!operator || (stands && !operator.matches)) throw new Invalid('There is nothing of this name to filter by.', path)
  if (value === null) throw new Invalid('This must not be null: `isNull` asks for it.', path)
  if (stands?.has(value)) return { kind: 'compare', column, operator, value: stands.get(value) }
  return { kind: 'compare', column, operator, value: operator.parse(column, value, path) }
}

function requireCondition(parts: object, path: readonly string[], { isOfChange }: Count): void {
  if (isOfChange && Object.keys(parts).length === 0) throw saysNothing(path)
}

export function saysNothing(path: readonly string[]): Invalid {
  return new Invalid('This says nothing: say what of it, or leave it out.', path)
}

/** Throws where there are too many. */
export function countPart(count: Count, path: readonly string[]): void {
  count.left -= 1
  if (count.left < 0) throw new Invalid(`A filter has at most ${greatest.parts} parts.`, path.slice(0, 3))
}

export function conjunction<Leaf>(of: readonly Logic<Leaf>[]): Logic<Leaf> {
  const [only] = of
  return of.length === 1 && only ? only : { kind: 'all', of }
}

function each(input: unknown): readonly unknown[] {
  return Array.isArray(input) ? input : [input]
}

/** A null would silently stand for no filter at all. */
export function given(input: unknown, path: readonly string[]): Input {
  if (typeof input === 'object' && input !== null) return input as Input
  throw new Invalid('This must not be null: leave it out instead.', path)
}

/** Reads a filter that looks at the columns of one document alone. */
export function parseOwnWhere(
  columns: ReadonlyMap<string, Column>,
  input: unknown,
  path: readonly string[],
  stands: Stands,
): Condition {
  const count = createCount()
  return parseLogic(input, path, count, (key, value, at) => comparisons(columns.get(key), value, at, count, stands))
}

/** Whether a filter can be told of a document's logged row alone, without asking PostgreSQL. */
export function isLive(condition: Condition): boolean {
  if (condition.kind === 'related') return false
  if (condition.kind === 'compare') return condition.operator.matches !== undefined
  return condition.kind === 'not' ? isLive(condition.of) : condition.of.every(isLive)
}

/** Whether a filter looks at other documents than the one that it filters. */
export function hasRelated(condition: Condition): boolean {
  if (condition.kind === 'related') return true
  if (condition.kind === 'compare') return false
  return condition.kind === 'not' ? hasRelated(condition.of) : condition.of.some(hasRelated)
}
