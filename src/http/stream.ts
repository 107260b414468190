import type { ExecutionResult } from 'graphql'
import type { Feed } from '../changes/feed.ts'
import { Unauthenticated } from '../errors.ts'
import { TooSlow } from '../tail.ts'

/** An answer: one result, or the results of a subscription. */
export type Answer = ExecutionResult | AsyncIterableIterator<ExecutionResult>

/** A subscription whose payloads come as they are to be sent. What it ends with is told as a last result. */
export type Fed = { feed: Feed; tell: (error: unknown) => ExecutionResult }

/** An answer whose JSON is made already, errors and all. */
export type Raw = { json: string }

export function isRaw(answer: object): answer is Raw {
  return 'json' in answer
}

/** The JSON of an answer. */
export function jsonOf(answer: ExecutionResult | Raw): string {
  return isRaw(answer) ? answer.json : JSON.stringify(answer)
}

export function isStream(answer: unknown): answer is AsyncIterableIterator<ExecutionResult> {
  return typeof answer === 'object' && answer !== null && Symbol.asyncIterator in answer
}

/**
 * Maps a stream, and what it fails with. No generator: `return()` must reach the source while `next()` still waits for it,
 * or a client that leaves a silent subscription would never be forgotten.
 */
export function mapStream<T>(
  source: AsyncIterable<T>,
  map: (value: T) => T,
  fail: (error: unknown) => T,
  onEnd: () => void = () => {},
): AsyncIterableIterator<T> {
  const iterator = source[Symbol.asyncIterator]()
  let ended = false
  const setEnded = () => {
    if (!ended) onEnd()
    ended = true
  }
  const end = async (): Promise<IteratorResult<T>> => {
    if (!ended) {
      setEnded()
      await iterator.return?.()
    }
    return { done: true, value: undefined }
  }
  return {
    next: async () => {
      if (ended) return { done: true, value: undefined }
      try {
        const step = await iterator.next()
        if (step.done) setEnded()
        return step.done ? step : { done: false, value: map(step.value) }
      } catch (error) {
        if (ended) return { done: true, value: undefined }
        setEnded()
        return { done: false, value: fail(error) }
      }
    },
    return: end,
    throw: end,
    [Symbol.asyncIterator]() {
      return this
    },
  }
}

/** The code of an answer's first error, or `OK`. */
export function codeOf(answer: Answer): string {
  return isStream(answer) || !answer.errors?.[0] ? 'OK' : String(answer.errors[0].extensions.code)
}

/** The cursor of the event that a result tells, where the operation asked for it: the one to resume after. */
export function cursorOf({ data }: ExecutionResult): string | undefined {
  for (const value of Object.values(data ?? {})) {
    const cursor = (value as { cursor?: unknown } | null)?.cursor
    if (typeof cursor === 'string') return cursor
  }
  return undefined
}

/** Why a stream ended before its time, as its last result tells: its client did not keep up, or is nobody any more. */
export function cutOf({ data, errors }: ExecutionResult): TooSlow | Unauthenticated | null {
  const cause = data === undefined ? errors?.[0]?.originalError : null
  return cause instanceof TooSlow || cause instanceof Unauthenticated ? cause : null
}
