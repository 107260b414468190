import { setTimeout as sleep } from 'node:timers/promises'
import { type Context, openMs } from '../context.ts'

/** How long the first try waits for what others have locked, at least; each later one waits twice as long. */
const patienceMs = 50
/** The longest pause after the first try; after each later one it is twice as long. */
const pauseMs = 20

/**
 * Runs what is undone when it fails, and again while others stand in its way, for `openMs`. PostgreSQL sees a deadlock only
 * after a second, and everybody else waits for it meanwhile: so all give up much sooner, and those of one project on this
 * node go on one after the other.
 */
export async function untilClear<T>(
  ctx: Context,
  run: (ctx: Context, until: number) => Promise<T>,
  isAgain: (error: unknown, tries: number) => boolean = isClash,
): Promise<T> {
  const until = performance.now() + openMs
  let clash: unknown = null
  for (let tries = 1; ; tries += 1) {
    const attempt = () => {
      const most = 0.9 * (until - performance.now())
      const patient = Math.min(most, patienceMs * 2 ** (tries - 1) * (1 + Math.random()))
      return run({ ...ctx, patienceMs: Math.max(1, Math.round(patient)) }, until)
    }
    try {
      return await (tries === 1 ? attempt() : inTurn(ctx.projectId, attempt))
    } catch (error) {
      // Whom time runs out for while they wait once more are told of what they wait for.
      if (!isAgain(error, tries)) throw performance.now() < until ? error : (clash ?? error)
      clash = error
      const pause = Math.random() * pauseMs * 2 ** (tries - 1)
      if (performance.now() + pause >= until) throw error
      await sleep(pause)
    }
  }
}

/** Serialization failures, deadlocks, and locks that were waited for too long: PostgreSQL's own error, or what is said of it. */
export function isClash(error: unknown): boolean {
  if (!(error instanceof Error)) return false
  const { code } = error as { code?: unknown }
  return ['40001', '40P01', '55P03'].includes(String(code)) || isClash(error.cause)
}

/** The last in the line of each project that has one. */
const lines = new Map<string, Promise<unknown>>()

async function inTurn<T>(projectId: string, work: () => Promise<T>): Promise<T> {
  const mine = (lines.get(projectId) ?? Promise.resolve()).then(work)
  const ended = mine.catch(() => {})
  lines.set(projectId, ended)
  try {
    return await mine
  } finally {
    if (lines.get(projectId) === ended) lines.delete(projectId)
  }
}
