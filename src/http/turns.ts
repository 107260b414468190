import { Unavailable } from '../errors.ts'
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

/** While others ask too, each project begins one request in a pass of the event loop: then sockets are read again. */
export function createTurns(recentMs: number = shareLimits.recentMs): Turns {
  const neighbours = createNeighbours(recentMs)
  const queues = new Map<string, (() => void)[]>()
  const begun = new Set<string>()
  let waiting = 0
  let isWatched = false

  const watch = () => {
    if (isWatched || (begun.size === 0 && queues.size === 0)) return
    isWatched = true
    setImmediate(pass)
  }
  const pass = () => {
    isWatched = false
    begun.clear()
    for (const [projectId, queue] of [...queues].slice(0, begunInPass)) {
      begun.add(projectId)
      waiting -= 1
      queue.shift()?.()
      // The next of this project is behind those of all others.
      queues.delete(projectId)
      if (queue.length > 0) queues.set(projectId, queue)
    }
    watch()
  }
  const wait = (projectId: string) => {
    neighbours.note(projectId)
    const queue = queues.get(projectId)
    if (!queue && !neighbours.ask()) return null
    if (!queue && !begun.has(projectId)) {
      begun.add(projectId)
      watch()
      return null
    }
    const queued = queue ?? []
    if (queued.length >= limits.load.waiting) throw tooMuch()
    queues.set(projectId, queued)
    waiting += 1
    return new Promise<void>((resolve) => {
      queued.push(resolve)
      watch()
    })
  }
  return { wait, waiting: () => waiting }
}

function tooMuch(): Unavailable {
  const { retryAfterMs } = limits.load
  return new Unavailable('This project asks for more than its share right now. Try again.', { retryAfterMs })
}
