/** What is taken one by one: a generator, or what does the like. */
export type Items<T> = Required<Pick<AsyncIterator<T, undefined, undefined>, 'next' | 'return'>>

/**
 * A generator that can be left while it waits. By itself it would wait for its next item before it took notice, and one
 * that has not begun would run none of its `finally`. `leave` must let what it waits for come to an end; it runs once,
 * however the iteration ends.
 */
export function leavable<T>(generator: Items<T>, leave: () => void | Promise<void>): AsyncIterableIterator<T> {
  let left: Promise<void> | undefined
  const leaveOnce = () => {
    left ??= Promise.resolve(leave())
    return left
  }
  const next = async () => {
    try {
      const result = await generator.next()
      if (result.done) await leaveOnce()
      return result
    } catch (error) {
      await leaveOnce()
      throw error
    }
  }
  const end = async () => {
    await leaveOnce()
    return generator.return(undefined)
  }
  const items = { next, return: end, [Symbol.asyncIterator]: () => items } as AsyncIterableIterator<T>
  return items
}
