/**
 * What the API and the workers say to an executor, and it to them: frames over one HTTP connection that was upgraded. The
 * caller sends `GET /executor` with `upgrade: tendril-executor` and `authorization: Bearer <EXECUTOR_SECRET>`; after the 101
 * both sides send frames, many runs side by side, told apart by `id`. Docs: docs/decisions/0021.
 */

import type { Writable } from 'node:stream'

/** The version of these frames. Executors of another are not used. */
export const protocolVersion = 1
/** Most bytes of a frame's head, as what the API has answered to a function, and of its body: a deployment's archive or artefact. */
export const maxHeadBytes = 16 * 1024 * 1024
export const maxBodyBytes = 64 * 1024 * 1024

/** What a run may use. `isTrusted` runs with a JIT and without the hard wall around memory. */
export type RunLimits = { timeoutMs: number; memoryMb: number; isTrusted: boolean }

/** What is run: an artefact that a build has made, named by the SHA-256 of its bytes in hex. */
export type Program = { runtime: string; deploymentId: string; artefact: string; entrypoint: string }

export type RunRequest = {
  method: string
  /** Path and query, as the function shall see them: `/orders?page=2`. */
  url: string
  headers: Readonly<Record<string, string>>
}

/** Runs a function once. The frame's body is the request's. */
export type RunFrame = {
  kind: 'run'
  id: string
  /** Whose process it runs in: the project. No two tenants share one. */
  tenant: string
  functionId: string
  executionId: string
  program: Program
  limits: RunLimits
  /** Environment variables of the function: secrets of the tenant. */
  variables: Readonly<Record<string, string>>
  /** Opens the project's GraphQL API, with what the function may there, for as long as the run lasts. */
  token: string
  request: RunRequest
  /** Whether the answer is wanted as it comes (`head`, `chunk`), or in one piece with `end`. */
  isStreamed: boolean
  /** False: the caller has not written down yet that it begins, and is asked to (`record`) before it does anything that others see. */
  isRecorded?: boolean
}

/**
 * Makes ready what will be run in a moment, while the caller writes that it begins: nothing of the function is run, and nothing
 * is answered. `isSent`: the artefact comes unasked. Otherwise an executor that does not have it waits for the run.
 */
export type PrepareFrame = Pick<RunFrame, 'id' | 'tenant' | 'functionId' | 'program' | 'limits'> & {
  kind: 'prepare'
  isSent: boolean
}

/** Makes an artefact of a deployment. The frame's body is its archive (tar.gz). */
export type BuildFrame = {
  kind: 'build'
  id: string
  tenant: string
  runtime: string
  entrypoint: string
  /** What to run in the build instead of the runtime's own command; runtimes in Docker only. */
  command: string | null
  variables: Readonly<Record<string, string>>
  timeoutMs: number
}

export type ToExecutor =
  | RunFrame
  | PrepareFrame
  | BuildFrame
  /** The bytes that `need` has asked for; none when they are gone. */
  | { kind: 'artefact'; hash: string; isMissing: boolean }
  /** What `record` has asked for is done. */
  | { kind: 'recorded'; id: string }
  /** Nobody waits for the answer any more. A run's end comes nevertheless, soon, with what it has said; executors of old send none. */
  | { kind: 'cancel'; id: string }

export type LogLine = { at: number; level: 'log' | 'error'; text: string }

/** Why a run has no answer. `CRASHED` and `UNAVAILABLE` may be tried again: it was not the function's doing, or not this run's. */
export type RunFailure = {
  reason: 'THREW' | 'TIMEOUT' | 'MEMORY' | 'CRASHED' | 'UNAVAILABLE' | 'INVALID_ANSWER' | 'TOO_LARGE'
  /** For those who own the function, with positions in their own sources. */
  message: string
  stack: string | null
}

/** The end of a run. Its answer's body is the frame's, unless it was streamed. */
export type RunEnd = {
  kind: 'end'
  id: string
  response: { status: number; headers: Readonly<Record<string, string>> } | null
  failure: RunFailure | null
  durationMs: number
  /** Bytes of memory that the function held at its end; null where that is not known. */
  memoryBytes: number | null
  isCold: boolean
  logs: readonly LogLine[]
  /** Lines that were left out, over the limit. */
  logsDropped: number
  /** What it has fetched, where its trace is recorded. */
  calls?: readonly RemoteCall[]
}

/** A call to another host. `agoMs`: how long before the end it began; `status` null: it had no answer. */
export type RemoteCall = { method: string; host: string; status: number | null; agoMs: number; durationMs: number }

