/** One run in a container: the function's request goes in, its logs, its calls and its answer come out. */
import { type Effect, failed, type Perform, type RunCall, type RunResult } from '../engine.ts'
import type { RunFailure, RunFrame } from '../protocol.ts'
import type { Container } from './container.ts'
import type { FromShim, ShimFrame } from './frames.ts'
import { createLog } from './logs.ts'

/** Most bytes of an answer. */
const maxAnswerBytes = 10 * 1024 * 1024
const tooLarge = `An answer may have ${maxAnswerBytes / 1024 / 1024} MB.`

export type Held = { container: Container; isCold: boolean }
export type Ran = { result: RunResult; isReusable: boolean }

/** Answers how it ended, and whether the container can be used again. `begun` is by performance.now(). */
export function runIn({ container, isCold }: Held, call: RunCall, perform: Perform, begun: number): Promise<Ran> {
  const { run, body, signal } = call
  const log = createLog()
  const gone = new AbortController()
  const { promise, resolve } = Promise.withResolvers<Ran>()
  const finish = (memoryBytes: number | null, answer: Answer | RunFailure) => {
    if (gone.signal.aborted) return
    clearTimeout(timer)
    signal.removeEventListener('abort', cancel)
    gone.abort()
    // What was written around the shim may have come in the same piece.
    setImmediate(() => {
      container.listen(null)
      container.flow(true)
      const rest = { durationMs: performance.now() - begun, memoryBytes, isCold, ...log.end() }
      if ('reason' in answer) resolve({ result: failed(answer, rest), isReusable: isOwn(answer) })
      else
        resolve({
          result: { end: { ...rest, response: answer.response, failure: null }, body: answer.body },
          isReusable: true,
        })
    })
  }
  const because = (reason: RunFailure['reason'], message: string) => finish(null, { reason, message, stack: null })
  const cancel = () => because('CRASHED', 'Nobody waits for the answer any more.')
  const { timeoutMs } = run.limits
  const timer = setTimeout(because, timeoutMs, 'TIMEOUT', `The function ran longer than ${timeoutMs} ms.`)
  signal.addEventListener('abort', cancel)
  void container.ended.then(({ reason, message }) => because(reason, message))

  const effect = effectsOf(run, container, perform, gone.signal)
  const stream = async (bytes: Buffer) => {
    container.flow(false)
    await call.onChunk(bytes)
    container.flow(true)
  }
  const take = ({ head, body: bytes }: ShimFrame) => {
    if (bytes.length > maxAnswerBytes) because('TOO_LARGE', tooLarge)
    else if (head.kind === 'log') log.say(head.level === 'error' ? 'error' : 'log', String(head.text))
    else if (head.kind === 'end') finish(head.memoryBytes, answerOf(head, bytes))
    else if (head.kind === 'failed')
      finish(head.memoryBytes, { reason: head.reason, message: head.message, stack: head.stack })
    else if (head.kind === 'head') call.onHead(head.status, head.headers)
    else if (head.kind === 'chunk') void stream(bytes)
    else if (head.kind === 'graphql' || head.kind === 'fetch') void effect(head, bytes)
  }
  container.listen({ onFrame: (frame) => gone.signal.aborted || take(frame), onError: log.write })
  const { method, url, headers } = run.request
  const asked = { kind: 'run', id: run.executionId, method, url, headers, isStreamed: run.isStreamed } as const
  container.send({ ...asked, entrypoint: run.program.entrypoint, variables: run.variables }, body)
  return promise
}

type Answer = { response: { status: number; headers: Readonly<Record<string, string>> }; body: Buffer }

/** After what the shim itself has told, it waits for the next run. */
function isOwn({ reason }: RunFailure): boolean {
  return reason === 'THREW' || reason === 'INVALID_ANSWER'
}

function answerOf({ status, headers }: Extract<FromShim, { kind: 'end' }>, body: Buffer): Answer | RunFailure {
  const isStatus = Number.isInteger(status) && status >= 200 && status <= 599
  if (isStatus && Object.values(headers).every((value) => typeof value === 'string'))
    return { response: { status, headers }, body }
  return { reason: 'INVALID_ANSWER', message: 'The status must be from 200 to 599, the headers texts.', stack: null }
}

/** Does what the function asks of the world, and tells it how that went. */
function effectsOf(run: RunFrame, container: Container, perform: Perform, signal: AbortSignal) {
  let ordinal = 0
  return async (asked: Extract<FromShim, { kind: Effect['op'] }>, body: Buffer): Promise<void> => {
    const { kind: op, call, ...head } = asked
    ordinal += 1
    try {
      const answer = await perform(run, ordinal, { op, head, body }, signal)
      const { status = 200, headers = {} } = answer.head as { status?: number; headers?: Record<string, string> }
      if (!signal.aborted) container.send({ kind: 'reply', call, error: null, status, headers }, answer.body)
    } catch (error) {
      const message = error instanceof Error ? error.message : String(error)
      if (!signal.aborted) container.send({ kind: 'reply', call, error: message, status: 0, headers: {} })
    }
  }
}
