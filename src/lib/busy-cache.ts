import { LRUCache } from 'lru-cache'

export type BusyCache<T> = {
  /** The thing of that name, or a new one. */
  find: (name: string) => T
  values: () => Iterable<T>
}

/** The `max` things that were asked for last, and besides them all that are busy: who holds one must not meet another. */
export function createBusyCache<T extends object>(
  max: number,
  make: () => T,
  isBusy: (thing: T) => boolean,
): BusyCache<T> {
  /** Busy when others took their place. */
  const apart = new Map<string, T>()
  const setApart = (name: string, thing: T) => {
    for (const [other, held] of apart) if (!isBusy(held)) apart.delete(other)
    apart.set(name, thing)
  }
  // What has nothing to do stays: a Map that empties and fills costs what a Set does (`bag.ts`).
  const kept = new LRUCache<string, T>({
    max,
    dispose: (thing, name, reason) => {
      if (reason === 'evict' && isBusy(thing)) setApart(name, thing)
    },
  })
  return {
    find: (name) => {
      const known = kept.get(name)
      if (known) return known
      const thing = apart.get(name) ?? make()
      apart.delete(name)
      kept.set(name, thing)
      return thing
    },
    *values() {
      yield* kept.values()
      yield* apart.values()
    },
  }
}
