import type { ExecutionResult } from 'graphql'

/** An answer: one result, or the results of a subscription. */
export type Answer = ExecutionResult | AsyncIterableIterator<ExecutionResult>

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
): AsyncIterableIterator<T> {
  const iterator = source[Symbol.asyncIterator]()
  let ended = false
  const end = async (): Promise<IteratorResult<T>> => {
    if (!ended) {
      ended = true
      await iterator.return?.()
    }
    return { done: true, value: undefined }
  }
  return {
    next: async () => {
      if (ended) return { done: true, value: undefined }
      try {
        const step = await iterator.next()
        return step.done ? step : { done: false, value: map(step.value) }
      } catch (error) {
        if (ended) return { done: true, value: undefined }
        ended = true
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

/** The cursor of the event that a result tells, where the operation asked for it: the one to resume after. */
export function cursorOf({ data }: { data?: unknown }): string | undefined {
  for (const value of Object.values((data ?? {}) as Record<string, unknown>)) {
    const cursor = (value as { cursor?: unknown } | null)?.cursor
    if (typeof cursor === 'string') return cursor
  }
  return undefined
}
