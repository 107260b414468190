/** What a sandbox says is checked: its process may be in other hands. */
import type { RunResult } from '../engine.ts'
import type { LogLine, RunFailure } from '../protocol.ts'
import { type Answer, type Ended, limits } from './messages.ts'

const reasons = ['THREW', 'TIMEOUT', 'MEMORY', 'CRASHED', 'INVALID_ANSWER', 'TOO_LARGE'] as const
const maxText = 64 * 1024
/** The last moment of a `Date`, and what PostgreSQL can keep of the others. */
const most = { at: 8.64e15, ms: 2 ** 31 - 1, bytes: Number.MAX_SAFE_INTEGER, lines: 2 ** 31 - 1 } as const

const text = (value: unknown) => String(value ?? '').slice(0, maxText)

export function amount(value: unknown, of: keyof typeof most): number {
  return Number.isFinite(value) && Number(value) >= 0 ? Math.min(Number(value), most[of]) : 0
}

/** Those before the first that is too much for all of them together. */
function within<T>(items: readonly T[], bytes: number, sizeOf: (item: T) => number): T[] {
  let size = 0
  const end = items.findIndex((item) => {
    size += sizeOf(item)
    return size > bytes
  })
  return end < 0 ? [...items] : items.slice(0, end)
}

export function checkedHead({ status, headers }: Answer): [status: number, headers: Record<string, string>] {
  const entries = Object.entries(headers ?? {}).slice(0, limits.headers)
  const texts = entries.map(([name, value]) => [text(name), text(value)] as const)
  const known = Number.isInteger(status) && status >= 200 && status <= 599
  const kept = within(texts, limits.headerBytes, ([name, value]) => name.length + value.length)
  return [known ? status : 500, Object.fromEntries(kept)]
}

export function checkedEnd(ended: Ended, body: Buffer): RunResult {
  const { response, failure } = ended
  const head = response && body.length <= limits.answerBytes ? checkedHead(response) : null
  const end = {
    response: head && { status: head[0], headers: head[1] },
    failure: head ? null : checkedFailure(failure),
    durationMs: amount(ended.durationMs, 'ms'),
    memoryBytes: ended.memoryBytes === null ? null : amount(ended.memoryBytes, 'bytes'),
    isCold: ended.isCold === true,
    logs: checkedLines(ended.logs),
    logsDropped: amount(ended.logsDropped, 'lines'),
  }
  return { end, body: head ? body : Buffer.alloc(0) }
}

function checkedFailure(failure: RunFailure | null): RunFailure {
  const reason = reasons.find((one) => one === failure?.reason) ?? 'CRASHED'
  const stack = failure?.stack ? text(failure.stack) : null
  return { reason, message: text(failure?.message), stack }
}

/** All that is said of a run goes to its caller in one frame, which has an end. */
export function checkedLines(logs: unknown, bytes: number = limits.logBytes): LogLine[] {
  const lines = (Array.isArray(logs) ? logs : []).slice(0, limits.logLines).map(checkedLine)
  return within(lines, bytes, ({ text }) => text.length)
}

function checkedLine({ at, level, text: said }: LogLine): LogLine {
  return { at: amount(at, 'at'), level: level === 'error' ? 'error' : 'log', text: text(said) }
}
