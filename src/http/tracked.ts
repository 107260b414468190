import type { ExecutionResult } from 'graphql'
import type { Context } from '../context.ts'
import type { Terminated } from '../errors.ts'
import type { Transport } from '../modules/subscriptions/running.ts'
import { maskError } from './mask.ts'
import type { Operation } from './operation.ts'

type Results = AsyncIterableIterator<ExecutionResult>

/** A subscription's results, for all nodes to know of as long as they come, and to end: its last result then says so. */
export function tracked(ctx: Context, operation: Operation, transport: Transport, results: Results): Results {
  let last: IteratorResult<ExecutionResult> | null = null
  let ended = false
  let wake: ((step: IteratorResult<ExecutionResult>) => void) | null = null
  const stop = (reason: Terminated) => {
    last = { done: false, value: { errors: [maskError(reason, ctx)] } }
    void end()
    wake?.(take())
  }
  const begin = () => {
    try {
      return ctx.running.begin(ctx, { operationName: nameOf(operation), transport }, stop)
    } catch (error) {
      void results.return?.()
      throw error
    }
  }
  const running = begin()
  const end = async (): Promise<IteratorResult<ExecutionResult>> => {
    if (!ended) {
      ended = true
      running.end()
      await results.return?.()
    }
    return done
  }
  const take = () => {
    const step = last ?? done
    last = null
    return step
  }
  const next = () =>
    new Promise<IteratorResult<ExecutionResult>>((resolve, reject) => {
      if (ended) return resolve(take())
      wake = resolve
      results.next().then((step) => {
        if (step.done) void end()
        resolve(step)
      }, reject)
    })
  const stream: Results = { next, return: end, throw: end, [Symbol.asyncIterator]: () => stream }
  return stream
}

const done = { done: true, value: undefined } as const

function nameOf({ operationName, query }: Operation): string | null {
  return operationName ?? /\bsubscription\s+([_A-Za-z]\w*)/.exec(query)?.[1] ?? null
}
