import { setTimeout as sleep } from 'node:timers/promises'
import type { Context } from '../../context.ts'
import { NotFound } from '../../errors.ts'
import type { Hook } from '../functions/hooks.ts'
import { type FunctionPlan, findPlanToRun } from '../functions/plans.ts'
import { runFunction } from './run.ts'

/** What a function has answered. */
export type HookAnswer = { status: number; body: Buffer }
/** That there is no answer, or none that says anything, and why. */
export type Missed = { kind: 'missed'; reason: string }

const missed = (reason: string): Missed => ({ kind: 'missed', reason })
const gone = missed('It is gone, disabled, or has nothing to run.')

/** Runs a function as itself, and waits for as long as the hook says. What `read` misses in its answer its execution says, too. */
export async function runHook<T extends { kind: string }>(
  ctx: Context,
  hook: Hook,
  body: string,
  read: (answer: HookAnswer) => T | Missed,
): Promise<T | Missed> {
  const { deadlineMs } = hook
  const settled = new AbortController()
  const late = sleep(deadlineMs, missed(`It has not answered within ${deadlineMs} ms.`), { signal: settled.signal })
  // Its executor ends it at the same moment, and says so in its execution; this is for one that does not.
  const given = AbortSignal.timeout(deadlineMs + graceMs)
  try {
    return await Promise.race([late, answerOf(ctx, hook, body, { signal: given, read })])
  } finally {
    late.catch(() => {})
    settled.abort()
  }
}

const graceMs = 500

type How<T> = { signal: AbortSignal; read: (answer: HookAnswer) => T | Missed }

async function answerOf<T extends { kind: string }>(
  ctx: Context,
  hook: Hook,
  body: string,
  { signal, read }: How<T>,
): Promise<T | Missed> {
  try {
    const plan = await findPlanToRun(ctx, hook.functionId)
    // Its hooks were read before it was changed.
    if (!plan?.enabled || !plan.deployment) return gone
    const request = {
      method: 'POST',
      url: '/',
      headers: { 'content-type': 'application/json' },
      body: Buffer.from(body),
    }
    const reading: { verdict: T | Missed | null } = { verdict: null }
    const whyWrong = (answer: HookAnswer) => {
      const verdict = read(answer)
      reading.verdict = verdict
      return isMissed(verdict) ? verdict.reason : null
    }
    const { failure } = await runFunction(ctx, asItself(plan, hook), { trigger: 'HOOK', request, signal, whyWrong })
    return reading.verdict ?? missed(`Its run has failed: ${failure}.`)
  } catch (error) {
    if (error instanceof NotFound) return gone
    ctx.log.error({ err: error, functionId: hook.functionId }, 'a hook could not be run')
    return missed('It could not be run.')
  }
}

const isMissed = (verdict: { kind: string }): verdict is Missed => verdict.kind === 'missed'

/** What decides for everybody has no more rights for the one than for the other. */
function asItself(plan: FunctionPlan, { deadlineMs }: Hook): FunctionPlan {
  return { ...plan, runAs: 'FUNCTION', timeoutMs: Math.min(plan.timeoutMs, deadlineMs) }
}
