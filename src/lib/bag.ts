/** Things that come and go, in no order. */
export type Bag<T> = Iterable<T> & { add: (thing: T) => void; remove: (thing: T) => void; size: () => number }

/**
 * For what comes and goes with each request, in place of a Set. A Set gets a new table whenever it has emptied or outgrown
 * its own, and V8 has the old table point to the new one. Once one of them is in the old generation, all that follow are
 * kept alive by it, with what was in them, until the next major collection.
 */
export function createBag<T>(): Bag<T> {
  const things: T[] = []
  return {
    add: (thing) => void things.push(thing),
    remove: (thing) => {
      // From the end: what came last mostly goes first, and what stays for hours, as streams do, is at the beginning.
      const place = things.lastIndexOf(thing)
      const last = things.at(-1)
      if (place < 0 || last === undefined) return
      things[place] = last
      things.pop()
    },
    size: () => things.length,
    [Symbol.iterator]: () => things.values(),
  }
}
