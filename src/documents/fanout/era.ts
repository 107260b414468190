import type { Context } from '../../context.ts'
import type { LoggedEvent } from '../../logged-event.ts'
import { loggedOf, requireReadableNow, theirSides } from '../change.ts'
import type { CollectionModel, ProjectModel } from '../model.ts'
import { holderOf } from '../permissions.ts'
import { type Audience, createAudience } from './audience.ts'
import { createGroup, createViews, type Wanted } from './group.ts'
import type { Related } from './related.ts'
import type { Place } from './subscriber.ts'

/** All that holds of a project's listeners while its schema is the same. */
export type Era = {
  model: ProjectModel
  /** Where a caller stands by the rights of now. Throws for whoever may not ask any more for what they ask. */
  place: (ctx: Context, key: string, wanted: Wanted) => Place
  /** Gives an event to all who are in their places. */
  give: (event: LoggedEvent) => void
}

type Parts = { related: Related; cursorAt: (seq: bigint) => string; isCurrent: (era: Era) => boolean }

export function createEra(model: ProjectModel, { related, cursorAt, isCurrent }: Parts): Era {
  const audiences = new Map<string, Audience>()
  const views = createViews(model)

  const audienceOf = (collection: CollectionModel) => {
    const audience = audiences.get(collection.id) ?? createAudience(collection)
    audiences.set(collection.id, audience)
    return audience
  }
  const place = (ctx: Context, key: string, wanted: Wanted): Place => {
    const collection = model.collections.get(wanted.collectionId)
    const current = () => isCurrent(era)
    // Nothing comes of a collection that is gone.
    if (!collection) return { isCurrent: current, payload: () => null, enter: () => () => {} }
    const { read } = holderOf(ctx)
    if (wanted.where) requireReadableNow(collection, wanted.where, read.roles)
    const group = createGroup(ctx, collection, wanted, views.of(wanted, read), related)
    return {
      isCurrent: current,
      payload: (event) => {
        const logged = loggedOf(event)
        if (logged?.collectionId !== collection.id) return null
        const sides = theirSides(collection, read, wanted.where, logged)
        return group.payload(event, logged, sides, cursorAt(event.seq))
      },
      enter: (recipient) => audienceOf(collection).enter(group, key, read, recipient),
    }
  }
  const give = (event: LoggedEvent) => {
    const logged = loggedOf(event)
    const audience = logged && audiences.get(logged.collectionId)
    if (audience) audience.dispatch({ event, logged, cursor: cursorAt(event.seq) })
  }
  const era: Era = { model, place, give }
  return era
}
