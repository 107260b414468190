import type { CollectionModel, Column } from './model.ts'
import { type Given, isDeferred } from './slots.ts'
import type { Value } from './value.ts'
import type { Condition } from './where.ts'

/** A row as it is logged: every column by its name, role lists too, values as the API answers them. */
export type Image = Readonly<Record<string, Value>> & {
  readonly _id: string
  readonly _read: readonly string[]
  readonly _update: readonly string[]
  readonly _delete: readonly string[]
}

/** A column that is logged: a value of the API, the text of an id or of something encrypted, or a list of roles. */
export type ImageColumn =
  | ({ kind: 'value' } & Pick<Column, 'name' | 'type' | 'list'>)
  | { kind: 'text'; name: string }
  | { kind: 'roles'; name: string }

/** Every column that is logged, in the order of the image. */
export function imageColumns(collection: CollectionModel): ImageColumn[] {
  const columns = [...collection.columns.values()].map(({ name, type, list, encrypted }): ImageColumn => {
    return encrypted ? { kind: 'text', name } : { kind: 'value', name, type, list }
  })
  const keys = [...collection.neighbours.values()].flatMap(({ join }): ImageColumn[] => {
    return join.kind === 'to' ? [{ kind: 'text', name: join.column }] : []
  })
  const roles = ['_read', '_update', '_delete'].map((name): ImageColumn => ({ kind: 'roles', name }))
  return [...columns, ...keys, ...roles]
}

/** `whereSql` over a logged row. It knows nothing of other rows: conditions on them are refused before. */
export function matches(condition: Condition, image: Image, given: Given = nothing): boolean {
  switch (condition.kind) {
    case 'all':
      return condition.of.every((one) => matches(one, image, given))
    case 'some':
      return condition.of.some((one) => matches(one, image, given))
    case 'not':
      return !matches(condition.of, image, given)
    case 'compare': {
      const { column, operator, value } = condition
      const wanted = isDeferred(value) ? value.read(given) : value
      if (!operator.matches) throw new Error('PostgreSQL alone can tell this.')
      return operator.matches(column, image[column.name] ?? null, wanted as Value)
    }
    case 'related':
      throw new Error('A logged row does not hold its related rows.')
  }
}

const nothing: Given = { variables: {}, roles: [], userId: null }
