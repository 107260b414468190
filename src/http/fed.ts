import type { ExecutionResult } from 'graphql'
import type { Payload } from '../changes/feed.ts'
import type { Outlet } from './outlet.ts'
import type { Fed } from './stream.ts'

/** Where payloads go. */
export type Place = {
  outlet: Outlet
  /** Of the payload that was sent last. */
  cursor: string | undefined
  /** A payload as this transport writes it. */
  frame: (payload: Payload) => Buffer
  /** Told before the first payload, once it is known that the caller may ask for what they ask. */
  begin: () => void
}

/**
 * Sends the payloads of a subscription to a place. To the protocol it is a stream in which nothing happens but what it
 * ends with.
 */
export function feedTo(place: Place, { feed, tell }: Fed): AsyncIterableIterator<ExecutionResult> {
  const { outlet, frame, begin } = place
  const { promise: ended, resolve: finish } = Promise.withResolvers<IteratorResult<ExecutionResult>>()
  let leave: (() => void) | null = null
  let isOver = false

  const take = (payload: Payload) => {
    if (!outlet.hasRoom()) return false
    outlet.write(frame(payload))
    place.cursor = payload.cursor
    return true
  }
  const end = (error: unknown) => finish({ done: false, value: tell(error) })
  const next = async (): Promise<IteratorResult<ExecutionResult>> => {
    if (isOver) return done
    leave ??= feed({ begin, take, room: outlet.room, end })
    const last = await ended
    isOver = true
    return last
  }
  const stop = async (): Promise<IteratorResult<ExecutionResult>> => {
    isOver = true
    leave?.()
    finish(done)
    return done
  }
  const steps = {
    next,
    return: stop,
    throw: stop,
    [Symbol.asyncIterator]: () => steps,
  } as AsyncIterableIterator<ExecutionResult>
  return steps
}

const done: IteratorReturnResult<undefined> = { done: true, value: undefined }
