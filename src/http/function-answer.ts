import type { ServerResponse } from 'node:http'
import { Unavailable } from '../errors.ts'
import type { Failure } from '../modules/executions/outcome.ts'
import type { Asked, Outcome } from '../modules/executions/run.ts'
import { type Place, writeHeaders } from './function-headers.ts'
import { limits } from './limits.ts'
import { Refusal } from './refusal.ts'

type Head = Parameters<NonNullable<Asked['stream']>['head']>[0]

/** The answer of a function on its way to whoever has called it. */
export type Answer = {
  /** Told which execution it is of. */
  onBegin: (executionId: string) => void
  /** Takes it as it comes. */
  stream: NonNullable<Asked['stream']>
  /** Its end. Throws what is to be told where there was no answer; cuts one that had begun. */
  end: (outcome: Pick<Outcome, 'response' | 'body' | 'failure'>) => void
  /** How much of its body was sent. */
  bytes: () => number
}

type Course = {
  /** Ends the run: nobody can be told its answer any more. */
  cancel: () => void
  /** Told that the answer is complete, and the run not over. */
  onDone: () => void
}

/** What comes is written as it comes; what the run does behind its answer nobody waits for. */
export function createAnswer(
  res: ServerResponse,
  place: Omit<Place, 'executionId'>,
  { cancel, onDone }: Course,
): Answer {
  let sent = 0
  let isDone = false
  let isWrong = false
  let executionId: string | null = null
  /** False for what cannot be said in HTTP, or not any more. */
  const begin = ({ status, headers }: Head, bytes: number | null = null): boolean => {
    try {
      if (res.headersSent || !isStatus(status)) return false
      writeHeaders(res, headers, { ...place, executionId })
      if (bytes !== null && hasLength(res, status, bytes)) res.setHeader('content-length', bytes)
      res.writeHead(status)
      return true
    } catch {
      for (const name of res.getHeaderNames()) res.removeHeader(name)
      return false
    }
  }
  /** Who owns the function finds there what has gone wrong. */
  const failed = (failure: Failure): Error => {
    if (executionId !== null) res.setHeader('tendril-execution-id', executionId)
    return whyNot(failure)
  }
  const write = (bytes: Buffer) => {
    if (res.req.method === 'HEAD' || bytes.length === 0) return
    sent += bytes.length
    res.write(bytes)
    if (res.writableLength <= limits.functionBacklogBytes) return
    cancel()
    res.destroy()
  }
  const finish = (body: Buffer) => {
    const isSent = res.req.method !== 'HEAD' && body.length > 0
    sent += isSent ? body.length : 0
    res.end(isSent ? body : undefined)
  }
  return {
    bytes: () => sent,
    onBegin: (id) => {
      executionId = id
    },
    stream: {
      head: (head) => {
        isWrong = !begin(head)
        if (isWrong) cancel()
      },
      chunk: (bytes) => void (isWrong || write(bytes)),
      answered: (head, body) => {
        // Where it cannot be passed on its end tells that.
        if (isWrong || !(res.headersSent || begin(head, body.length))) return
        isDone = true
        onDone()
        finish(body)
      },
    },
    end: ({ response, body, failure }) => {
      if (isDone) return
      if (res.headersSent) {
        if (failure) return void res.destroy()
        write(body)
        return void res.end()
      }
      if (isWrong || !response) throw failed(isWrong ? 'INVALID_ANSWER' : (failure ?? 'CRASHED'))
      if (!begin(response, body.length)) throw failed('INVALID_ANSWER')
      finish(body)
    },
  }
}

/** Whether an answer that is there as a whole has a length to tell. What has no body for `HEAD` may have one otherwise. */
function hasLength({ req }: ServerResponse, status: number, bytes: number): boolean {
  return status !== 204 && status !== 304 && (req.method !== 'HEAD' || bytes > 0)
}

/** 1xx is no answer. */
function isStatus(status: number): boolean {
  return Number.isInteger(status) && status >= 200 && status <= 599
}

/** What a caller is told: that there is no answer, and whether to try again. Why is told by the execution, to those who own it. */
function whyNot(failure: Failure): Error {
  if (failure === 'TIMEOUT') return new Refusal(504, 'UNAVAILABLE', 'The function has not answered in time.')
  if (failure === 'UNAVAILABLE' || failure === 'CRASHED') {
    const message = 'The function could not be run to its end. Try again.'
    return new Unavailable(message, { retryAfterMs: limits.load.retryAfterMs })
  }
  return new Refusal(500, 'INTERNAL', 'The function has failed.')
}
