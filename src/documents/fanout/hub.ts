import { setTimeout as sleep, setImmediate as turnOfLoop } from 'node:timers/promises'
import type { Sink } from '../../changes/feed.ts'
import { isEnd, projectGone } from '../../changes.ts'
import type { Context, Services } from '../../context.ts'
import { encodeCursor } from '../../cursor.ts'
import { createSignal } from '../../lib/signal.ts'
import type { Stream } from '../../tail.ts'
import type { Models } from '../models.ts'
import { createEra, type Era } from './era.ts'
import type { Wanted } from './group.ts'
import { createRelated } from './related.ts'
import { type Subscriber, startSubscriber } from './subscriber.ts'

/** A project's changes of documents on this node, read once and given to all who listen. */
export type Hub = {
  /** After a seq, or from now on. Throws ResyncRequired for a seq that the log has not reached. */
  join: (ctx: Context, wanted: Wanted, after: bigint | null, sink: Sink, onLeave: () => void) => Promise<Subscriber>
  close: () => void
}

type Options = { services: Services; models: Models; projectId: string; stream: Stream }

/** So long it gives out events before others get a turn. */
const sliceMs = 8
/** So many rows may wait for their relations before it waits for them. */
const mostWaiting = 2_000
const waitMs = 10
const retryMs = 200

export function createHub({ services, models, projectId, stream }: Options): Hub {
  const { env, tails, log } = services
  const related = createRelated(services, projectId)
  const cursorAt = rememberLast((seq: bigint) => encodeCursor(env.SECRET_KEYS, { epoch: tails.epoch, projectId }, seq))
  const signal = createSignal()
  const subscribers = new Set<Subscriber>()
  let era: Era | null = null
  let position = stream.last()
  let isClosed = false
  let failure: Error | null = null

  /** Under another schema everybody finds their place anew. */
  const eraNow = async (): Promise<Era> => {
    const model = await models.get(projectId)
    if (era?.model === model) return era
    const begun = createEra(model, { related, cursorAt, isCurrent: (one) => one === era })
    era = begun
    for (const subscriber of subscribers) subscriber.fallBehind()
    return begun
  }
  const endAll = (error: Error) => {
    failure = error
    for (const subscriber of [...subscribers]) subscriber.end(error)
  }
  const giveSome = async () => {
    let begun = performance.now()
    for (const { event } of await stream.page(position)) {
      const now = await eraNow()
      if (isClosed) return
      if (isEnd(projectId, event)) endAll(projectGone())
      now.give(event)
      position = event.seq
      if (performance.now() - begun < sliceMs) continue
      await turnOfLoop()
      begun = performance.now()
    }
    while (related.waiting() > mostWaiting && !isClosed) await sleep(waitMs)
  }
  const run = async () => {
    while (!isClosed) {
      if (position >= stream.last()) await signal.wait()
      await giveSome().catch(async (error) => {
        log.warn({ err: error, projectId }, 'changes could not be given out')
        await sleep(retryMs)
      })
    }
  }
  const forget = stream.watch({ onEvent: signal.raise, onEnd: endAll })
  const close = () => {
    isClosed = true
    signal.raise()
    forget()
    stream.release()
  }
  const join: Hub['join'] = async (ctx, wanted, after, sink, onLeave) => {
    if (after !== null) await stream.reach(after)
    if (failure) throw failure
    const place = async (now: Context, key: string) => (await eraNow()).place(now, key, wanted)
    const ground = { stream, position: () => position, cursorAt, place }
    const subscriber = startSubscriber(ground, ctx, after ?? stream.last(), sink, () => {
      subscribers.delete(subscriber)
      onLeave()
    })
    subscribers.add(subscriber)
    return subscriber
  }
  void run()
  return { join, close }
}

function rememberLast<Key, Made>(make: (key: Key) => Made): (key: Key) => Made {
  let last: { key: Key; made: Made } | null = null
  return (key) => {
    if (last?.key !== key) last = { key, made: make(key) }
    return last.made
  }
}
