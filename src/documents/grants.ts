import { Forbidden, Invalid } from '../errors.ts'
import { isRole, type Right } from '../modules/permissions/roles.ts'
import type { CollectionModel } from './model.ts'
import type { Roles } from './scope.ts'

/** A document's own permissions, as its columns hold them. */
export type Grants = { _read: readonly string[]; _update: readonly string[]; _delete: readonly string[] }

export const noGrants: Grants = { _read: [], _update: [], _delete: [] }

const most = 100

const rightsOf: Record<string, readonly Right[]> = {
  READ: ['read'],
  UPDATE: ['update'],
  DELETE: ['delete'],
  WRITE: ['update', 'delete'],
}

/** Whoever creates a document as an end user may do everything with it, unless he says otherwise. */
export function defaultGrants(collection: CollectionModel, roles: Roles): Grants {
  const self = collection.documentPermissions ? (roles ?? []).filter((role) => role.startsWith('user:')) : []
  return { _read: self, _update: self, _delete: self }
}

/**
 * Reads a `permissions` input. `roles` are the caller's: he cannot grant what he does not hold, but what was granted
 * `before` may stay.
 */
export function parseGrants(collection: CollectionModel, input: unknown, roles: Roles, before: Grants): Grants {
  const path = ['input', 'permissions']
  if (!Array.isArray(input))
    throw new Invalid('This must not be null: an empty list takes every permission away.', path)
  if (!collection.documentPermissions)
    throw new Invalid('Documents of this collection have no permissions of their own.', path)
  if (input.length > most) throw new Invalid(`A document has at most ${most} permissions.`, path)
  const grants = {
    read: new Set<string>(),
    update: new Set<string>(),
    delete: new Set<string>(),
    create: new Set<string>(),
  }
  for (const [i, item] of input.entries()) {
    const { right, role } = item as { right: string; role: string }
    const granted = rightsOf[right]
    if (!granted) throw new Invalid('A document grants READ, UPDATE, DELETE or WRITE.', [...path, `${i}`, 'right'])
    if (!isRole(role)) throw new Invalid('This is not a role.', [...path, `${i}`, 'role'])
    for (const one of granted) grants[one].add(role)
  }
  const parsed = { _read: [...grants.read], _update: [...grants.update], _delete: [...grants.delete] }
  requireHeld(parsed, roles, before)
  return parsed
}

function requireHeld(grants: Grants, roles: Roles, before: Grants): void {
  if (roles === null) return
  for (const column of ['_read', '_update', '_delete'] as const) {
    const foreign = grants[column].find((role) => !roles.includes(role) && !before[column].includes(role))
    if (foreign !== undefined) throw new Forbidden(`You may not grant the role ${foreign}: you do not hold it.`)
  }
}
