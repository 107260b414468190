/** A queue between one producer that never waits and one consumer that may be slow. */
export type Queue<T> = AsyncIterable<T> & {
  /** False when it does not fit: the item is not kept. */
  push: (item: T, bytes: number) => boolean
  /** How full it is, from 0 to 1. */
  fill: () => number
  /** What is queued is still handed out, then the iteration is over. */
  finish: () => void
  /** Drops what is queued; the iteration ends now, with the error if one is given. */
  end: (error?: Error) => void
}

/** Holds at most so many items and so many bytes, but always takes one, however large, while it is empty. */
export function createQueue<T>(limits: { items: number; bytes: number }): Queue<T> {
  let items: { item: T; bytes: number }[] = []
  let bytes = 0
  let open = true
  let failure: Error | undefined
  let wake = () => {}

  const push = (item: T, size: number) => {
    const fits = items.length === 0 || (items.length < limits.items && bytes + size <= limits.bytes)
    if (!open || !fits) return false
    items.push({ item, bytes: size })
    bytes += size
    wake()
    return true
  }
  const finish = () => {
    open = false
    wake()
  }
  const end = (error?: Error) => {
    items = []
    bytes = 0
    failure ??= error
    finish()
  }
  async function* iterate() {
    for (;;) {
      const first = items.shift()
      if (first) {
        bytes -= first.bytes
        yield first.item
      } else if (open) {
        await new Promise<void>((resolve) => {
          wake = resolve
        })
      } else {
        if (failure) throw failure
        return
      }
    }
  }
  const fill = () => Math.max(items.length / limits.items, bytes / limits.bytes)
  return { push, finish, end, fill, [Symbol.asyncIterator]: iterate }
}
