import type { Feed, Sink } from '../changes/feed.ts'
import type { Context, Services } from '../context.ts'
import { decodeCursor } from '../cursor.ts'
import type { Wanted } from './fanout/group.ts'
import { createHub, type Hub } from './fanout/hub.ts'
import type { Models } from './models.ts'

/** A subscription to changes of documents, from a cursor on or from now. */
export type Fanout = (ctx: Context, wanted: Wanted, after: string | null) => Feed

type Held = { opening: Promise<Hub>; holders: number }

/** One hub for each project that somebody on this node listens to, kept until nobody does. */
export function createFanout(services: Services, models: Models): Fanout {
  const { tails, env } = services
  const hubs = new Map<string, Held>()

  const open = async (projectId: string): Promise<Hub> => {
    return createHub({ services, models, projectId, stream: await tails.open(projectId) })
  }
  const hold = (projectId: string): Held => {
    const held = hubs.get(projectId) ?? { opening: open(projectId), holders: 0 }
    hubs.set(projectId, held)
    held.holders += 1
    return held
  }
  const release = (projectId: string, held: Held) => {
    held.holders -= 1
    if (held.holders > 0) return
    if (hubs.get(projectId) === held) hubs.delete(projectId)
    held.opening.then(
      (hub) => hub.close(),
      () => {},
    )
  }
  const join = async (ctx: Context, wanted: Wanted, after: string | null, sink: Sink) => {
    const { projectId } = ctx
    const seq = after === null ? null : decodeCursor(env.SECRET_KEYS, { epoch: tails.epoch, projectId }, after)
    const held = hold(projectId)
    try {
      return await (await held.opening).join(ctx, wanted, seq, sink, () => release(projectId, held))
    } catch (error) {
      release(projectId, held)
      throw error
    }
  }
  return (ctx, wanted, after) => (sink) => {
    let left = false
    const joining = join(ctx, wanted, ctx.lastEventId ?? after, sink)
    joining.catch((error) => left || sink.end(error))
    return () => {
      left = true
      joining.then(
        (subscriber) => subscriber.leave(),
        () => {},
      )
    }
  }
}
