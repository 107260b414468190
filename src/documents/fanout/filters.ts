import type { Logged } from '../change.ts'
import type { Column } from '../model.ts'
import { operatorsOf } from '../operators.ts'
import type { ColumnType } from '../types.ts'
import type { Value } from '../value.ts'
import type { Condition } from '../where.ts'

/** Finds the filters that a change may concern: all that match it, and few others. */
export type Filters<T> = {
  add: (condition: Condition | null, filter: T) => void
  remove: (condition: Condition | null, filter: T) => void
  /** By the row before and the row after. */
  find: (logged: Logged) => Iterable<T>
}

/** The values of a column one of which a row must have for the filter to match it. */
type Term = { column: Column; values: readonly Value[] }

/** Of these, values are equal where they are the same text, number or truth value. */
const exact: ReadonlySet<ColumnType> = new Set([
  'ID',
  'STRING',
  'TEXT',
  'EMAIL',
  'URL',
  'ENUM',
  'INTEGER',
  'BOOLEAN',
  'UUID',
])

/** Filters that ask a column to equal something are found by its value; the rest is tried one by one. */
export function createFilters<T>(): Filters<T> {
  const byColumn = new Map<string, Map<Value, Set<T>>>()
  const others = new Set<T>()

  const places = (condition: Condition | null): { in: Map<Value, Set<T>>; value: Value }[] | null => {
    const term = condition && termOf(condition)
    if (!term) return null
    const values = byColumn.get(term.column.name) ?? new Map<Value, Set<T>>()
    byColumn.set(term.column.name, values)
    return term.values.map((value) => ({ in: values, value }))
  }
  const add = (condition: Condition | null, filter: T) => {
    const found = places(condition)
    if (!found) others.add(filter)
    for (const place of found ?? []) place.in.set(place.value, (place.in.get(place.value) ?? new Set()).add(filter))
  }
  const remove = (condition: Condition | null, filter: T) => {
    others.delete(filter)
    for (const { in: values, value } of places(condition) ?? []) {
      values.get(value)?.delete(filter)
      if (values.get(value)?.size === 0) values.delete(value)
    }
  }
  const find = ({ before, after }: Logged) => {
    if (byColumn.size === 0) return others
    const found = new Set(others)
    for (const [name, values] of byColumn)
      for (const image of [before, after])
        for (const filter of (image && values.get(image[name] ?? null)) ?? []) found.add(filter)
    return found
  }
  return { add, remove, find }
}

/** The narrowest that can be told of a filter: of several that must hold, one is enough. */
function termOf(condition: Condition): Term | null {
  if (condition.kind === 'compare') return termOfComparison(condition)
  if (condition.kind !== 'all') return null
  const terms = condition.of.flatMap((one) => termOf(one) ?? [])
  return terms.reduce<Term | null>((best, one) => (best && best.values.length <= one.values.length ? best : one), null)
}

function termOfComparison({ column, operator, value }: Extract<Condition, { kind: 'compare' }>): Term | null {
  if (column.list || !exact.has(column.type)) return null
  const { eq, in: among } = operatorsOf(column)
  if (operator === eq) return { column, values: [value as Value] }
  return operator === among && Array.isArray(value) ? { column, values: value } : null
}
