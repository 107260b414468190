import { setTimeout as sleep } from 'node:timers/promises'
import { whyNoWrongClock } from '../wrong-clock.ts'
import type { Stage } from './stage.ts'
import { startTicking } from './ticking.ts'

/**
 * Does one thing to a running stage that it must withstand. Resolves when what was hurt is back, or when somebody else has
 * to take over; `since` is the moment from which recovery is counted, the end if left out. `broken` counts what did not hold.
 */
export type Fault = (stage: Stage, random: () => number) => Promise<{ since?: number; broken?: number } | undefined>

const between = (random: () => number, low: number, high: number) => low + random() * (high - low)
const any = (random: () => number, count: number) => Math.floor(random() * count)

const killOne =
  (kind: 'api' | 'sink' | 'worker'): Fault =>
  async ({ replace, processes }, random) => {
    const since = performance.now()
    await replace(kind, any(random, processes[kind].length), 'SIGKILL')
    return { since }
  }

export const faults: Record<string, Fault> = {
  'kill-api': killOne('api'),

  'kill-relay': async ({ replace, leader }) => {
    const leading = await leader()
    const since = performance.now()
    await replace('worker', leading, 'SIGKILL')
    return { since }
  },

  'kill-worker': killOne('worker'),

  'kill-sink': killOne('sink'),

  'kill-redis': async ({ redis }, random) => {
    await redis.kill()
    await sleep(between(random, 100, 900))
    await redis.start()
    return undefined
  },

  'kill-postgres': async ({ postgres }, random) => {
    await postgres.kill()
    await sleep(between(random, 0, 700))
    await postgres.start()
    return undefined
  },

  'mongo-down': async ({ mongo }, random) => {
    await mongo?.kill()
    // Longer than the queue waits for it, which is 5 s.
    await sleep(between(random, 6_000, 9_000))
    await mongo?.start()
    return undefined
  },

  'mongo-empty': async ({ mongo }, random) => {
    await mongo?.kill()
    await sleep(between(random, 0, 500))
    mongo?.empty()
    await mongo?.start()
    return undefined
  },

  /** Not dead but frozen: another takes over, and what it wakes up with is void. */
  'stop-relay': async ({ leader, processes }, random) => {
    const frozen = await leader()
    const since = performance.now()
    processes.worker[frozen]?.child.kill('SIGSTOP')
    const other = await otherThan(frozen, leader)
    await sleep(between(random, 0, 500))
    processes.worker[frozen]?.child.kill('SIGCONT')
    await sleep(500)
    return { since, broken: other ? 0 : 1 }
  },

  /** A network that says nothing, or that resets everything. */
  'cut-link': async ({ links }, random) => {
    const names = Object.keys(links).filter((name) => !name.startsWith('others'))
    const link = links[names[any(random, names.length)] ?? '']
    if (random() < 0.5) {
      link?.reset()
      return undefined
    }
    link?.hold()
    await sleep(between(random, 500, 4_000))
    if (random() < 0.5) link?.reset()
    link?.release()
    return undefined
  },

  'disk-full': async ({ disk, postgres }, random) => {
    if (disk.missing !== null) throw new Error(`There can be no small disk here: ${disk.missing}.`)
    await disk.fill()
    await sleep(between(random, 1_500, 3_000))
    await disk.free()
    // It may have given up: whoever looks after it starts it again.
    await sleep(300)
    await postgres.start()
    return undefined
  },

  /** The clocks of one API node and of one worker go wrong by an hour, forwards and backwards. */
  'clock-jump': async (stage) => {
    const { replace, whole, clock } = stage
    if (whyNoWrongClock !== null) throw new Error(`Clocks cannot be wrong here: ${whyNoWrongClock}.`)
    for (const kind of ['api', 'worker'] as const) await replace(kind, 0, 'SIGTERM', { env: clock.env })
    await whole()
    // The clock of schedules is to be one that goes wrong.
    await replace('worker', 1, 'SIGTERM')
    await whole()
    const task = await startTicking(stage)
    for (const seconds of [3_600, -3_600, 0]) {
      clock.set(seconds)
      await sleep(2_500)
    }
    return { broken: await task.stop() }
  },

  /** One after the other, as a cluster does it. */
  'rolling-restart': async ({ replace, whole }) => {
    let broken = 0
    for (const kind of ['api', 'worker'] as const) {
      for (const index of [0, 1]) {
        if ((await replace(kind, index, 'SIGTERM')) !== 0) broken += 1
        await whole()
      }
    }
    return { broken }
  },
}

async function otherThan(frozen: number, leader: () => Promise<number>): Promise<boolean> {
  for (const until = Date.now() + 10_000; Date.now() < until; await sleep(20)) {
    const leading = await leader().catch(() => frozen)
    if (leading !== frozen) return true
  }
  return false
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
