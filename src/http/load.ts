import type { App } from '../app.ts'
import type { Context } from '../context.ts'
import { Unavailable } from '../errors.ts'
import { type Aside, createShares, shareLimits } from '../platform/shares.ts'
import { limits } from './limits.ts'
import { createTurns, type Turns } from './turns.ts'

type Asking = Pick<Context, 'actor' | 'projectId'>

/** Whether a node has room for another request, and whose is next. */
export type Load = {
  /** Waits, before anything is done for a request, until it is its project's turn. */
  turn: Turns['wait']
  /** Throws Unavailable, at once, when there is more to do than can be done in time. Members of projects are let in longer. */
  admit: (ctx: Asking) => void
  /** Runs an operation when it is its project's turn: what one project asks for must not fill the node before others are heard. */
  run: <T>(ctx: Asking, work: (aside: Aside) => Promise<T>) => Promise<T>
  close: () => void
}

const everyMs = 100

export function createLoad({ env, sql, shares }: Pick<App, 'env' | 'sql' | 'shares'>): Load {
  const delay = watchDelay()
  // The members of a project are not kept waiting by its clients.
  // The connections have shares of their own, and not every operation takes one.
  const gate = () => createShares(env.DATABASE_POOL, shareLimits, limits.load)
  const [clients, members] = [gate(), gate()]
  const turns = createTurns()
  const admit = ({ actor }: Asking) => {
    const room = actor?.kind === 'account' ? limits.load.membersTimes : 1
    const waiting = turns.waiting() + sql.waitingCount + shares.waiting() + clients.waiting() + members.waiting()
    if (waiting < limits.load.waiting * room && delay.ms() < limits.load.delayMs * room) return
    const { retryAfterMs } = limits.load
    throw new Unavailable('The server has too much to do right now. Try again.', { retryAfterMs })
  }
  const run = <T>({ actor, projectId }: Asking, work: (aside: Aside) => Promise<T>) =>
    (actor?.kind === 'account' ? members : clients).run(projectId, work)
  return { turn: turns.wait, admit, run, close: delay.close }
}

/** How late timers are, the least of the last three: one long step is no reason to refuse anybody. */
function watchDelay(): { ms: () => number; close: () => void } {
  let expected = performance.now() + everyMs
  let late = [0, 0, 0]
  const timer = setInterval(() => {
    const now = performance.now()
    late = [...late.slice(1), Math.max(0, now - expected)]
    expected = now + everyMs
  }, everyMs).unref()
  return { ms: () => Math.min(...late), close: () => clearInterval(timer) }
}
