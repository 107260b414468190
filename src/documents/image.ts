import type { CollectionModel } from './model.ts'
import { compareValues } from './values.ts'
import type { Condition, Operator } from './where.ts'

/** A row as it is logged: every column by its name, role lists too, values as the API answers them. */
export type Image = Readonly<Record<string, unknown>> & {
  readonly _id: string
  readonly _read: readonly string[]
  readonly _update: readonly string[]
  readonly _delete: readonly string[]
}

/** Every column that is logged, in the order of the image, and whether it holds a moment. */
export function imageColumns(collection: CollectionModel): { name: string; isMoment: boolean }[] {
  return [
    ...[...collection.columns.values()].map(({ name, type }) => ({ name, isMoment: type === 'DATETIME' })),
    ...[...collection.relations.keys(), '_read', '_update', '_delete'].map((name) => ({ name, isMoment: false })),
  ]
}

/** `whereSql` over a logged row. It knows nothing of other rows: conditions on them are refused before. */
export function matches(condition: Condition, image: Image): boolean {
  switch (condition.kind) {
    case 'all':
      return condition.of.every((one) => matches(one, image))
    case 'some':
      return condition.of.some((one) => matches(one, image))
    case 'not':
      return !matches(condition.of, image)
    case 'compare':
      return compare(condition.operator, image[condition.column.name] ?? null, condition.value)
    case 'related':
      throw new Error('A logged row does not hold its related rows.')
  }
}

function compare(operator: Operator, value: unknown, wanted: unknown): boolean {
  if (operator === 'isNull') return (value === null) === wanted
  if (operator === 'ne') return value !== wanted
  if (operator === 'notIn') return !isOneOf(wanted, value)
  if (value === null) return false
  return comparisons[operator](value, wanted)
}

type Comparison = (value: unknown, wanted: unknown) => boolean

const comparisons: Record<Exclude<Operator, 'isNull' | 'ne' | 'notIn'>, Comparison> = {
  eq: (value, wanted) => value === wanted,
  in: (value, wanted) => isOneOf(wanted, value),
  gt: (value, wanted) => compareValues(value, wanted) > 0,
  gte: (value, wanted) => compareValues(value, wanted) >= 0,
  lt: (value, wanted) => compareValues(value, wanted) < 0,
  lte: (value, wanted) => compareValues(value, wanted) <= 0,
  contains: (value, wanted) => String(value).includes(String(wanted)),
  startsWith: (value, wanted) => String(value).startsWith(String(wanted)),
  endsWith: (value, wanted) => String(value).endsWith(String(wanted)),
}

function isOneOf(list: unknown, value: unknown): boolean {
  return Array.isArray(list) && list.includes(value)
}
