/** What a sandbox says is checked: its process may be in other hands. */
import type { RunResult } from '../engine.ts'
import type { LogLine, RunFailure } from '../protocol.ts'
import { type Answer, type Ended, limits } from './messages.ts'

const reasons = ['THREW', 'TIMEOUT', 'MEMORY', 'CRASHED', 'INVALID_ANSWER', 'TOO_LARGE'] as const
const maxText = 64 * 1024

const text = (value: unknown) => String(value ?? '').slice(0, maxText)
const amount = (value: unknown) => (Number.isFinite(value) && Number(value) >= 0 ? Number(value) : 0)

export function checkedHead({ status, headers }: Answer): [status: number, headers: Record<string, string>] {
  const entries = Object.entries(headers ?? {}).slice(0, limits.headers)
  const known = Number.isInteger(status) && status >= 200 && status <= 599
  return [known ? status : 500, Object.fromEntries(entries.map(([name, value]) => [text(name), text(value)]))]
}

export function checkedEnd(ended: Ended, body: Buffer): RunResult {
  const { response, failure } = ended
  const head = response && body.length <= limits.answerBytes ? checkedHead(response) : null
  const end = {
    response: head && { status: head[0], headers: head[1] },
    failure: head ? null : checkedFailure(failure),
    durationMs: amount(ended.durationMs),
    memoryBytes: ended.memoryBytes === null ? null : amount(ended.memoryBytes),
    isCold: ended.isCold === true,
    logs: (Array.isArray(ended.logs) ? ended.logs : []).slice(0, limits.logLines).map(checkedLine),
    logsDropped: amount(ended.logsDropped),
  }
  return { end, body: head ? body : Buffer.alloc(0) }
}

function checkedFailure(failure: RunFailure | null): RunFailure {
  const reason = reasons.find((one) => one === failure?.reason) ?? 'CRASHED'
  const stack = failure?.stack ? text(failure.stack) : null
  return { reason, message: text(failure?.message), stack }
}

function checkedLine({ at, level, text: said }: LogLine): LogLine {
  return { at: amount(at), level: level === 'error' ? 'error' : 'log', text: text(said) }
}
