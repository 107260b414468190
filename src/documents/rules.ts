import type { CollectionModel, Column, Rule } from './model.ts'
import { defer } from './slots.ts'
import { type Condition, parseOwnWhere } from './where.ts'

/** A rule whose condition is read. */
export type ReadRule = Pick<Rule, 'right' | 'role'> & { condition: Condition }

const known = new WeakMap<CollectionModel, readonly ReadRule[]>()

/** The rules of a collection. One that no longer fits its attributes grants nothing. */
export function rulesOf(collection: CollectionModel): readonly ReadRule[] {
  const read = known.get(collection) ?? collection.rules.flatMap((rule) => readRule(collection, rule))
  known.set(collection, read)
  return read
}

function readRule(collection: CollectionModel, { right, role, where }: Rule): ReadRule[] {
  try {
    return [{ right, role, condition: parseOwnWhere(ownColumns(collection), where, ['rules'], callersId) }]
  } catch {
    return []
  }
}

/** What stands for the caller's id in a rule. For a guest it is null, and equals nothing. */
const callersId = new Map([['$userId', defer(({ userId }) => userId)]])

/** A rule looks at the document alone, and sees of a relation which document it points at. */
function ownColumns(collection: CollectionModel): ReadonlyMap<string, Column> {
  const id = collection.columns.get('id')
  if (!id) throw new Error('A collection has no id.')
  const keys = [...collection.neighbours.values()].flatMap(({ key, join, required }): [string, Column][] => {
    return join.kind === 'to' ? [[key, { ...id, key, name: join.column, required }]] : []
  })
  return new Map([...collection.columns, ...keys])
}
