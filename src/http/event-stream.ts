import type { ExecutionResult } from 'graphql'
import type { FetchAPI } from 'graphql-yoga'
import { TooSlow } from '../tail.ts'
import { statusOf } from './mask.ts'
import { type Answer, cursorOf, cutOf, isStream } from './stream.ts'

export const pingMs = 15_000
/** What says that the stream is there, and means nothing. */
export const comment = ':\n\n'
export const completed = 'event: complete\ndata:\n\n'

export const eventHeaders = {
  'content-type': 'text/event-stream; charset=utf-8',
  'cache-control': 'no-cache, no-transform',
  'x-accel-buffering': 'no',
}

/**
 * An answer as server-sent events, in GraphQL over SSE's "distinct connections" form: `next` for each result, `complete`
 * at its end. A result that carries a cursor has it for `id`, so that a browser that comes back says where it was.
 * When the server leaves, the stream ends without `complete`: the client is to come back. `onSent` is told of each result.
 */
export function eventStream(
  answer: Answer,
  { Response, ReadableStream, TextEncoder }: FetchAPI,
  leaving: AbortSignal,
  onSent: (bytes: number) => void,
) {
  if (!isStream(answer) && answer.data === undefined) return refusal(answer, Response)
  const utf8 = new TextEncoder()
  const steps = isStream(answer) ? answer : single(answer)
  let ping: NodeJS.Timeout | undefined
  let leave: (() => void) | undefined
  const end = () => {
    clearInterval(ping)
    if (leave) leaving.removeEventListener('abort', leave)
    return steps.return?.()
  }
  const body = new ReadableStream<Uint8Array>({
    start(controller) {
      const write = (text: string) => controller.enqueue(utf8.encode(text))
      // Browsers wait for a first byte before they say that the stream is open.
      write(comment)
      ping = setInterval(() => (controller.desiredSize ?? 0) > 0 && write(comment), pingMs)
      leave = () => {
        end()
        controller.close()
      }
      leaving.addEventListener('abort', leave, { once: true })
    },
    async pull(controller) {
      const step = await steps.next()
      if (leaving.aborted) return
      const bytes = utf8.encode(step.done ? completed : eventOf(step.value))
      controller.enqueue(bytes)
      if (!step.done) onSent(bytes.length)
      // Who did not keep up is to come back, and so is not told that this is all.
      if (!step.done && !(cutOf(step.value) instanceof TooSlow)) return
      end()
      controller.close()
    },
    async cancel() {
      await end()
    },
  })
  return new Response(body, { status: 200, headers: eventHeaders })
}

export function eventOf(result: ExecutionResult): string {
  const cursor = cursorOf(result)
  const id = cursor && !/[\r\n\0]/.test(cursor) ? `id: ${cursor}\n` : ''
  return `${id}event: next\ndata: ${JSON.stringify(result)}\n\n`
}

/** Refused before it began: plain JSON with a status, after which no browser tries again. */
function refusal(result: ExecutionResult, Response: FetchAPI['Response']) {
  return new Response(JSON.stringify(result), {
    status: statusOf(result),
    headers: { 'content-type': 'application/json; charset=utf-8' },
  })
}

async function* single<T>(value: T): AsyncGenerator<T> {
  yield value
}
