import { GraphQLError } from 'graphql'
import { planTransaction } from '../../documents/transaction.ts'
import type { ScopePlugin } from './scope.ts'

export function useSchema(): ScopePlugin {
  return { onEnveloped: ({ context, setSchema }) => context && setSchema(context.schema) }
}

/** What each operation is answered of documents is counted. */
export function useAnswered(): ScopePlugin {
  return { onContextBuilding: ({ extendContext }) => extendContext({ answered: { bytes: 0 } }) }
}

/** What asks for it is executed in a transaction, once or again, before anything of it is answered. */
export function useTransaction(): ScopePlugin {
  return {
    onExecute: ({ args, executeFn, setExecuteFn, setResultAndStopExecution }) => {
      try {
        const plan = planTransaction(args)
        if (plan) setExecuteFn(() => plan.run(executeFn))
      } catch (error) {
        setResultAndStopExecution({ errors: [new GraphQLError('', { originalError: error as Error })] })
      }
    },
  }
}

/** The Node handler has read and checked the body. */
export function useReadOperation(): ScopePlugin {
  return {
    onRequestParse: ({ serverContext, setRequestParser }) => setRequestParser(() => serverContext.operation),
  }
}
