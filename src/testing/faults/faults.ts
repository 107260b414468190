import { setTimeout as sleep } from 'node:timers/promises'
import { leaderOf, type Stage } from './stage.ts'

/** Does one thing to a running stage that it must withstand. Resolves when what was hurt is back. */
export type Fault = (stage: Stage, random: () => number) => Promise<void>

const between = (random: () => number, low: number, high: number) => low + random() * (high - low)

export const faults: Record<string, Fault> = {
  'kill-api': async ({ apis, replace }, random) => replace(apis, Math.floor(random() * apis.length)),

  'kill-relay': async ({ relays, replace }) => replace(relays, await leaderOf(relays)),

  'kill-redis': async ({ redis }, random) => {
    await redis.kill()
    await sleep(between(random, 100, 900))
    await redis.start()
  },

  /** Not dead but frozen: another takes over, and what it wakes up with is void. */
  'stop-relay': async ({ relays }, random) => {
    const frozen = relays[await leaderOf(relays)]
    frozen?.process.kill('SIGSTOP')
    await leaderOf(relays.filter((relay) => relay !== frozen))
    await sleep(between(random, 0, 500))
    frozen?.process.kill('SIGCONT')
    await sleep(500)
  },

  'kill-sink': async ({ sinks, replace }, random) => replace(sinks, Math.floor(random() * sinks.length)),
}

/** The same numbers for the same seed (mulberry32), so that a run can be tried again. */
export function createRandom(seed: number): () => number {
  let state = seed >>> 0
  return () => {
    state = (state + 0x6d2b79f5) >>> 0
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state)
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32
  }
}
