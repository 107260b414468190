import type { LoggedEvent } from '../logged-event.ts'
import { documentCreated, documentDeleted, documentUpdated } from './events.ts'
import { type Image, matches } from './image.ts'
import type { CollectionModel, Column, FieldRights } from './model.ts'
import { mayRead, mayUse } from './permissions.ts'
import { requireReadableWhere } from './readable.ts'
import type { Caller, Roles } from './scope.ts'
import type { Condition } from './where.ts'

export type ChangeKind = 'CREATED' | 'UPDATED' | 'DELETED' | 'ENTERED' | 'LEFT'

/** What the log tells of a document. */
export type Logged = { collectionId: string; id: string; before: Image | null; after: Image | null; changed: string[] }

const types = new Set([documentCreated.name, documentUpdated.name, documentDeleted.name])

/** Null for an event about something else. */
export function loggedOf({ type, payload }: LoggedEvent): Logged | null {
  return types.has(type) ? (payload as Logged) : null
}

/** Whether something holds of the row before and of the row after. */
export type Sides = { was: boolean; is: boolean }

export function sidesOf({ before, after }: Logged, holds: (image: Image) => boolean): Sides {
  return { was: before !== null && holds(before), is: after !== null && holds(after) }
}

/** Which of the two rows are this caller's: readable, and what they asked for. */
export function theirSides(
  collection: CollectionModel,
  caller: Caller,
  where: Condition | null,
  logged: Logged,
): Sides {
  return sidesOf(logged, (image) => mayRead(collection, caller, image) && (where === null || matches(where, image)))
}

/** By the row before and after: whether there was and is one, and whether it was and is the subscriber's. */
export function kindOf({ before, after }: Logged, { was, is }: Sides): ChangeKind | null {
  if (is) return before !== null ? (was ? 'UPDATED' : 'ENTERED') : 'CREATED'
  if (!was) return null
  return after !== null ? 'LEFT' : 'DELETED'
}

/** Fields that are gone since are told of no more: nobody knows who may have read them. */
export function changedFields({ columns, neighbours }: CollectionModel, { changed }: Logged, roles: Roles): string[] {
  return changed.filter((key) => {
    if (key === 'permissions') return true
    const field = columns.get(key) ?? neighbours.get(key)
    return field !== undefined && mayUse(field.rights, 'read', roles)
  })
}

/** Roles are taken away while a stream lasts, and fields are withheld: a filter then looks at them no more. */
export function requireReadableNow(collection: CollectionModel, where: Condition, roles: Roles): void {
  requireReadableWhere(where, roles, (column) => rightsNow(collection, column))
}

/** Of a field that is gone: another one may have its name and its column by now. */
export const nobody: FieldRights = { read: new Set(), update: new Set() }

/** Who may read a field by the newest schema, whatever it is called by now. */
export function rightsNow({ columns }: CollectionModel, { attributeId, rights }: Column): FieldRights | null {
  if (attributeId === null) return rights
  for (const column of columns.values()) if (column.attributeId === attributeId) return column.rights
  return nobody
}
