import { Unavailable } from '../errors.ts'
import { createBusyCache } from '../lib/busy-cache.ts'
import { createNeighbours } from '../platform/neighbours.ts'
import { shareLimits } from '../platform/shares.ts'
import { limits } from './limits.ts'

/** Whose request is looked at next: sixteen that come at once must not all be worked on before another project is heard. */
export type Turns = {
  /** Resolves when it is this project's turn; null where that is at once. Throws Unavailable when too much of it waits. */
  wait: (projectId: string) => Promise<void> | null
  waiting: () => number
}

/** How many of those that wait are begun in one pass of the event loop. Whoever has none waiting begins at once. */
const begunInPass = 4

/** `begunIn`: the pass in which the latest of its requests was begun. */
type Project = { queue: (() => void)[]; begunIn: number }

/** While others ask too, each project begins one request in a pass of the event loop: then sockets are read again. */
export function createTurns(recentMs: number = shareLimits.recentMs): Turns {
  const neighbours = createNeighbours(recentMs)
  const { find } = createBusyCache<Project>(
    shareLimits.projects,
    () => ({ queue: [], begunIn: -1 }),
    ({ queue }) => queue.length > 0,
  )
  /** Those that have something waiting, in the order of their turns. */
  let queued: Project[] = []
  let passes = 0
  let waiting = 0
  let isWatched = false

  const watch = () => {
    if (isWatched) return
    isWatched = true
    setImmediate(pass)
  }
  const pass = () => {
    isWatched = false
    passes += 1
    const turn = queued.splice(0, begunInPass)
    for (const project of turn) {
      project.begunIn = passes
      waiting -= 1
      project.queue.shift()?.()
    }
    // The next of a project is behind those of all others.
    queued = [...queued, ...turn.filter(({ queue }) => queue.length > 0)]
    if (turn.length > 0) watch()
  }
  const wait = (projectId: string) => {
    neighbours.note(projectId)
    const project = find(projectId)
    const { queue } = project
    if (queue.length === 0 && !neighbours.ask()) return null
    if (queue.length === 0 && project.begunIn !== passes) {
      project.begunIn = passes
      watch()
      return null
    }
    if (queue.length >= limits.load.waiting) throw tooMuch()
    if (queue.length === 0) queued.push(project)
    waiting += 1
    return new Promise<void>((resolve) => {
      queue.push(resolve)
      watch()
    })
  }
  return { wait, waiting: () => waiting }
}

function tooMuch(): Unavailable {
  const { retryAfterMs } = limits.load
  return new Unavailable('This project asks for more than its share right now. Try again.', { retryAfterMs })
}
