/** What the supervisor says to a sandbox process, and it to the supervisor: frames as in protocol.ts, over its file 3. */
import type { LogLine, RunFailure, RunRequest } from '../protocol.ts'

export type Run = {
  kind: 'run'
  id: string
  functionId: string
  /** The SHA-256 of the program's text. */
  program: string
  timeoutMs: number
  memoryMb: number
  variables: Readonly<Record<string, string>>
  request: RunRequest
  isStreamed: boolean
}

export type ToSandbox =
  | Run
  /** A program's text, before the first run of it. */
  | { kind: 'program'; program: string }
  /** What V8 has made of the program whose text came before it. */
  | { kind: 'code'; program: string }
  /** Asks for that. */
  | { kind: 'compile'; program: string }
  /** A run of it comes in a moment. */
  | ({ kind: 'prepare' } & Pick<Run, 'functionId' | 'program' | 'memoryMb'>)
  /** Nobody waits for it any more: it ends, and says so with what it has logged. */
  | { kind: 'cancel'; id: string }
  /** The answer to an effect, or that there was room for a chunk. */
  | { kind: 'answer'; id: string; effect: number; head: unknown; error: { name: string; message: string } | null }

export type Answer = { status: number; headers: Record<string, string> }

export type Ended = {
  kind: 'ended'
  id: string
  response: Answer | null
  failure: RunFailure | null
  durationMs: number
  memoryBytes: number | null
  isCold: boolean
  logs: LogLine[]
  logsDropped: number
}

export type FromSandbox =
  | { kind: 'ready' }
  /** The body is the code of the program that was to be compiled; none where it cannot be read. */
  | { kind: 'compiled' }
  /** The program of that run is not here; the run has not begun. */
  | { kind: 'missing'; id: string; program: string }
  | Ended
  | ({ kind: 'head'; id: string } & Answer)
  | { kind: 'chunk'; id: string; effect: number }
  | ({ kind: 'answered'; id: string } & Answer)
  /** What a run has logged since it told of it last. Its end tells all of it. */
  | { kind: 'said'; id: string; lines: LogLine[] }
  | { kind: 'effect'; id: string; effect: number; op: 'fetch' | 'graphql'; head: unknown }
  | { kind: 'giveUp'; id: string; effect: number }
  /** Which runs have held a processor for a while: one of them, when the process dies. */
  | { kind: 'busy'; ids: string[] }
  /** The process is lost to these runs, and ends. */
  | { kind: 'dying'; ids: string[]; reason: 'MEMORY' | 'TIMEOUT' }

/** The run that comes before any of a tenant's, and its program. No run of theirs is called so. */
export const warmUpId = 'warm-up'

/** Why a run was cancelled. */
export const unwanted: RunFailure = { reason: 'CRASHED', message: 'Nobody waits for the answer.', stack: null }

export type Send = (head: FromSandbox, body?: Buffer) => void

export const limits = {
  /** Of one project on one executor, at once; more wait for their turn. */
  runs: 64,
  waiting: 1_000,
  answerBytes: 6 * 1024 * 1024,
  streamedBytes: 256 * 1024 * 1024,
  headers: 64,
  headerBytes: 16 * 1024,
  logLines: 1_000,
  logBytes: 64 * 1024,
  /** Of one call out of an isolate. */
  callJson: 4 * 1024 * 1024,
  callBytes: 10 * 1024 * 1024,
  pending: 1_000,
  effects: 64,
  /** Streams of a run that pack or unpack, and what they are given and give at once. */
  zips: 32,
  zipBytes: 64 * 1024,
  programs: 32,
  /** What isolates that have nothing to do may hold together, the last of them excepted. */
  idleBytes: 128 * 1024 * 1024,
  /** Programs that are read at once before their first run. */
  prepared: 4,
} as const
