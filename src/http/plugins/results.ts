import type { ExecutionResult } from 'graphql'
import type { Context } from '../../context.ts'
import { eventStream } from '../event-stream.ts'
import { type Asked, maskError, maskResult } from '../mask.ts'
import { type Answer, isStream, mapStream } from '../stream.ts'
import { tracked } from '../tracked.ts'
import type { Scope, ScopePlugin, Watch } from './scope.ts'

/** The one place where errors lose what callers may not read. Every answer passes it. */
export function useMask(): ScopePlugin {
  return {
    onExecutionResult: ({ result, setResult, context }) => {
      if (!result) return
      setResult(isStream(result) ? maskStream(result, context) : maskResult(result as ExecutionResult, context))
    },
  }
}

function maskStream(results: AsyncIterable<ExecutionResult>, asked: Asked): AsyncIterableIterator<ExecutionResult> {
  const { subscriptions, deliveries } = asked.metrics
  const mask = (result: ExecutionResult) => {
    deliveries.value += 1
    return maskResult(result, asked)
  }
  subscriptions.value += 1
  return mapStream(
    results,
    mask,
    (error) => ({ errors: [maskError(error, asked)] }),
    () => {
      subscriptions.value -= 1
    },
  )
}

/** Counts a stream of events, and answers what counts its results. */
export function countEvents({ meter, projectId }: Context): (bytes: number) => void {
  meter.count(projectId, 'connections.opened')
  return (bytes) => {
    meter.count(projectId, 'messages.sent')
    meter.count(projectId, 'bytes.out', bytes)
  }
}

export function useEventStream(leaving: AbortSignal, watch: Watch): ScopePlugin {
  const type = 'text/event-stream'
  const options = (scope: Scope) => ({ transport: 'SSE', watch: watch(scope, scope.operation, scope.schema) }) as const
  return {
    onResultProcess: ({ request, serverContext, setResultProcessor }) => {
      if (!request.headers.get('accept')?.includes(type)) return
      const { operation } = serverContext
      const onSent = countEvents(serverContext)
      const follow = (answer: Answer) =>
        isStream(answer) ? tracked(serverContext, operation, answer, options(serverContext)) : answer
      setResultProcessor((answer, fetchAPI) => eventStream(follow(answer as Answer), fetchAPI, leaving, onSent), type)
    },
  }
}
