import { type Actor, type Context, consoleProjectId } from '../context.ts'
import type { LoggedEvent } from '../logged-event.ts'
import { createWatched, type Watched } from './watched.ts'

/** Who listens on this node: one entry for each project and credential. */
export type Callers = {
  watch: (ctx: Context, actor: Actor) => Watched
  /** For those who listen no more: an entry goes with its last listener. */
  leave: (watched: Watched) => void
}

/** Credentials expire without an event. */
const recheckMs = 10_000
const lookMs = 1_000

const isAboutCallers = /^(users|sessions|keys|members|projects|functions)\./

/**
 * Reads callers again after each event that names them, in their project's stream or, for members that the console knows,
 * in the console's; and now and then besides, for what expires.
 */
export function createCallers({ tails }: Pick<Context, 'tails'>): Callers {
  const entries = new Map<string, Watched>()
  const byId = new Map<string, Set<Watched>>()
  const followed = new Map<string, Promise<() => void>>()
  let timer: NodeJS.Timeout | undefined

  const note = ({ type, aggregate, payload }: LoggedEvent) => {
    if (!isAboutCallers.test(type)) return
    for (const id of [...aggregate.split('.'), ...Object.values(payload ?? {})])
      for (const one of byId.get(id) ?? []) one.markStale()
  }
  const those = (projectId: string) => [...entries.values()].filter((one) => one.projectIds.includes(projectId))
  const open = async (projectId: string) => {
    const stream = await tails.open(projectId)
    const onEnd = () => {
      followed.delete(projectId)
      stream.release()
      // Until it is followed again nothing is heard of.
      for (const one of those(projectId)) one.markStale()
    }
    const forget = stream.watch({ onEvent: ({ event }) => note(event), onEnd })
    return () => {
      forget()
      stream.release()
    }
  }
  const follow = async (projectId: string) => {
    const opening = followed.get(projectId) ?? open(projectId)
    followed.set(projectId, opening)
    await opening.catch((error) => {
      if (followed.get(projectId) === opening) followed.delete(projectId)
      throw error
    })
  }
  const unfollow = (projectId: string) => {
    if (those(projectId).length > 0) return
    followed.get(projectId)?.then(
      (stop) => stop(),
      () => {},
    )
    followed.delete(projectId)
  }
  const lookAround = () => {
    const due = performance.now() - recheckMs
    for (const one of entries.values()) if (!one.isStale() && one.readAt() < due) one.read().catch(() => {})
  }
  const add = (key: string, ctx: Context, actor: Actor) => {
    const projectIds = actor.kind === 'account' ? [ctx.projectId, consoleProjectId] : [ctx.projectId]
    const added = createWatched(key, ctx, actor, projectIds, follow)
    entries.set(key, added)
    for (const id of added.ids) byId.set(id, (byId.get(id) ?? new Set()).add(added))
    timer ??= setInterval(lookAround, lookMs).unref()
    return added
  }
  const watch = (ctx: Context, actor: Actor) => {
    // What a run may is over with its token and its function, whoever it acts for.
    const key = `${ctx.projectId} ${nameOf(actor)} ${ctx.run?.executionId ?? ''}`
    return entries.get(key) ?? add(key, ctx, actor)
  }
  const leave = (watched: Watched) => {
    if (watched.listeners.size > 0 || entries.get(watched.key) !== watched) return
    entries.delete(watched.key)
    for (const id of watched.ids) {
      byId.get(id)?.delete(watched)
      if (byId.get(id)?.size === 0) byId.delete(id)
    }
    for (const projectId of watched.projectIds) unfollow(projectId)
    if (entries.size > 0) return
    clearInterval(timer)
    timer = undefined
  }
  return { watch, leave }
}

/** As they were when they came: whoever has changed since is another entry, which is read anew. */
function nameOf(actor: Actor): string {
  return JSON.stringify(actor, (_key, value) => (value instanceof Set ? [...value] : value))
}
