/** What a run gives: its answer, its failure, and what it says. */
import type { RunFailure } from '../../protocol.ts'
import { checkedAnswer } from '../answer.ts'
import { type Answer, limits, type Run, type Send } from '../messages.ts'
import type { Logs } from './logs.ts'
import { type Given, type Got, nameAndMessage, type Op } from './ops.ts'
import { type MapStack, programFile } from './stack.ts'

export type Held = { response: Answer; body: Buffer }
export type Result = Held | { failure: RunFailure }

type Options = {
  run: Run
  send: Send
  logs: Logs
  mapStack: MapStack
  end: (result: Result) => void
  /** An answer that stands: the run goes on behind it. */
  hold: (answer: Held) => void
  /** Marks that the context waits for room. */
  wait: (id: number) => void
}

/** The calls by which a context says what its run gives. */
export function createAnswering({
  run,
  send,
  logs,
  mapStack,
  end,
  hold,
  wait,
}: Options): (name: string) => Op | undefined {
  let streamed = 0
  let hasHead = false
  let held: Held | null = null

  function head({ head }: Given): Got {
    const answer = checkedAnswer(head)
    if (hasHead) throw new Error('The answer has begun.')
    hasHead = true
    send({ kind: 'head', id: run.id, ...answer })
    return undefined
  }

  function chunk({ head, bytes }: Given): Got {
    const { id } = head as { id: number }
    const piece = Buffer.from(bytes, 'base64')
    streamed += piece.length
    if (!hasHead) throw new Error('The answer has not begun.')
    if (streamed > limits.streamedBytes) end(tooLarge(limits.streamedBytes))
    wait(id)
    send({ kind: 'chunk', id: run.id, effect: id }, piece)
    return undefined
  }

  function fail({ head }: Given): Got {
    const { reason, message, stack } = head as { reason: string; message: string; stack: string | null }
    const known = reason === 'INVALID_ANSWER' || reason === 'TOO_LARGE' ? reason : 'THREW'
    const mapped = known === 'THREW' && stack ? mapStack(String(stack).slice(0, 16_384)) : null
    end({ failure: { reason: known, message: String(message).slice(0, 8_192), stack: mapped } })
    return undefined
  }

  function log({ head, bytes }: Given): Got {
    const text = bytes.slice(0, 8_200)
    logs.add(head === 'error' ? 'error' : 'log', text.includes(programFile) ? mapStack(text) : text)
    return undefined
  }

  const give = (given: Given): Got => {
    end(held ?? resultOf(given))
    return undefined
  }

  const stand = (given: Given): Got => {
    const result = resultOf(given)
    if ('failure' in result) end(result)
    else if (!held) {
      held = result
      hold(result)
    }
    return undefined
  }

  return (name) => {
    if (name === 'end') return give
    if (name === 'hold') return stand
    if (name === 'log') return log
    if (name === 'fail') return fail
    if (name === 'head') return head
    return name === 'chunk' ? chunk : undefined
  }
}

function resultOf({ head, bytes }: Given): Result {
  try {
    const response = checkedAnswer(head)
    const { isText } = head as { isText?: boolean }
    const body = Buffer.from(bytes, isText ? 'utf8' : 'base64')
    return body.length > limits.answerBytes ? tooLarge(limits.answerBytes) : { response, body }
  } catch (error) {
    return { failure: { reason: 'INVALID_ANSWER', message: nameAndMessage(error).message, stack: null } }
  }
}

const tooLarge = (bytes: number): Result => ({
  failure: { reason: 'TOO_LARGE', message: `The answer is larger than ${bytes / 1024 / 1024} MB.`, stack: null },
})
