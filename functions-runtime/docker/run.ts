/** One run in a container: the function's request goes in, its logs, its calls and its answer come out. */
import { failed, type Perform, type RunCall, type RunResult } from '../engine.ts'
import type { RunFailure } from '../protocol.ts'
import type { Container } from './container.ts'
import type { FromShim, ShimFrame } from './frames.ts'
import { createLog } from './logs.ts'

/** Most bytes of an answer. */
const maxAnswerBytes = 10 * 1024 * 1024

export type Held = { container: Container; isCold: boolean }

/** Answers how it ended, and whether the container can be used again. */
export function runIn({ container, isCold }: Held, call: RunCall, perform: Perform, begun: number) {
  const { run, body, signal } = call
  const log = createLog()
  const gone = new AbortController()
  let calls = 0
  return new Promise<{ result: RunResult; isReusable: boolean }>((resolve) => {
    const rest = (memoryBytes: number | null) => ({
      durationMs: performance.now() - begun,
      memoryBytes,
      isCold,
      ...log.end(),
    })
    const finish = (result: RunResult, isReusable: boolean) => {
      clearTimeout(timer)
      signal.removeEventListener('abort', cancel)
      gone.abort()
      container.listen(null)
      container.flow(true)
      resolve({ result, isReusable })
    }
    const fail = (failure: RunFailure, isReusable = false, memoryBytes: number | null = null) =>
      finish(failed(failure, rest(memoryBytes)), isReusable)
    const because = (reason: RunFailure['reason'], message: string) => fail({ reason, message, stack: null })
    const timer = setTimeout(
      because,
      run.limits.timeoutMs,
      'TIMEOUT',
      `The function ran longer than ${run.limits.timeoutMs} ms.`,
    )
    const cancel = () => because('CRASHED', 'Nobody waits for the answer any more.')
    signal.addEventListener('abort', cancel)
    void container.ended.then(({ reason, message }) => because(reason, message))

    const answer = (head: Extract<FromShim, { kind: 'end' }>, bytes: Buffer) => {
      const response = { status: head.status, headers: head.headers }
      if (!isAnswer(response))
        return because('INVALID_ANSWER', 'The status must be from 200 to 599, the headers texts.')
      finish({ end: { response, failure: null, ...rest(head.memoryBytes) }, body: bytes }, true)
    }
    const stream = async (bytes: Buffer) => {
      container.flow(false)
      await call.onChunk(bytes)
      container.flow(true)
    }
    const effect = async (head: Extract<FromShim, { kind: 'graphql' | 'fetch' }>, bytes: Buffer) => {
      calls += 1
      const { kind: op, call: number, ...rest } = head
      try {
        const reply = await perform(run, calls, { op, head: rest, body: bytes }, gone.signal)
        const { status = 200, headers = {} } = reply.head as { status?: number; headers?: Record<string, string> }
        container.send({ kind: 'reply', call: number, error: null, status, headers }, reply.body)
      } catch (error) {
        const message = error instanceof Error ? error.message : String(error)
        if (!gone.signal.aborted)
          container.send({ kind: 'reply', call: number, error: message, status: 0, headers: {} })
      }
    }
    const take = ({ head, body: bytes }: ShimFrame) => {
      if (bytes.length > maxAnswerBytes)
        return because('TOO_LARGE', `An answer may have ${maxAnswerBytes / 1024 / 1024} MB.`)
      if (head.kind === 'log') log.say(head.level === 'error' ? 'error' : 'log', String(head.text))
      else if (head.kind === 'end') answer(head, bytes)
      else if (head.kind === 'failed')
        fail({ reason: head.reason, message: head.message, stack: head.stack }, true, head.memoryBytes)
      else if (head.kind === 'head') call.onHead(head.status, head.headers)
      else if (head.kind === 'chunk') void stream(bytes)
      else if (head.kind === 'graphql' || head.kind === 'fetch') void effect(head, bytes)
    }
    container.listen({ onFrame: take, onError: log.write })
    const { method, url, headers } = run.request
    const asked = { kind: 'run', id: run.executionId, method, url, headers, isStreamed: run.isStreamed } as const
    container.send({ ...asked, entrypoint: run.program.entrypoint, variables: run.variables }, body)
  })
}

function isAnswer({ status, headers }: { status: unknown; headers: unknown }): boolean {
  if (!Number.isInteger(status) || Number(status) < 200 || Number(status) > 599) return false
  return (
    typeof headers === 'object' &&
    headers !== null &&
    Object.values(headers).every((value) => typeof value === 'string')
  )
}
