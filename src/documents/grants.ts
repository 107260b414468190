import { Forbidden, Invalid } from '../errors.ts'
import { isRole, type Right, whyNotRole } from '../modules/permissions/roles.ts'
import type { CollectionModel } from './model.ts'
import type { Roles } from './scope.ts'

/** A document's own permissions, as its columns hold them. */
export type Grants = { _read: readonly string[]; _update: readonly string[]; _delete: readonly string[] }

/** Most permissions of a document. */
export const grantLimit = 100

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

/** Reads a `permissions` input. */
export function parseGrants(collection: CollectionModel, input: unknown, at: readonly string[]): Grants {
  const path = [...at, 'permissions']
  if (!Array.isArray(input))
    throw new Invalid('This must not be null: an empty list takes every permission away.', path)
  if (!collection.documentPermissions)
    throw new Invalid('Documents of this collection have no permissions of their own.', path)
  if (input.length > grantLimit) throw new Invalid(`A document has at most ${grantLimit} permissions.`, path)
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
    if (!isRole(role)) throw new Invalid(whyNotRole(role), [...path, `${i}`, 'role'])
    for (const one of granted) grants[one].add(role)
  }
  return { _read: [...grants.read], _update: [...grants.update], _delete: [...grants.delete] }
}

/** Roles that the caller does not hold, and so may not grant to a document that has not granted them before. */
export function foreignGrants(granted: readonly string[], roles: Roles): string[] {
  return roles === null ? [] : granted.filter((role) => !roles.includes(role))
}

/** The grants of a new document: its creator gives no more than what he holds. */
export function grantsOfNew(collection: CollectionModel, input: unknown, roles: Roles, at: readonly string[]): Grants {
  const grants = parseGrants(collection, input, at)
  const [foreign] = foreignGrants(Object.values(grants).flat(), roles)
  if (foreign !== undefined)
    throw new Forbidden(`You may not grant the role ${foreign}: you do not hold it.`, [...at, 'permissions'])
  return grants
}
