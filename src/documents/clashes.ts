import { setTimeout as sleep } from 'node:timers/promises'
import { type Context, openMs } from '../context.ts'
import { shareLimits } from '../platform/shares.ts'

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
    const attempt = (isOver = false) => {
      const left = until - performance.now()
      if (isOver || left <= 0) throw clash
      const patient = Math.min(0.9 * left, patienceMs * 2 ** (tries - 1) * (1 + Math.random()))
      return run({ ...ctx, patienceMs: Math.max(1, Math.round(patient)) }, until)
    }
    try {
      return await (tries === 1 ? attempt() : inTurn(ctx.projectId, until, attempt))
    } catch (error) {
      // Whom time runs out for while they wait once more are told of what they wait for.
      if (!isAgain(error, tries)) throw performance.now() < until ? error : (clash ?? error)
      clash = error
      const pause = Math.random() * pauseMs * 2 ** (tries - 1)
      if (performance.now() + pause >= until) throw error
      await sleep(pause)
      if (isFull(ctx.projectId)) throw error
    }
  }
}

/** Serialization failures, deadlocks, and locks that were waited for too long: PostgreSQL's own error, or what is said of it. */
export function isClash(error: unknown): boolean {
  if (!(error instanceof Error)) return false
  const { code } = error as { code?: unknown }
  return ['40001', '40P01', '55P03'].includes(String(code)) || isClash(error.cause)
}

/** What begins the turn of each in the line of a project; the first one's has begun. */
const lines = new Map<string, Set<(isOver: boolean) => void>>()

/** As many wait here as may wait for their project's share: what they were sent is kept meanwhile. */
const isFull = (projectId: string) => (lines.get(projectId)?.size ?? 0) > shareLimits.waiting

/** Runs `work` after what stands in line before it, or once time has run out: then it is told, and only has to say so. */
async function inTurn<T>(projectId: string, until: number, work: (isOver: boolean) => Promise<T>): Promise<T> {
  const line = lines.get(projectId) ?? new Set()
  const { promise: turn, resolve: begin } = Promise.withResolvers<boolean>()
  line.add(begin)
  lines.set(projectId, line)
  if (line.size === 1) begin(false)
  // A timer may be early, by the time that the event loop stood still before.
  const timer = setTimeout(begin, Math.max(0, until - performance.now()), true)
  try {
    return await work(await turn)
  } finally {
    clearTimeout(timer)
    line.delete(begin)
    const [next] = line
    if (next) next(false)
    else lines.delete(projectId)
  }
}
