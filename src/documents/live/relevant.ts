import type { Context } from '../../context.ts'
import { namedBy } from '../../identities.ts'
import type { LoggedEvent } from '../../logged-event.ts'
import { type Image, matches } from '../image.ts'
import { holderOf, mayRead } from '../permissions.ts'
import type { Planned } from './planned.ts'

export function isAboutSchema({ type }: LoggedEvent): boolean {
  return /^(collections|attributes|indexes)\./.test(type)
}

export function isAboutCaller({ type, aggregate, payload }: LoggedEvent, { actor }: Context): boolean {
  return (
    actor !== null &&
    /^(users|sessions|keys|members|functions)\./.test(type) &&
    namedBy(aggregate, payload).includes(actor.id)
  )
}

/** Whether an event may have changed the list. One that surely has not is not asked about. */
export function concerns(
  { type, payload }: LoggedEvent,
  { reads, isPlain, collection, page }: Planned,
  ctx: Context,
  shown: ReadonlySet<string>,
): boolean {
  if (!type.startsWith('documents.')) return false
  const { collectionId, id, after } = payload as { collectionId: string; id: string; after: Image | null }
  if (!reads.has(collectionId)) return false
  if (!isPlain || shown.has(id)) return true
  return (
    after !== null &&
    mayRead(collection, holderOf(ctx).read, after) &&
    (page.where === null || matches(page.where, after))
  )
}
