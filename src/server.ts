import type { IncomingMessage, ServerResponse } from 'node:http'
import {
  type DocumentNode,
  type ExecutionArgs,
  type ExecutionResult,
  GraphQLError,
  type GraphQLSchema,
  getOperationAST,
  type OperationTypeNode,
  specifiedRules,
  validate,
} from 'graphql'
import { createYoga, type Plugin } from 'graphql-yoga'
import { LRUCache } from 'lru-cache'
import { schema } from '../schema/index.ts'
import { createSchemas, type Schemas } from '../schema/schemas.ts'
import type { Context, Services } from './context.ts'
import { planTransaction } from './documents/transaction.ts'
import { costExtension, costLimitOf, costOf, requireCost } from './http/cost.ts'
import { counted } from './http/counted.ts'
import { parseDocument } from './http/document.ts'
import { eventStream } from './http/event-stream.ts'
import { type Asked, maskError, maskResult } from './http/mask.ts'
import type { Operation } from './http/operation.ts'
import { createPlans, type Planned } from './http/plans.ts'
import { Refusal } from './http/refusal.ts'
import { type Answer, codeOf, type Fed, isStream, mapStream, type Raw } from './http/stream.ts'
import { timed } from './http/timed.ts'
import { tracked } from './http/tracked.ts'
import { lazily } from './http/type-names.ts'
import { isValid } from './http/valid.ts'

export type Graphql = {
  /** Runs an operation and answers what its caller may read of the outcome. Never throws. */
  run: (ctx: Context, operation: Operation, allowed: Allowed) => Promise<Answer | Raw>
  /** The payloads of a subscription that are made once for all who get the same; null for another operation. Never throws. */
  feed: (ctx: Context, operation: Operation) => Promise<Fed | null>
  /** Runs an operation and writes its answer as it comes: events, or parts. */
  stream: (
    req: IncomingMessage,
    res: ServerResponse,
    ctx: Context,
    operation: Operation,
    allowed: Allowed,
  ) => Promise<void>
  /** Tells once an operation is none of the caller's schema any more. Answers how to stop. */
  watch: (ctx: Context, operation: Operation) => (onBroken: () => void) => () => void
  /** Ends the streams, so that their clients resume elsewhere. */
  leave: () => void
  close: () => Promise<void>
}

/** What a transport carries: no mutation by GET, no subscription where the answer is one JSON. */
export type Allowed = readonly `${OperationTypeNode}`[]

/** A request's context, with what the plugins below look at. */
type Scope = Context & {
  schema: GraphQLSchema
  operation: Operation
  allowed: Allowed
  /** Told what kind of operation it is. */
  found?: (kind: `${OperationTypeNode}`) => void
}

/**
 * GraphQL as every transport runs it: POST, GET, server-sent events, WebSocket. The plugins are read top to bottom.
 * `schemas` says which API a caller meets.
 */
export function createGraphql(
  services: Services,
  schemas: Schemas = createSchemas(services, schema),
  { plans = true }: { plans?: boolean } = {},
): Graphql {
  const watch = watcherOf(schemas)
  const findPlan = plans ? createPlans() : () => null
  const leaving = new AbortController()
  const yoga = createYoga<Scope>({
    graphqlEndpoint: '/*',
    // The Node handler around it decides these, for all transports at once.
    cors: false,
    graphiql: false,
    landingPage: false,
    multipart: false,
    maxRequestBodySize: false,
    logging: false,
    // `useMask` does it, since it knows whose request it is.
    maskedErrors: false,
    parserAndValidationCache: { documentCache: documentCache(), errorCache: { get: () => undefined, set: () => {} } },
    plugins: [
      useSchema(),
      useLimits(),
      useAllowed(),
      useCost(),
      useTransaction(),
      useMask(),
      useReadOperation(),
      useEventStream(leaving.signal, watch),
    ],
  })
  const execute = async (scope: Scope): Promise<Answer> => {
    // Only Yoga's own HTTP layer looks at the request.
    const request = undefined as unknown as Request
    return (await yoga.getResultForParams({ params: scope.operation, request }, scope)) as Answer
  }
  const run = async (ctx: Context, operation: Operation, allowed: Allowed): Promise<Answer | Raw> => {
    const end = timed(ctx)
    let kind = 'none'
    try {
      const shown = await schemas.for(ctx)
      const planned = findPlan(shown, operation)
      const raw = planned && allowed.includes(planned.plan.kind) ? await runPlan(ctx, planned, operation) : null
      if (planned && raw) {
        end(planned.plan.kind, 'compiled', 'OK')
        return raw
      }
      const answer = await execute({ ...ctx, schema: shown, operation, allowed, found: (found) => (kind = found) })
      end(kind, 'executed', codeOf(answer))
      return answer
    } catch (error) {
      const masked = maskError(error, ctx)
      end(kind, 'executed', String(masked.extensions.code))
      return { errors: [masked] }
    }
  }
  return {
    watch,
    leave: () => leaving.abort(),
    close: schemas.close,
    run: (ctx, operation, allowed) => {
      if (!ctx.tracing.isOn) return run(ctx, operation, allowed)
      return ctx.tracing.span('graphql', ctx.span, (span) => run({ ...ctx, span }, operation, allowed))
    },
    feed: async (ctx, operation) => {
      try {
        const end = timed(ctx)
        const planned = findPlan(await schemas.for(ctx), operation)
        const fed = planned && openFeed(ctx, planned, operation)
        if (fed) end('subscription', 'compiled', 'OK')
        return fed
      } catch {
        // Ordinary execution fails the same way, and tells why.
        return null
      }
    },
    stream: async (req, res, ctx, operation, allowed) => {
      await yoga.handle(req, res, { ...ctx, schema: await schemas.for(ctx), operation, allowed })
    },
  }
}

