import type { ExecutionResult } from 'graphql'
import type { Context } from '../context.ts'
import { type AppError, SchemaChanged } from '../errors.ts'
import type { Transport } from '../modules/subscriptions/running.ts'
import { maskError } from './mask.ts'
import type { Operation } from './operation.ts'
import { cursorOf } from './stream.ts'

type Results = AsyncIterableIterator<ExecutionResult>

/** Tells once an operation is none of the caller's schema any more. Answers how to stop. */
export type Watching = (onBroken: () => void) => () => void

type Options = {
  transport: Transport
  watch: Watching
  /** Of what was told last, where the results do not say it. */
  cursor?: () => string | undefined
}

/** A subscription's results, for all nodes to know of as long as they come, and to end: its last result then says why. */
export function tracked(ctx: Context, operation: Operation, results: Results, options: Options): Results {
  let last: IteratorResult<ExecutionResult> | null = null
  let ended = false
  let wake: ((step: IteratorResult<ExecutionResult>) => void) | null = null
  let cursor: string | undefined
  const stop = (reason: AppError) => {
    if (ended) return
    last = { done: false, value: { errors: [maskError(reason, ctx)] } }
    void end()
    wake?.(take())
  }
  const begin = () => {
    try {
      return ctx.running.begin(ctx, { operationName: nameOf(operation), transport: options.transport }, stop)
    } catch (error) {
      void results.return?.()
      throw error
    }
  }
  const running = begin()
  const unwatch = options.watch(() => stop(new SchemaChanged(changed, options.cursor?.() ?? cursor ?? null)))
  const end = async (): Promise<IteratorResult<ExecutionResult>> => {
    if (!ended) {
      ended = true
      unwatch()
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
  const note = (step: IteratorResult<ExecutionResult>) => {
    wake = null
    if (step.done) void end()
    else cursor = cursorOf(step.value) ?? cursor
    return step
  }
  const next = () =>
    new Promise<IteratorResult<ExecutionResult>>((resolve, reject) => {
      if (ended) return resolve(take())
      wake = resolve
      results.next().then((step) => resolve(note(step)), reject)
    })
  const stream: Results = { next, return: end, throw: end, [Symbol.asyncIterator]: () => stream }
  return stream
}

const changed = 'What this subscription is about has changed. Ask anew, by the schema as it is now.'

const done = { done: true, value: undefined } as const

function nameOf({ operationName, query }: Operation): string | null {
  return operationName ?? /\bsubscription\s+([_A-Za-z]\w*)/.exec(query)?.[1] ?? null
}
