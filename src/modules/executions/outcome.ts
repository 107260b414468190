import type { RunFailure, RunResult } from '../../platform/sandbox.ts'
import type { FunctionPlan } from '../functions/plans.ts'
import type { Ended } from './records.ts'

/** Why an execution has no answer: what an executor says, or that too many runs have led to it, or that its caller may not have it any more. */
export type Failure = RunFailure['reason'] | 'DEPTH' | 'FORBIDDEN'

/** How much is kept of what a run says. */
export const keptLimits = {
  bodyBytes: 64 * 1024,
  headers: 64,
  headerCharacters: 1_024,
  logBytes: 64 * 1024,
  logLines: 1_000,
  errorCharacters: 8 * 1024,
}

type Line = Ended['logs'][number]

/** What is kept of a run. */
export function outcomeOf(plan: Pick<FunctionPlan, 'logging'>, result: RunResult, now: Date) {
  const { response, failure, durationMs, memoryBytes, isCold } = result
  return {
    status: failure === null ? ('COMPLETED' as const) : ('FAILED' as const),
    responseStatus: response?.status ?? null,
    responseHeaders: response && shortHeaders(response.headers),
    responseBody: response && result.body.subarray(0, keptLimits.bodyBytes).toString('utf8'),
    failure: failure?.reason ?? null,
    error: failure && errorText(failure),
    logs: plan.logging ? [...shortLogs(result), ...linesOf(result, now)] : [],
    durationMs: Math.round(durationMs),
    memoryBytes: memoryBytes === null ? null : Math.round(memoryBytes),
    isCold,
    finishedAt: now,
  }
}

/** The message, and where it came from. Many stacks begin with the message. */
function errorText({ message, stack }: Pick<RunFailure, 'message' | 'stack'>): string {
  const text = stack === null ? message : stack.includes(message) ? stack : `${message}\n${stack}`
  return text.slice(0, keptLimits.errorCharacters)
}

function shortHeaders(headers: Readonly<Record<string, string>>): Record<string, string> {
  const entries = Object.entries(headers).slice(0, keptLimits.headers)
  return Object.fromEntries(
    // A cookie may be somebody's session: it is for who is answered.
    entries.map(([name, value]) => [name, name === 'set-cookie' ? '***' : value.slice(0, keptLimits.headerCharacters)]),
  )
}

/** What we say of it. */
function linesOf({ hasReaderLeft }: RunResult, now: Date): Line[] {
  const text = 'Whom the answer was for left before its end, or read it too slowly: the run was ended.'
  return hasReaderLeft ? [{ at: now.getTime(), level: 'error', text }] : []
}

function shortLogs({ logs, logsDropped }: Pick<RunResult, 'logs' | 'logsDropped'>): Line[] {
  const lines: Line[] = []
  let left = keptLimits.logBytes
  for (const { at, level, text } of logs) {
    if (lines.length === keptLimits.logLines || left <= 0) break
    lines.push({ at, level, text: text.slice(0, left) })
    left -= text.length
  }
  const dropped = logsDropped + logs.length - lines.length
  const last = lines.at(-1)
  if (dropped > 0) lines.push({ at: last?.at ?? 0, level: 'error', text: `${dropped} more lines were not kept.` })
  return lines
}
