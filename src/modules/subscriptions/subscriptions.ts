import type { Context } from '../../context.ts'
import { isOperator, requireOperator } from '../operators/operators.ts'
import { groupOf, type RunningSubscription, terminations } from './running.ts'

/** The subscriptions of the project that is asked, on all nodes, for those who run it: in the order of their ids. */
export async function visibleSubscriptions(ctx: Context): Promise<RunningSubscription[]> {
  if (!isOperator(ctx)) return []
  const found = await ctx.peers.list(groupOf(ctx.projectId))
  return ([...found.values()] as RunningSubscription[]).sort((a, b) => (a.id < b.id ? -1 : 1))
}

/** Which are meant: those with one of these ids, and all of this user, and all of this session. */
export type Chosen = {
  ids?: readonly string[] | null | undefined
  actorId?: string | null | undefined
  sessionId?: string | null | undefined
}

/** Ends them on whichever node they are. Answers their ids. */
export async function terminateSubscriptions(ctx: Context, { ids, actorId, sessionId }: Chosen): Promise<string[]> {
  requireOperator(ctx)
  const chosen = (await visibleSubscriptions(ctx))
    .filter((one) => {
      if (ids?.includes(one.id)) return true
      return (actorId != null && one.actorId === actorId) || (sessionId != null && one.sessionId === sessionId)
    })
    .map(({ id }) => id)
  if (chosen.length > 0) await ctx.peers.tell(terminations, { ids: chosen })
  return chosen
}
