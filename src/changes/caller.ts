import { setTimeout as sleep } from 'node:timers/promises'
import { type Actor, type Context, consoleProjectId } from '../context.ts'
import { AppError, Unauthenticated } from '../errors.ts'
import type { LoggedEvent } from '../logged-event.ts'

/** Who listens to a stream, kept up to date for as long as it lasts. */
export type Caller = {
  isStale: () => boolean
  /** Notes an event of the stream: it may be about the caller. */
  note: (event: LoggedEvent) => void
  /** The caller as they are now. Throws Unauthenticated once they may not listen any more. */
  current: () => Promise<Context>
  close: () => void
}

/** Credentials expire without an event. */
const recheckMs = 10_000
const retryMs = 500

/**
 * Reads the caller again after each event that may have changed who they are, in their project's stream or, for members
 * that the console knows, in the console's; and now and then besides, for what expires. `onStale` is told at once.
 *
 * Begins stale: between the authentication and the stream there was a moment in which the credential could be revoked.
 */
export function watchCaller(ctx: Context, onStale: () => void): Caller {
  const ids = idsOf(ctx.actor)
  let context = ctx
  let stale = ids.length > 0
  let closed = false

  const markStale = () => {
    stale = true
    onStale()
  }
  const note = (event: LoggedEvent) => {
    if (isAbout(ids, event)) markStale()
  }
  const current = async () => {
    while (stale && !closed) {
      stale = false
      try {
        const found = await context.reauthenticate()
        if (!found) throw new Unauthenticated('This credential is no longer valid.')
        context = found
      } catch (error) {
        if (error instanceof AppError && error.code !== 'UNAVAILABLE') throw error
        // Nobody knows who the caller is: nothing is delivered until somebody does.
        ctx.log.warn({ err: error }, 'a caller could not be read again')
        stale = true
        await sleep(retryMs)
      }
    }
    return context
  }
  const timer = ids.length > 0 ? setInterval(markStale, recheckMs).unref() : undefined
  const stopConsole =
    ctx.actor?.kind === 'account' && ctx.projectId !== consoleProjectId ? followConsole(ctx, note) : null
  const close = () => {
    closed = true
    clearInterval(timer)
    stopConsole?.()
  }
  return { isStale: () => stale, note, current, close }
}

/** What the events that change a caller name. Guests and the system never change. */
function idsOf(actor: Actor | null): readonly string[] {
  if (actor === null || actor.kind === 'system') return []
  return actor.kind === 'key' ? [actor.id] : [actor.id, actor.sessionId]
}

function isAbout(ids: readonly string[], { type, aggregate, payload }: LoggedEvent): boolean {
  if (!/^(users|sessions|keys|members|projects)\./.test(type)) return false
  const named = [...aggregate.split('.'), ...Object.values(payload ?? {})]
  return ids.some((id) => named.includes(id))
}

/** Answers how to stop. A stream that breaks is taken up again at its end: the time between is covered by the recheck. */
function followConsole(ctx: Context, note: (event: LoggedEvent) => void): () => void {
  let stopped = false
  let stop = () => {}
  const follow = async () => {
    const events = await ctx.tails.listen(consoleProjectId, null)
    stop = () => void events.return?.()
    if (stopped) return stop()
    for await (const event of events) note(event)
  }
  const run = async () => {
    while (!stopped) await follow().catch(() => sleep(retryMs))
  }
  void run()
  return () => {
    stopped = true
    stop()
  }
}
