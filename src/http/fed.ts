import type { ExecutionResult } from 'graphql'
import type { Payload } from '../changes/feed.ts'
import type { Outlet } from './outlet.ts'
import type { Fed } from './stream.ts'

/** A socket, and the cursor of what it was sent last. */
type Place = { outlet: Outlet; cursor: string | undefined }

const end = '}'.charCodeAt(0)

/**
 * Sends the payloads of a subscription to a socket: of each message the envelope alone is made here. To the protocol it is a
 * stream in which nothing happens but what it ends with.
 */
export function feedSocket(place: Place, id: string, { feed, tell }: Fed): AsyncIterableIterator<ExecutionResult> {
  const { outlet } = place
  const head = Buffer.from(`{"id":${JSON.stringify(id)},"type":"next","payload":`)
  const { promise: ended, resolve: finish } = Promise.withResolvers<IteratorResult<ExecutionResult>>()
  let leave: (() => void) | null = null
  let isOver = false

  const take = ({ json, cursor }: Payload) => {
    if (!outlet.hasRoom()) return false
    const bytes = Buffer.allocUnsafe(head.length + json.length + 1)
    head.copy(bytes)
    json.copy(bytes, head.length)
    bytes[bytes.length - 1] = end
    outlet.write(bytes)
    place.cursor = cursor
    return true
  }
  const sink = { take, room: outlet.room, end: (error: unknown) => finish({ done: false, value: tell(error) }) }
  const next = async (): Promise<IteratorResult<ExecutionResult>> => {
    if (isOver) return done
    leave ??= feed(sink)
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
