/** One run in a container: the function's request goes in, its logs, its calls and its answer come out. */
import { failed, type Perform, type RunCall, type RunResult } from '../engine.ts'
import { checkedAnswer } from '../isolate/answer.ts'
import { amount } from '../isolate/checked.ts'
import { limits } from '../isolate/messages.ts'
import type { RunFailure } from '../protocol.ts'
import type { Container } from './container.ts'
import { effectsOf } from './effects.ts'
import type { FromShim, ShimFrame } from './frames.ts'
import { createLog } from './logs.ts'

const maxText = 64 * 1024
/** How long a run goes on that nobody waits for. */
const leaveMs = 300
const tooLarge = `The answer is larger than ${limits.answerBytes / 1024 / 1024} MB.`

export type Held = { container: Container; isCold: boolean }
export type Ran = { result: RunResult; isReusable: boolean }

/** Answers how it ended, and whether the container can be used again. `begun` is by performance.now(). */
export function runIn({ container, isCold }: Held, call: RunCall, perform: Perform, begun: number): Promise<Ran> {
  const { run, body, signal } = call
  const log = createLog()
  const gone = new AbortController()
  const { promise, resolve } = Promise.withResolvers<Ran>()
  let held: Answer | null = null
  const finish = (memoryBytes: number | null, given: Answer | RunFailure, isEnd = true) => {
    if (gone.signal.aborted) return
    const answer = held ?? given
    // What has answered has not failed, whatever becomes of what it has left to be done.
    const isCut = held !== null && 'reason' in given
    if (isCut) log.say('error', `What waitUntil was given was cut off: ${given.stack ?? given.message}`)
    const isOver = isEnd && !isCut
    clearTimeout(timer)
    clearTimeout(leaving)
    signal.removeEventListener('abort', cancel)
    gone.abort()
    // What was written around the shim may have come in the same piece.
    setImmediate(() => {
      container.listen(null)
      container.flow(true)
      const rest = { durationMs: performance.now() - begun, memoryBytes, isCold, ...log.end() }
      if ('reason' in answer) resolve({ result: failed(answer, rest), isReusable: isOver && isOwn(answer) })
      else
        resolve({
          result: { end: { ...rest, response: answer.response, failure: null }, body: answer.body },
          isReusable: isOver,
        })
    })
  }
  const because = (reason: RunFailure['reason'], message: string) => finish(null, { reason, message, stack: null })
  const end = () => because('CRASHED', 'Nobody waits for the answer any more.')
  let leaving: NodeJS.Timeout | undefined
  const cancel = () => {
    if (!container.hearsLeft()) return end()
    leaving = setTimeout(end, leaveMs)
    container.send({ kind: 'left' })
    container.flow(true)
  }
  const { timeoutMs } = run.limits
  const timer = setTimeout(because, timeoutMs, 'TIMEOUT', `The function ran longer than ${timeoutMs} ms.`)
  signal.addEventListener('abort', cancel)
  void container.ended.then(({ reason, message }) => because(reason, message))

  const effect = effectsOf(run, container, perform, gone.signal)
  const stream = passOn(call, container, () => because('TOO_LARGE', 'The answer is larger than a stream may be.'))
  const begin = (head: Extract<FromShim, { kind: 'head' }>) => {
    const answer = answerOf(head, Buffer.alloc(0))
    // The shim goes on with it: the rest would be the answer to the next run.
    if ('reason' in answer) finish(null, answer, false)
    else call.onHead(answer.response.status, answer.response.headers)
  }
  const hold = (answer: Answer | RunFailure) => {
    if ('reason' in answer) return finish(null, answer, false)
    held = answer
    if (run.isStreamed) call.onAnswered(answer.response.status, answer.response.headers, answer.body)
  }
  const take = ({ head, body: bytes }: ShimFrame) => {
    if (head.kind === 'log') log.say(head.level === 'error' ? 'error' : 'log', String(head.text))
    else if (head.kind === 'graphql' || head.kind === 'fetch') void effect(head, bytes)
    else if (signal.aborted) return
    else if (head.kind === 'chunk' && run.isStreamed) void stream(bytes)
    else if (bytes.length > limits.answerBytes) because('TOO_LARGE', tooLarge)
    else if (head.kind === 'end') finish(memoryOf(head), answerOf(head, bytes), !head.isLast)
    else if (head.kind === 'failed') finish(memoryOf(head), failureOf(head), !head.isLast)
    else if (head.kind === 'head' && run.isStreamed) begin(head)
    else if (head.kind === 'held') hold(answerOf(head, bytes))
  }
  container.listen({ onFrame: (frame) => gone.signal.aborted || take(frame), onError: log.write })
  const asked = { kind: 'run', id: run.executionId, ...run.request, isStreamed: run.isStreamed } as const
  container.send({ ...asked, entrypoint: run.program.entrypoint, variables: run.variables }, body)
  return promise
}

/** Passes the parts of an answer on, one at a time. */
function passOn({ onChunk }: RunCall, container: Container, tooLarge: () => void): (bytes: Buffer) => Promise<void> {
  let streamed = 0
  return async (bytes) => {
    streamed += bytes.length
    if (streamed > limits.streamedBytes) return tooLarge()
    container.flow(false)
    await onChunk(bytes)
    container.flow(true)
  }
}

type Answer = { response: { status: number; headers: Readonly<Record<string, string>> }; body: Buffer }

/** After what the shim itself has told, it waits for the next run. */
function isOwn({ reason }: RunFailure): boolean {
  return reason === 'THREW' || reason === 'INVALID_ANSWER'
}

function memoryOf({ memoryBytes }: { memoryBytes: unknown }): number | null {
  return Number.isFinite(memoryBytes) && Number(memoryBytes) >= 0 ? amount(memoryBytes, 'bytes') : null
}

function failureOf({ reason, message, stack }: Extract<FromShim, { kind: 'failed' }>): RunFailure {
  const known = reason === 'INVALID_ANSWER' ? reason : 'THREW'
  return {
    reason: known,
    message: String(message).slice(0, maxText),
    stack: stack ? String(stack).slice(0, maxText) : null,
  }
}

function answerOf(head: Extract<FromShim, { kind: 'head' | 'held' | 'end' }>, body: Buffer): Answer | RunFailure {
  try {
    return { response: checkedAnswer(head), body }
  } catch (error) {
    return { reason: 'INVALID_ANSWER', message: (error as Error).message, stack: null }
  }
}
