import { setTimeout as sleep } from 'node:timers/promises'
import type { Context } from '../../context.ts'
import { NotFound } from '../../errors.ts'
import type { Hook } from '../functions/hooks.ts'
import { type FunctionPlan, findPlanToRun } from '../functions/plans.ts'
import { runFunction } from './run.ts'

/** What a function has answered, or why it has not. */
export type HookAnswer = { status: number; body: Buffer } | { missed: string }

const gone = 'It is gone, disabled, or has nothing to run.'

/** Runs a function as itself, and waits for as long as the hook says. */
export async function runHook(ctx: Context, hook: Hook, body: string): Promise<HookAnswer> {
  const { deadlineMs } = hook
  const settled = new AbortController()
  const late = sleep(deadlineMs, { missed: `It has not answered within ${deadlineMs} ms.` }, { signal: settled.signal })
  // Its executor ends it at the same moment, and says so in its execution; this is for one that does not.
  const given = AbortSignal.timeout(deadlineMs + graceMs)
  try {
    return await Promise.race([late, answerOf(ctx, hook, body, given)])
  } finally {
    late.catch(() => {})
    settled.abort()
  }
}

const graceMs = 500

async function answerOf(ctx: Context, hook: Hook, body: string, signal: AbortSignal): Promise<HookAnswer> {
  try {
    const plan = await findPlanToRun(ctx, hook.functionId)
    // Its hooks were read before it was changed.
    if (!plan?.enabled || !plan.deployment) return { missed: gone }
    const request = {
      method: 'POST',
      url: '/',
      headers: { 'content-type': 'application/json' },
      body: Buffer.from(body),
    }
    const outcome = await runFunction(ctx, asItself(plan, hook), { trigger: 'HOOK', request, signal })
    const { response, failure } = outcome
    if (!response) return { missed: `Its run has failed: ${failure}.` }
    return { status: response.status, body: outcome.body }
  } catch (error) {
    if (error instanceof NotFound) return { missed: gone }
    ctx.log.error({ err: error, functionId: hook.functionId }, 'a hook could not be run')
    return { missed: 'It could not be run.' }
  }
}

/** What decides for everybody has no more rights for the one than for the other. */
function asItself(plan: FunctionPlan, { deadlineMs }: Hook): FunctionPlan {
  return { ...plan, runAs: 'FUNCTION', timeoutMs: Math.min(plan.timeoutMs, deadlineMs) }
}
