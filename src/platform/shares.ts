import { Unavailable } from '../errors.ts'
import { createBusyCache } from '../lib/busy-cache.ts'
import { createNeighbours } from './neighbours.ts'

/** Who may use the connections of a pool at a time, so that one busy project leaves room for the others. */
export type Shares = {
  /** Runs what needs one connection, once the project has one to spare. Throws Unavailable rather than wait for long. */
  run: <T>(projectId: string, work: (aside: Aside) => Promise<T>) => Promise<T>
  /** How many wait for their project's share. */
  waiting: () => number
}

/** Gives one's place to others while one waits for something that needs none; afterwards one goes on at once. */
export type Aside = <T>(wait: () => Promise<T>) => Promise<T>

export const shareLimits = {
  /** How long work waits for its turn. */
  waitMs: 5_000,
  /** How much work of one project may wait. */
  waiting: 250,
  /** For how long a project counts as busy after it has asked for something. */
  recentMs: 10_000,
  /** How many projects are told apart, and all that are busy besides. */
  projects: 5_000,
} as const

type Turn = { start: () => void; giveUp: () => void; until: number }
type Project = { running: number; turns: Turn[] }

/**
 * A project that is alone may use all connections but one; beside others, a quarter of them, so that theirs find PostgreSQL idle
 * more often than not. What it has beyond that when they come is not taken from it, but not given anew either.
 */
export function createShares(
  connections: number,
  limits: typeof shareLimits = shareLimits,
  { alone, beside } = sharesOf(connections),
): Shares {
  const projects = createBusyCache<Project>(
    limits.projects,
    () => ({ running: 0, turns: [] }),
    ({ running, turns }) => running > 0 || turns.length > 0,
  )
  const { find } = projects
  let waiting = 0
  const neighbours = createNeighbours(limits.recentMs)
  const mostOf = () => (neighbours.ask() ? beside : alone)

  const leave = (project: Project) => {
    project.running -= 1
    while (project.running < mostOf()) {
      const turn = project.turns.shift()
      if (!turn) break
      waiting -= 1
      project.running += 1
      turn.start()
    }
  }
  // One timer for all who wait: one for each would cost more than what most of them wait for.
  let isSwept = false
  const sweep = () => {
    isSwept = false
    const now = performance.now()
    for (const { turns } of projects.values()) {
      while (turns[0] && turns[0].until <= now) {
        waiting -= 1
        turns.shift()?.giveUp()
      }
    }
    watch()
  }
  const watch = () => {
    if (waiting === 0 || isSwept) return
    isSwept = true
    setTimeout(sweep, limits.waitMs / 10)
  }
  const turnOf = (project: Project) =>
    new Promise<void>((resolve, reject) => {
      if (project.turns.length >= limits.waiting) return reject(tooMuch())
      project.turns.push({ start: resolve, giveUp: () => reject(tooMuch()), until: performance.now() + limits.waitMs })
      waiting += 1
      watch()
    })
  const finish = async <T>(projectId: string, project: Project, work: (aside: Aside) => Promise<T>): Promise<T> => {
    let held = project
    const aside: Aside = async (wait) => {
      leave(held)
      try {
        return await wait()
      } finally {
        held = find(projectId)
        held.running += 1
      }
    }
    try {
      return await work(aside)
    } finally {
      leave(held)
    }
  }
  const run = <T>(projectId: string, work: (aside: Aside) => Promise<T>): Promise<T> => {
    neighbours.note(projectId)
    const project = find(projectId)
    if (project.running >= mostOf()) return turnOf(project).then(() => finish(projectId, project, work))
    project.running += 1
    return finish(projectId, project, work)
  }
  return { run, waiting: () => waiting }
}

function sharesOf(connections: number): { alone: number; beside: number } {
  return { alone: Math.max(1, connections - 1), beside: Math.max(1, Math.floor(connections / 4)) }
}

function tooMuch(): Unavailable {
  return new Unavailable('This project asks for more than its share right now. Try again.', { retryAfterMs: 1_000 })
}
