import type { Actor, Context } from '../context.ts'
import { type Callers, createCallers } from './callers.ts'

/** Who listens to a stream, kept up to date for as long as it lasts. */
export type Caller = {
  /** Equal for streams of one caller: what one learns of them is known to all. */
  key: string
  /** The caller as they were last read: the same object until something about them changes. */
  actor: () => Actor | null
  /** Whether something may have changed them since: until they are read again they get nothing. */
  isStale: () => boolean
  /** The caller as they are now. Throws Unauthenticated once they may not listen any more. */
  current: () => Promise<Actor | null>
  close: () => void
}

const nodes = new WeakMap<Context['tails'], Callers>()

/**
 * Watches who listens: read again after each event that may have changed them, and now and then besides. All streams of a
 * credential share what is read. `onChange` is told at once that they are stale, and later that they are others.
 *
 * The first stream of a caller begins stale: between the authentication and the stream the credential could be revoked. For
 * another one nothing has happened since that was not heard of, and it was authenticated as docs/decisions/0009 has it.
 */
export function watchCaller(ctx: Context, onChange: () => void): Caller {
  const { actor, projectId } = ctx
  // Guests and the system never change.
  if (actor === null || actor.kind === 'system') return unchanging(projectId, actor)
  const callers = nodes.get(ctx.tails) ?? createCallers(ctx)
  nodes.set(ctx.tails, callers)
  const watched = callers.watch(ctx, actor)
  watched.listeners.add(onChange)
  return {
    key: watched.key,
    actor: watched.actor,
    isStale: watched.isStale,
    current: async () => {
      while (watched.isStale()) await watched.read()
      return watched.actor()
    },
    close: () => {
      watched.listeners.delete(onChange)
      callers.leave(watched)
    },
  }
}

function unchanging(projectId: string, actor: Actor | null): Caller {
  return {
    key: `${projectId} ${actor?.id ?? 'guest'}`,
    actor: () => actor,
    isStale: () => false,
    current: async () => actor,
    close: () => {},
  }
}
