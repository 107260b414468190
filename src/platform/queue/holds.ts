/**
 * One job of the store that is this process' to run, or a place for one: until it is claimed, until it begins, while it runs,
 * and until the store has heard that it has ended or is given back.
 */
export type Hold = { name: string; inHand: boolean; id: string | null; stage: 'claim' | 'idle' | 'run' | 'end' }

export type Holds = {
  /** A place for a job of that name, or null when there is none. */
  reserve: (name: string, inHand: boolean) => Hold | null
  /** The place is that job's. */
  settle: (hold: Hold, id: string) => void
  find: (id: string) => Hold | undefined
  drop: (hold: Hold) => void
  /** Jobs of that stage. */
  at: (stage: Hold['stage']) => Hold[]
  count: () => number
}

/**
 * What a process holds of the store's jobs. Agenda counts those that it has claimed; those that were taken in hand
 * (`hand.ts`) it does not know of, so while there are any, both together are no more than may run at once.
 * Whoever was refused a place is told by `onFree` when there may be one.
 */
export function createHolds(concurrencyOf: (name: string) => number, onFree: (name: string) => void): Holds {
  const holds = new Set<Hold>()
  const byId = new Map<string, Hold>()
  const refused = new Set<string>()
  return {
    reserve: (name, inHand) => {
      const others = [...holds].filter((hold) => hold.name === name)
      const isShared = inHand || others.some((hold) => hold.inHand)
      if (isShared && others.length >= concurrencyOf(name)) {
        if (!inHand) refused.add(name)
        return null
      }
      const hold: Hold = { name, inHand, id: null, stage: 'claim' }
      holds.add(hold)
      return hold
    },
    settle: (hold, id) => {
      // A lock that got lost: the job is claimed again by who runs it.
      if (byId.has(id)) return void holds.delete(hold)
      hold.id = id
      hold.stage = 'idle'
      byId.set(id, hold)
    },
    find: (id) => byId.get(id),
    drop: (hold) => {
      holds.delete(hold)
      if (hold.id !== null && byId.get(hold.id) === hold) byId.delete(hold.id)
      if (refused.delete(hold.name)) onFree(hold.name)
    },
    at: (stage) => [...holds].filter((hold) => hold.stage === stage),
    count: () => holds.size,
  }
}
