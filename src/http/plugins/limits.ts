import { type ExecutionArgs, type ExecutionResult, GraphQLError, getOperationAST } from 'graphql'
import { costExtension, costLimitOf, costOf, requireCost } from '../cost.ts'
import { parseDocument } from '../document.ts'
import { Refusal } from '../refusal.ts'
import { isStream } from '../stream.ts'
import { faultsOf } from '../valid.ts'
import type { Scope, ScopePlugin } from './scope.ts'

/** Limits are checked as part of parsing, and so before anything else. What is cached has passed them. */
export function useLimits(): ScopePlugin {
  return {
    onParse: ({ setParseFn }) => setParseFn(parseDocument),
    onValidate: ({ setValidationFn }) => setValidationFn(faultsOf),
  }
}

export function useAllowed(): ScopePlugin {
  return {
    onParse:
      ({ context }) =>
      ({ result }) => {
        if (result instanceof Error) return
        const operation = getOperationAST(result, context.operation.operationName)?.operation
        if (!operation) throw new Refusal(400, 'INVALID', '`operationName` must name one of the operations.')
        context.found?.(operation)
        if (context.allowed.includes(operation)) return
        throw operation === 'mutation'
          ? new Refusal(405, 'INVALID', 'A mutation needs POST.')
          : new Refusal(406, 'INVALID', 'A subscription needs WebSocket, or `Accept: text/event-stream`.')
      },
  }
}

/** Each operation is told what it costs, and not executed when that is too much. */
export function useCost(): ScopePlugin {
  const measure = ({ schema, document, operationName, variableValues, contextValue }: ExecutionArgs) => {
    const cost = costOf(schema, document, operationName, variableValues ?? {})
    const limit = costLimitOf(contextValue as Scope)
    try {
      requireCost(cost, limit)
      return { extensions: costExtension(cost, limit), refused: null }
    } catch (error) {
      return { extensions: {}, refused: new GraphQLError('', { originalError: error as Error }) }
    }
  }
  return {
    onExecute: ({ args, setResultAndStopExecution }) => {
      const { extensions, refused } = measure(args)
      if (refused) return setResultAndStopExecution({ errors: [refused] })
      return {
        onExecuteDone: ({ result, setResult }) => {
          if (isStream(result)) return
          const { extensions: own, ...rest } = result as ExecutionResult
          setResult({ ...rest, extensions: { ...own, ...extensions } })
        },
      }
    },
    onSubscribe: ({ args, setResultAndStopExecution }) => {
      const { refused } = measure(args)
      if (refused) setResultAndStopExecution({ errors: [refused] })
    },
  }
}
