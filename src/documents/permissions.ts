import type { Context } from '../context.ts'
import { type Right, rights, rolesOf } from '../modules/permissions/roles.ts'
import type { Image } from './image.ts'
import type { CollectionModel } from './model.ts'
import type { Param } from './param.ts'

/** Roles that decide; null for a caller whom no role limits. */
export type Roles = readonly string[] | null

/** What a caller brings to every read and to every change of documents. */
export type Holder = { read: Roles; write: Roles }

/** Kinds of callers of one schema: what a schema shows depends on nothing finer. */
export type CallerClass = { kind: 'guest' | 'user' | 'all' } | { kind: 'key'; read: boolean; write: boolean }

/** A key is limited by its scopes instead of roles: without a scope it holds none. */
export function holderOf(ctx: Pick<Context, 'actor'>): Holder {
  const { actor } = ctx
  if (actor?.kind === 'key') {
    return {
      read: actor.scopes.has('documents.read') ? null : [],
      write: actor.scopes.has('documents.write') ? null : [],
    }
  }
  const roles = rolesOf(ctx)
  return { read: roles, write: roles }
}

export function classOf(ctx: Pick<Context, 'actor'>): CallerClass {
  const { actor } = ctx
  if (actor?.kind === 'key') {
    return { kind: 'key', read: actor.scopes.has('documents.read'), write: actor.scopes.has('documents.write') }
  }
  if (actor?.kind === 'user') return { kind: 'user' }
  return { kind: rolesOf(ctx) === null ? 'all' : 'guest' }
}

const guestRoles = ['any', 'guests']

/** Every right that some caller of this class could hold on something in the collection. */
export function rightsOfClass(collection: CollectionModel, caller: CallerClass): ReadonlySet<Right> {
  if (caller.kind === 'all') return new Set(rights)
  if (caller.kind === 'key') return new Set(rights.filter((right) => (right === 'read' ? caller.read : caller.write)))
  const { kind } = caller
  const held = rights.filter((right) => [...collection.permissions[right]].some((role) => isOfClass(role, kind)))
  // Documents may grant anything to a user; a guest is shown them only where the collection speaks of guests at all.
  const perDocument = collection.documentPermissions && (kind === 'user' || held.length > 0)
  return new Set(perDocument ? [...held, 'read', 'update', 'delete'] : held)
}

function isOfClass(role: string, kind: 'guest' | 'user'): boolean {
  return kind === 'guest' ? guestRoles.includes(role) : role !== 'guests'
}

// The one rule: a right is held through the collection, or, where its documents have permissions, through the document.

function throughCollection(collection: CollectionModel, right: Right, roles: Roles): boolean {
  return roles === null || roles.some((role) => collection.permissions[right].has(role))
}

export function mayCreate(collection: CollectionModel, roles: Roles): boolean {
  return throughCollection(collection, 'create', roles)
}

/** The rule as a condition on the rows of `alias`. */
export function rightFilter(
  right: 'read' | 'update' | 'delete',
  collection: CollectionModel,
  roles: Roles,
  alias: string,
  param: Param,
): string {
  if (throughCollection(collection, right, roles)) return 'true'
  if (!collection.documentPermissions || !roles?.length) return 'false'
  return `${alias}."_${right}" && ${param(roles, 'text[]')}`
}

export function readFilter(collection: CollectionModel, roles: Roles, alias: string, param: Param): string {
  return rightFilter('read', collection, roles, alias, param)
}

/** The rule over a logged row. */
export function mayRead(collection: CollectionModel, roles: Roles, image: Image): boolean {
  if (throughCollection(collection, 'read', roles)) return true
  return collection.documentPermissions && (roles ?? []).some((role) => image._read.includes(role))
}
