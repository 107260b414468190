import type { ProjectModel } from './model.ts'
import { collectParams, type Param } from './param.ts'
import type { Roles } from './permissions.ts'

/** What every part of one statement shares. */
export type Scope = {
  model: ProjectModel
  /** The roles by which rows are read. */
  roles: Roles
  param: Param
  /** A name for a table that no other table of the statement has. */
  alias: () => string
}

export function openScope(model: ProjectModel, roles: Roles): Scope & { values: unknown[] } {
  let count = 0
  const alias = () => {
    count += 1
    return `t${count}`
  }
  return { model, roles, alias, ...collectParams() }
}
