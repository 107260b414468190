import { Invalid } from '../errors.ts'
import type { CollectionModel, Column, Neighbour, ProjectModel } from './model.ts'
import { parseOperand, parseOperands } from './values.ts'

export type Operator =
  | 'eq'
  | 'ne'
  | 'in'
  | 'notIn'
  | 'gt'
  | 'gte'
  | 'lt'
  | 'lte'
  | 'isNull'
  | 'contains'
  | 'startsWith'
  | 'endsWith'

/**
 * A filter, checked. It is two-valued: a null satisfies no comparison but `ne`, `notIn` and `isNull: true`, and `not`
 * is true wherever its inside is not. `whereSql` and `matches` are its two readings, and a property test holds them equal.
 */
export type Condition =
  | { kind: 'all' | 'some'; of: readonly Condition[] }
  | { kind: 'not'; of: Condition }
  | { kind: 'compare'; column: Column; operator: Operator; value: unknown }
  | { kind: 'related'; neighbour: Neighbour; of: Condition }

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
  const count = { left: greatest.parts }
  return all(model, collection, input, path, count)
}

type Count = { left: number }

function all(
  model: ProjectModel,
  collection: CollectionModel,
  input: unknown,
  path: readonly string[],
  count: Count,
): Condition {
  countPart(count, path)
  if (path.length > greatest.path) throw new Invalid('This filter is nested too deeply.', path.slice(0, 3))
  const entries = Object.entries(given(input, path))
  return conjunction(entries.map(([key, value]) => one(model, collection, key, value, [...path, key], count)))
}

function one(
  model: ProjectModel,
  collection: CollectionModel,
  key: string,
  input: unknown,
  path: readonly string[],
  count: Count,
): Condition {
  if (key === 'and')
    return conjunction(each(input).map((item, i) => all(model, collection, item, [...path, `${i}`], count)))
  if (key === 'or')
    return { kind: 'some', of: each(input).map((item, i) => all(model, collection, item, [...path, `${i}`], count)) }
  if (key === 'not') return { kind: 'not', of: all(model, collection, input, path, count) }
  const neighbour = collection.neighbours.get(key)
  const related = neighbour && model.collections.get(neighbour.collectionId)
  if (neighbour && related && !neighbour.many)
    return { kind: 'related', neighbour, of: all(model, related, input, path, count) }
  const column = collection.columns.get(key)
  if (!column) throw new Invalid('There is nothing of this name to filter by.', path)
  return conjunction(
    Object.entries(given(input, path)).map(([name, value]) =>
      compare(column, name as Operator, value, [...path, name], count),
    ),
  )
}

/** What an operand may be instead of a value, by the text that stands for it. */
type Stands = ReadonlyMap<unknown, unknown>

function compare(
  column: Column,
  operator: Operator,
  value: unknown,
  path: readonly string[],
  count: Count,
  stands: Stands = new Map(),
): Condition {
  countPart(count, path)
  if (value === null) throw new Invalid('This must not be null: `isNull` asks for it.', path)
  if (operator === 'isNull') return { kind: 'compare', column, operator, value: value === true }
  if (stands.has(value)) return { kind: 'compare', column, operator, value: stands.get(value) }
  const isList = operator === 'in' || operator === 'notIn'
  const operand = isList ? parseOperands(column, value, path) : parseOperand(column, value, path)
  return { kind: 'compare', column, operator, value: operand }
}

function countPart(count: Count, path: readonly string[]): void {
  count.left -= 1
  if (count.left < 0) throw new Invalid(`A filter has at most ${greatest.parts} parts.`, path.slice(0, 3))
}

function conjunction(of: readonly Condition[]): Condition {
  const [only] = of
  return of.length === 1 && only ? only : { kind: 'all', of }
}

function each(input: unknown): readonly unknown[] {
  return Array.isArray(input) ? input : [input]
}

/** A null would silently stand for no filter at all. */
function given(input: unknown, path: readonly string[]): Input {
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
  const count = { left: greatest.parts }
  const own = (given_: unknown, at: readonly string[]): Condition => {
    countPart(count, at)
    if (at.length > greatest.path) throw new Invalid('This filter is nested too deeply.', at.slice(0, 3))
    return conjunction(
      Object.entries(given(given_, at)).map(([key, value]) => {
        const below = [...at, key]
        if (key === 'and') return conjunction(each(value).map((item, i) => own(item, [...below, `${i}`])))
        if (key === 'or') return { kind: 'some', of: each(value).map((item, i) => own(item, [...below, `${i}`])) }
        if (key === 'not') return { kind: 'not', of: own(value, below) }
        const column = columns.get(key)
        if (!column) throw new Invalid('There is nothing of this name to filter by.', below)
        return conjunction(
          Object.entries(given(value, below)).map(([name, operand]) =>
            compare(column, name as Operator, operand, [...below, name], count, stands),
          ),
        )
      }),
    )
  }
  return own(input, path)
}

/** Whether a filter looks at other documents than the one that it filters. */
export function hasRelated(condition: Condition): boolean {
  if (condition.kind === 'related') return true
  if (condition.kind === 'compare') return false
  return condition.kind === 'not' ? hasRelated(condition.of) : condition.of.some(hasRelated)
}
