import { isDeepStrictEqual } from 'node:util'
import type { Actor, Context } from '../context.ts'
import { AppError, Unauthenticated } from '../errors.ts'

/** A caller of one credential, as all their streams on this node see them. */
export type Watched = {
  key: string
  /** What the events that change them name. */
  ids: readonly string[]
  /** In whose streams those events are. */
  projectIds: readonly string[]
  actor: () => Actor
  isStale: () => boolean
  /** When the read began that says who they are, as `performance.now` counts. */
  readAt: () => number
  markStale: () => void
  /** Reads them again, once for all who ask meanwhile. Throws Unauthenticated once they are nobody; waits while nobody can say. */
  read: () => Promise<void>
  /** Told when they are stale, have changed, or are nobody any more. */
  listeners: Set<() => void>
}

/** `follow` resolves once every event of a project from then on is heard of. */
export function createWatched(
  key: string,
  ctx: Context,
  first: Actor,
  projectIds: readonly string[],
  follow: (projectId: string) => Promise<void>,
): Watched {
  const own = 'sessionId' in first ? [first.id, first.sessionId] : [first.id]
  const ids = [...own, ...(ctx.run ? [ctx.run.functionId] : []), ctx.projectId]
  const listeners = new Set<() => void>()
  let actor = first
  let stale = true
  let readAt = Number.NEGATIVE_INFINITY
  let reading: Promise<void> | null = null

  const tell = () => {
    for (const listener of listeners) listener()
  }
  const markStale = () => {
    stale = true
    tell()
  }
  const readOnce = async () => {
    try {
      await Promise.all(projectIds.map(follow))
      const begun = performance.now()
      stale = false
      const found = (await ctx.reauthenticate())?.actor
      if (!found) throw new Unauthenticated('This credential is no longer valid.')
      const changed = !isDeepStrictEqual(actor, found)
      if (changed) actor = found
      readAt = begun
      if (changed) tell()
    } catch (error) {
      markStale()
      if (error instanceof AppError && error.code !== 'UNAVAILABLE') throw error
      // Nobody knows who they are: nothing is delivered until somebody does.
      ctx.log.warn({ err: error }, 'a caller could not be read again')
      await new Promise((resolve) => setTimeout(resolve, retryMs))
    }
  }
  const read = () => {
    reading ??= readOnce().finally(() => {
      reading = null
    })
    return reading
  }
  return {
    key,
    ids,
    projectIds,
    actor: () => actor,
    isStale: () => stale,
    readAt: () => readAt,
    markStale,
    read,
    listeners,
  }
}

const retryMs = 500