function watcherOf(schemas: Schemas): Graphql['watch'] {
  return (ctx, operation) => (onBroken) => {
    const check = async () => isValid(await schemas.for(ctx), operation) || onBroken()
    return schemas.watch?.(ctx.projectId, () => void check().catch(() => {})) ?? (() => {})
  }
}

/** The plan replaces execution alone: authentication, limits and cost are behind it. Null where execution has to tell. */
async function runPlan(ctx: Context, { plan, costOf }: Planned, { variables = {} }: Operation): Promise<Raw | null> {
  if (plan.kind === 'subscription') return null
  const cost = costOf(variables)
  const limit = costLimitOf(ctx)
  requireCost(cost, limit)
  const data = await plan.run(ctx, variables)
  if (data === null) return null
  return { json: `{"data":${data},"extensions":{"cost":{"requested":${cost.requested},"limit":${limit}}}}` }
}

function openFeed(ctx: Context, { plan, costOf }: Planned, { variables = {} }: Operation): Fed | null {
  if (plan.kind !== 'subscription') return null
  requireCost(costOf(variables), costLimitOf(ctx))
  const feed = plan.subscribe(ctx, variables, writeResult)
  return feed && { feed: counted(feed, ctx.metrics), tell: (error) => ({ errors: [maskError(error, ctx)] }) }
}

function writeResult(ctx: Context, result: ExecutionResult): string {
  return JSON.stringify(maskResult(result, ctx))
}

type ScopePlugin = Plugin<Scope, Scope>

function useSchema(): ScopePlugin {
  return { onEnveloped: ({ context, setSchema }) => context && setSchema(context.schema) }
}

/** Limits are checked as part of parsing, and so before anything else. What is cached has passed them. */
function useLimits(): ScopePlugin {
  return {
    onParse: ({ setParseFn }) => setParseFn(parseDocument),
    onValidate: ({ setValidationFn }) =>
      // What a mistyped name is like is nobody's business: it may be the name of something that the caller may not see.
      setValidationFn((schema, document, rules = specifiedRules) =>
        validate(schema, document, rules.map(lazily), { hideSuggestions: true, maxErrors: 10 }),
      ),
  }
}

function useAllowed(): ScopePlugin {
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
function useCost(): ScopePlugin {
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

/** What asks for it is executed in a transaction, once or again, before anything of it is answered. */
function useTransaction(): ScopePlugin {
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

/** The one place where errors lose what callers may not read. Every answer passes it. */
function useMask(): ScopePlugin {
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

/** The Node handler has read and checked the body. */
function useReadOperation(): ScopePlugin {
  return {
    onRequestParse: ({ serverContext, setRequestParser }) => setRequestParser(() => serverContext.operation),
  }
}

function useEventStream(leaving: AbortSignal, watch: Graphql['watch']): ScopePlugin {
  const type = 'text/event-stream'
  const options = (scope: Scope) => ({ transport: 'SSE', watch: watch(scope, scope.operation) }) as const
  return {
    onResultProcess: ({ request, serverContext, setResultProcessor }) => {
      if (!request.headers.get('accept')?.includes(type)) return
      const { meter, projectId, operation } = serverContext
      meter.count(projectId, 'connections.opened')
      const follow = (answer: Answer) =>
        isStream(answer) ? tracked(serverContext, operation, answer, options(serverContext)) : answer
      const onSent = (bytes: number) => {
        meter.count(projectId, 'messages.sent')
        meter.count(projectId, 'bytes.out', bytes)
      }
      setResultProcessor((answer, fetchAPI) => eventStream(follow(answer as Answer), fetchAPI, leaving, onSent), type)
    },
  }
}

/** Bounded by the text they were made of: parsed, it is some fifty times as large. */
function documentCache() {
  return new LRUCache<string, DocumentNode>({ maxSize: 1_000_000, sizeCalculation: (_document, text) => text.length })
}
