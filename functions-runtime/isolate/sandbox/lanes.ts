/**
 * A version of a function that is called often gets a second isolate: one runs on one core at a time, and runs of one isolate
 * wait for each other, also for one that loops.
 */
import type { Ground, Program } from './program.ts'

export type Lane = { program: Program; live: Set<string> }

export type Lanes = {
  /** The lane with the fewest runs. */
  pick: () => Lane
  isIdle: () => boolean
  /** What they hold, as far as is known. */
  bytes: () => number
  drop: (lane: Lane) => void
  dispose: () => void
  isEmpty: () => boolean
}

type Options = {
  first: Lane
  open: () => Promise<Lane>
  /** How many of these runs want a processor: all but those that wait for the world. */
  wanting: (live: ReadonlySet<string>) => number
}

const most = 2
/** From how many runs that want a processor at once. */
const crowd = 3
const idleMs = 10_000

export async function openLane(
  ground: Ground,
  program: Promise<Program>,
  onLost: (lane: Lane, why: string) => void,
): Promise<Lane> {
  const lane = { program: await program, live: new Set<string>() }
  ground.onLost((message) => onLost(lane, message))
  return lane
}

export function createLanes({ first, open, wanting }: Options): Lanes {
  let lanes = [first]
  let isOpening = false
  let timer: NodeJS.Timeout | undefined

  function widen(): void {
    isOpening = true
    open()
      .then((lane) => {
        lanes.push(lane)
        narrowLater()
      })
      .catch(() => {})
      .finally(() => {
        isOpening = false
      })
  }

  function narrowLater(): void {
    clearTimeout(timer)
    timer = setTimeout(() => {
      const [, second] = lanes
      if (second && second.live.size > 0) return narrowLater()
      lanes = lanes.slice(0, 1)
      second?.program.dispose()
    }, idleMs)
    timer.unref()
  }

  return {
    pick() {
      const lane = lanes.reduce((least, one) => (one.live.size < least.live.size ? one : least), lanes[0] ?? first)
      if (lanes.length < most && !isOpening && wanting(lane.live) >= crowd) widen()
      if (lanes.length > 1) narrowLater()
      return lane
    },
    bytes: () => lanes.reduce((sum, { program }) => sum + (program.lastBytes() ?? 0), 0),
    isIdle: () => lanes.every(({ live }) => live.size === 0),
    drop(lane) {
      lanes = lanes.filter((one) => one !== lane)
    },
    isEmpty: () => lanes.length === 0,
    dispose() {
      clearTimeout(timer)
      for (const { program } of lanes) program.dispose()
    },
  }
}
