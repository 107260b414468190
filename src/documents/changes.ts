import { type Changes, changes } from '../changes.ts'
import type { Context } from '../context.ts'
import { Invalid } from '../errors.ts'
import type { LoggedEvent } from '../logged-event.ts'
import { documentCreated, documentDeleted, documentUpdated } from './events.ts'
import { type Image, matches } from './image.ts'
import type { CollectionModel, Column, FieldRights } from './model.ts'
import type { Models } from './models.ts'
import { holderOf, mayRead, mayUse } from './permissions.ts'
import { requireReadableWhere } from './readable.ts'
import type { Caller, Roles } from './scope.ts'
import { type Condition, hasRelated, isLive } from './where.ts'

export type ChangeKind = 'CREATED' | 'UPDATED' | 'DELETED' | 'ENTERED' | 'LEFT'

export type DocumentChange = {
  kind: ChangeKind
  id: string
  changedFields: readonly string[]
  at: Date
  /** The row as it was logged, null where it is no longer the subscriber's. */
  image: Image | null
  /** The subscriber as they were when it was delivered. */
  ctx: Context
}

type Payload = { collectionId: string; id: string; before: Image | null; after: Image | null; changed: string[] }

const types = new Set([documentCreated.name, documentUpdated.name, documentDeleted.name])

/** The changes of a collection that this caller may know of. */
export function documentChanges(
  ctx: Context,
  models: Models,
  collectionId: string,
  where: Condition | null,
  after: string | null | undefined,
): Changes<DocumentChange> {
  if (where && hasRelated(where))
    throw new Invalid('A live filter looks at the document alone, not at related ones.', ['where'])
  if (where && !isLive(where))
    throw new Invalid('A live filter has no `regex` or `search`, and does not look into JSON, places and vectors.', [
      'where',
    ])
  if (where) requireReadableWhere(where, holderOf(ctx).read.roles)
  const select = async (event: LoggedEvent, now: Context) => {
    if (!types.has(event.type)) return null
    const payload = event.payload as Payload
    if (payload.collectionId !== collectionId) return null
    const collection = (await models.get(now.projectId)).collections.get(collectionId)
    return collection ? changeOf(collection, where, payload, event, now) : null
  }
  return changes<DocumentChange>(ctx, { after, select })
}

function changeOf(
  collection: CollectionModel,
  where: Condition | null,
  { id, before, after, changed }: Payload,
  event: LoggedEvent,
  ctx: Context,
): DocumentChange | null {
  const { read } = holderOf(ctx)
  // Roles are taken away while a stream lasts, and fields are withheld: a filter then looks at them no more.
  if (where) requireReadableWhere(where, read.roles, (column) => rightsNow(collection, column))
  const was = before !== null && isTheirs(collection, read, where, before)
  const is = after !== null && isTheirs(collection, read, where, after)
  const kind = kindOf(before !== null, after !== null, was, is)
  if (kind === null) return null
  const changedFields = changed.filter((key) => mayReadField(collection, key, read.roles))
  return { kind, id, changedFields, at: new Date(event.at), image: is ? after : null, ctx }
}

function rightsNow({ columns }: CollectionModel, { attributeId, rights }: Column): FieldRights | null {
  const now = [...columns.values()].find((column) => column.attributeId === attributeId)
  return attributeId === null || !now ? rights : now.rights
}

/** Fields that are gone since are told of no more: nobody knows who may have read them. */
function mayReadField({ columns, neighbours }: CollectionModel, key: string, roles: Roles): boolean {
  if (key === 'permissions') return true
  const field = columns.get(key) ?? neighbours.get(key)
  return field !== undefined && mayUse(field.rights, 'read', roles)
}

function isTheirs(collection: CollectionModel, caller: Caller, where: Condition | null, image: Image): boolean {
  return mayRead(collection, caller, image) && (where === null || matches(where, image))
}

/** By the row before and after: whether there was and is one, and whether it was and is the subscriber's. */
function kindOf(existed: boolean, exists: boolean, was: boolean, is: boolean): ChangeKind | null {
  if (is) return existed ? (was ? 'UPDATED' : 'ENTERED') : 'CREATED'
  if (!was) return null
  return exists ? 'LEFT' : 'DELETED'
}
