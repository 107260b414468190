import type { App } from '../app.ts'
import type { Context } from '../context.ts'
import { Unavailable } from '../errors.ts'
import { limits } from './limits.ts'

/** Whether a node has room for another request. */
export type Load = {
  /** Throws Unavailable, at once, when there is more to do than can be done in time. Members of projects are let in longer. */
  admit: (ctx: Pick<Context, 'actor'>) => void
  close: () => void
}

const everyMs = 100

export function createLoad({ sql, shares }: Pick<App, 'sql' | 'shares'>): Load {
  const delay = watchDelay()
  const admit = ({ actor }: Pick<Context, 'actor'>) => {
    const room = actor?.kind === 'account' ? limits.load.membersTimes : 1
    const waiting = sql.waitingCount + shares.waiting()
    if (waiting < limits.load.waiting * room && delay.ms() < limits.load.delayMs * room) return
    const { retryAfterMs } = limits.load
    throw new Unavailable('The server has too much to do right now. Try again.', { retryAfterMs })
  }
  return { admit, close: delay.close }
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