/** The end of a build. The artefact is the frame's body. */
export type BuildEnd = { kind: 'built'; id: string; error: string | null; durationMs: number }

export type RuntimeState = {
  name: string
  /** Where it runs. */
  engine: 'isolate' | 'docker'
  /** Why it cannot run at present; null when it can. */
  unavailable: string | null
  /** The file that is run where a function names none. Older executors do not say. */
  entrypoint?: string
}

/** The first frame, and again when something in it has changed. */
export type Welcome = {
  kind: 'welcome'
  version: number
  instance: string
  runtimes: readonly RuntimeState[]
  /** Whether bubblewrap is around the isolates. */
  isSealed: boolean
  /** Whether it understands `prepare`; older ones do not say. */
  prepares?: boolean
  /** Whether runs in isolates that are not recorded wait with what others see; older ones do not. */
  records?: boolean
}

export type FromExecutor =
  | Welcome
  /** The executor leaves: what runs is finished, nothing more is taken. */
  | { kind: 'leaving' }
  | { kind: 'need'; id: string; hash: string }
  /** The code of that run is to come already, unasked or for another: until the caller has sent it, the run has not begun. */
  | { kind: 'waits'; id: string }
  /** That run is about to do something that others see, and waits until it is written down that it has begun. */
  | { kind: 'record'; id: string }
  | { kind: 'head'; id: string; status: number; headers: Readonly<Record<string, string>> }
  | { kind: 'chunk'; id: string }
  /** The answer of a streamed run is complete, and the run goes on behind it. The body is the answer's, where none of it was streamed. */
  | { kind: 'answered'; id: string; status: number; headers: Readonly<Record<string, string>> }
  /** A line of a build, as it comes. */
  | { kind: 'line'; id: string; line: LogLine }
  | RunEnd
  | BuildEnd

export type Frame<Head> = { head: Head; body: Buffer }

const empty = Buffer.alloc(0)
const tooLarge = 'A frame is too large.'

/**
 * Lengths of head and body, 4 bytes each, big-endian; the head as JSON; the body. Throws on what is too large: whoever was sent
 * it would end the connection, and with it what is under way for all others.
 */
export function encodeFrame(head: object, body: Buffer = empty): Buffer {
  const text = JSON.stringify(head)
  const length = Buffer.byteLength(text)
  if (length > maxHeadBytes || body.length > maxBodyBytes) throw new Error(tooLarge)
  const frame = Buffer.allocUnsafe(8 + length + body.length)
  frame.writeUInt32BE(length, 0)
  frame.writeUInt32BE(body.length, 4)
  frame.write(text, 8)
  frame.set(body, 8 + length)
  return frame
}

/**
 * Writes a frame, and all that are written in one turn of the event loop in one piece: to wake the process at the other end
 * costs more than a frame does, and runs come and end several at a time. False where there is no room for more.
 */
export function writeFrame(stream: Writable, head: object, body?: Buffer): boolean {
  if (stream.writableCorked === 0) {
    stream.cork()
    setImmediate(() => stream.uncork())
  }
  return stream.write(encodeFrame(head, body))
}

/** Takes bytes as they come and answers the frames that are complete with them. Throws on what is no frame, or too large. */
export function createDecoder<Head extends object>(): (bytes: Buffer) => Frame<Head>[] {
  let parts: Buffer[] = []
  let size = 0
  let wanted = 8
  return (bytes) => {
    parts.push(bytes)
    size += bytes.length
    const frames: Frame<Head>[] = []
    if (size < wanted) return frames
    let rest = parts.length === 1 ? bytes : Buffer.concat(parts)
    for (;;) {
      wanted = frameBytes(rest)
      if (rest.length < wanted) break
      const headEnd = 8 + rest.readUInt32BE(0)
      frames.push({ head: JSON.parse(rest.toString('utf8', 8, headEnd)), body: rest.subarray(headEnd, wanted) })
      rest = rest.subarray(wanted)
    }
    parts = [rest]
    size = rest.length
    return frames
  }
}

/** How many bytes the frame has that begins here, or 8 where that is not known yet. */
function frameBytes(bytes: Buffer): number {
  if (bytes.length < 8) return 8
  const head = bytes.readUInt32BE(0)
  const body = bytes.readUInt32BE(4)
  if (head > maxHeadBytes || body > maxBodyBytes) throw new Error(tooLarge)
  return 8 + head + body
}
