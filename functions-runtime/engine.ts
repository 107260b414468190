/** What an executor is made of: engines that run functions, and a build that makes what they run. */
import type { BuildFrame, LogLine, PrepareFrame, RunEnd, RunFailure, RunFrame, RuntimeState } from './protocol.ts'

/** One run, as an engine gets it. */
export type RunCall = {
  run: RunFrame
  /** The body of the function's request. */
  body: Buffer
  /** The bytes of `run.program.artefact`. Throws a RunError when nobody has them any more. */
  artefact: () => Promise<Buffer>
  /** Called by streamed runs only: once, before the first chunk. */
  onHead: (status: number, headers: Readonly<Record<string, string>>) => void
  /** Called by streamed runs only. Resolves when there is room for the next chunk. */
  onChunk: (bytes: Buffer) => Promise<void>
  /** Called by streamed runs only, whose answer is complete and that go on behind it. The body is empty where it was streamed. */
  onAnswered: (status: number, headers: Readonly<Record<string, string>>, body: Buffer) => void
  /** Resolves when it is written down that the run has begun. Nothing that others see may come before: engines of isolates ask. */
  recorded: () => Promise<void>
  /** Aborted when nobody waits for the answer any more. */
  signal: AbortSignal
}

/** The end of a run; the body is empty where the answer was streamed. */
export type RunResult = { end: Omit<RunEnd, 'kind' | 'id'>; body: Buffer }

export type Engine = {
  name: RuntimeState['engine']
  runtimes: () => readonly RuntimeState[]
  /** Answers how the run ended, whatever the function did. Throws a RunError for a run that could not begin. */
  run: (call: RunCall) => Promise<RunResult>
  /** Makes ready what will be run in a moment. */
  prepare?: (frame: PrepareFrame, artefact: RunCall['artefact']) => Promise<void>
  /** Told of what was built here: it is likely to be run here. */
  built?: (artefact: string, bytes: Buffer) => Promise<void>
  close: () => Promise<void>
}

/** Answers the artefact, or in words for those who own the function why there is none. */
export type Build = (
  frame: BuildFrame,
  archive: Buffer,
  onLine: (line: LogLine) => void,
  signal: AbortSignal,
) => Promise<{ artefact: Buffer } | { error: string }>

/** What a function asks of the world: `fetch` or `graphql`. The broker does it, with nothing but the run's own token. */
export type Effect = { op: 'fetch' | 'graphql'; head: unknown; body: Buffer }
export type EffectAnswer = { head: unknown; body: Buffer }

/** Does an effect for a run. `ordinal` counts a run's effects from 1. Throws errors whose message the function may read. */
export type Perform = (run: RunFrame, ordinal: number, effect: Effect, signal: AbortSignal) => Promise<EffectAnswer>

/** Why a run has no answer. */
export class RunError extends Error {
  readonly reason: RunFailure['reason']
  constructor(reason: RunFailure['reason'], message: string) {
    super(message)
    this.reason = reason
  }
}

/** The end of a run that has no answer. */
export function failed(failure: RunFailure, rest: Partial<RunResult['end']> = {}): RunResult {
  const nothing = { durationMs: 0, memoryBytes: null, isCold: false, logs: [], logsDropped: 0 }
  return { end: { ...nothing, ...rest, response: null, failure }, body: Buffer.alloc(0) }
}

export function failureOf(error: unknown): RunFailure {
  if (error instanceof RunError) return { reason: error.reason, message: error.message, stack: null }
  return { reason: 'CRASHED', message: 'Something went wrong in the executor.', stack: null }
}
