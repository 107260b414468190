import type { CollectionModel, ProjectModel } from './model.ts'
import { collectParams, type Param } from './param.ts'
import { bind } from './slots.ts'

/** Roles that decide; null for a caller whom no role limits. */
export type Roles = readonly string[] | null

/** By whose rights rows are read or changed. */
export type Caller = {
  roles: Roles
  userId: string | null
  /** Whether they can read a good part of a collection's documents, as far as it is known: for the planner alone. */
  readsMany?: (collection: CollectionModel) => boolean
}

/** What every part of one statement shares. */
export type Scope = {
  model: ProjectModel
  /** By whose rights rows are read. */
  caller: Caller
  param: Param
  /** A name for a table that no other table of the statement has. */
  alias: () => string
  /** The collections whose rows it reads. */
  reads: Set<CollectionModel>
}

/** `values` are the parameters so far: `bound` gives those for this caller, where no request has more to bring. */
export function openScope(
  model: ProjectModel,
  caller: Caller,
): Scope & { values: readonly unknown[]; bound: () => unknown[] } {
  let count = 0
  const alias = () => {
    count += 1
    return `t${count}`
  }
  const { param, values } = collectParams()
  const bound = () => bind(values, { variables: {}, roles: caller.roles ?? [], userId: caller.userId })
  return { model, caller, alias, reads: new Set(), param, values, bound }
}
