import { needsDocuments } from '../changes/needs.ts'
import { type Changes, changes } from '../changes.ts'
import type { Context } from '../context.ts'
import { Invalid } from '../errors.ts'
import type { LoggedEvent } from '../logged-event.ts'
import {
  type ChangeKind,
  changedFields,
  kindOf,
  type Logged,
  loggedOf,
  requireReadableNow,
  theirSides,
} from './change.ts'
import type { Image } from './image.ts'
import type { CollectionModel } from './model.ts'
import type { Models } from './models.ts'
import { holderOf } from './permissions.ts'
import { requireReadableWhere } from './readable.ts'
import { type Condition, hasRelated, isLive } from './where.ts'

export type { ChangeKind } from './change.ts'

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

/** Throws for a filter that cannot be told of a logged row, or that looks at what this caller may not read. */
export function requireLive(ctx: Context, where: Condition): void {
  if (hasRelated(where)) throw new Invalid('A live filter looks at the document alone, not at related ones.', ['where'])
  if (!isLive(where))
    throw new Invalid('A live filter has no `regex` or `search`, and does not look into JSON, places and vectors.', [
      'where',
    ])
  requireReadableWhere(where, holderOf(ctx).read.roles)
}

/** The changes of a collection that this caller may know of. */
export function documentChanges(
  ctx: Context,
  models: Models,
  collectionId: string,
  where: Condition | null,
  after: string | null | undefined,
): Changes<DocumentChange> {
  if (where) requireLive(ctx, where)
  const select = async (event: LoggedEvent, now: Context) => {
    const logged = loggedOf(event)
    if (logged?.collectionId !== collectionId) return null
    const collection = (await models.get(now.projectId)).collections.get(collectionId)
    return collection ? changeOf(collection, where, logged, event, now) : null
  }
  return changes<DocumentChange>(ctx, { after, needs: needsDocuments, select })
}

function changeOf(
  collection: CollectionModel,
  where: Condition | null,
  logged: Logged,
  event: LoggedEvent,
  ctx: Context,
): DocumentChange | null {
  const { read } = holderOf(ctx)
  if (where) requireReadableNow(collection, where, read.roles)
  const sides = theirSides(collection, read, where, logged)
  const kind = kindOf(logged, sides)
  if (kind === null) return null
  const image = sides.is ? logged.after : null
  const changed = changedFields(collection, logged, read.roles)
  return {
    kind,
    id: logged.id,
    changedFields: changed,
    at: event.at,
    image,
    // Each payload is an answer of its own.
    ctx: { ...ctx, answered: { bytes: 0 } },
  }
}
