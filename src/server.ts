import type { IncomingMessage, ServerResponse } from 'node:http'
import { setImmediate as pass } from 'node:timers/promises'
import type { ExecutionResult } from 'graphql'
import { createYoga } from 'graphql-yoga'
import { schema } from '../schema/index.ts'
import { createSchemas, type Schemas } from '../schema/schemas.ts'
import type { Context, Services } from './context.ts'
import { costLimitOf, requireCost } from './http/cost.ts'
import { counted } from './http/counted.ts'
import { type Follow, serveFed } from './http/fed-events.ts'
import { maskError, maskResult } from './http/mask.ts'
import type { Operation } from './http/operation.ts'
import { createPlans, type FindPlan, type Planned } from './http/plans.ts'
import { useAnswered, useReadOperation, useSchema, useTransaction } from './http/plugins/execution.ts'
import { useAllowed, useCost, useLimits } from './http/plugins/limits.ts'
import { countEvents, useEventStream, useMask } from './http/plugins/results.ts'
import type { Allowed, Scope, Watch } from './http/plugins/scope.ts'
import { wantsEvents } from './http/request.ts'
import { type Answer, codeOf, type Fed, isStream, type Raw } from './http/stream.ts'
import { timed } from './http/timed.ts'
import { tracked, type Watching } from './http/tracked.ts'
import { areAsBefore, groundOf, isValid, typesOf } from './http/valid.ts'

export type Graphql = {
  /** Runs an operation and answers what its caller may read of the outcome. Never throws. `follow` is what results pass. */
  run: (ctx: Context, operation: Operation, allowed: Allowed, follow?: FollowResults) => Promise<Answer | Raw>
  /** The payloads of a subscription that are made once for all who get the same; null for another operation. Never throws. */
  feed: (ctx: Context, operation: Operation) => Promise<WatchedFed | null>
  /** Runs an operation and writes its answer as it comes: events, or parts. */
  stream: (
    req: IncomingMessage,
    res: ServerResponse,
    ctx: Context,
    operation: Operation,
    allowed: Allowed,
  ) => Promise<void>
  /** Ends the streams, so that their clients resume elsewhere. */
  leave: () => void
  close: () => Promise<void>
}

type Results = AsyncIterableIterator<ExecutionResult>
type FollowResults = (results: Results, watch: Watching) => Results
type WatchedFed = Fed & { watch: Watching }

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
  const findPlan: FindPlan = plans ? createPlans() : async () => null
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
    // `useLimits` remembers what it has parsed and validated, together with the plans.
    parserAndValidationCache: false,
    plugins: [
      useSchema(),
      useLimits(),
      useAllowed(),
      useCost(),
      useAnswered(),
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
  const run: Graphql['run'] = async (ctx, operation, allowed, follow) => {
    const end = timed(ctx)
    let kind = 'none'
    try {
      const shown = await schemas.for(ctx)
      const planned = await findPlan(shown, operation)
      const raw = planned && allowed.includes(planned.plan.kind) ? await runPlan(ctx, planned, operation) : null
      if (planned && raw) {
        end(planned.plan.kind, 'compiled', 'OK')
        return raw
      }
      const answer = await execute({ ...ctx, schema: shown, operation, allowed, found: (found) => (kind = found) })
      const followed = follow && isStream(answer) ? follow(answer, watch(ctx, operation, shown)) : answer
      end(kind, 'executed', codeOf(answer))
      return followed
    } catch (error) {
      const masked = maskError(error, ctx)
      end(kind, 'executed', String(masked.extensions.code))
      return { errors: [masked] }
    }
  }
  // Ordinary execution fails the same way, and tells why.
  const feed: Graphql['feed'] = (ctx, operation) =>
    findFeed({ schemas, findPlan, watch }, ctx, operation).catch(() => null)
  return {
    leave: () => leaving.abort(),
    close: schemas.close,
    run: (ctx, ...rest) => {
      if (!ctx.tracing.isOn) return run(ctx, ...rest)
      return ctx.tracing.span('graphql', ctx.span, (span) => run({ ...ctx, span }, ...rest))
    },
    feed,
    stream: async (req, res, ctx, operation, allowed) => {
      const fed = wantsEvents(req) ? await feed(ctx, operation) : null
      if (fed) return serveFed(res, fed, { leaving: leaving.signal, ...followed(ctx, operation, fed.watch) })
      await yoga.handle(req, res, { ...ctx, schema: await schemas.for(ctx), operation, allowed })
    },
  }
}

/** How long a stream waits that could not be looked at, as while PostgreSQL is away. */
const lookAgainMs = 1_000

function watcherOf(schemas: Schemas): Watch {
  // All streams of a project hear of a change at once. Each is looked at in a pass of the event loop of its own.
  let last: Promise<unknown> = Promise.resolve()
  const turn = () => {
    last = last.then(() => pass())
    return last
  }
  return (ctx, operation, schema) => {
    const before = typesOf(schema, operation)
    // A stream lasts for longer than its schema is kept.
    const begunIn = new WeakRef(schema)
    let isAsKnown = groundOf(schema, operation)
    return (onBroken) => {
      const check = async () => {
        const shown = await schemas.for(ctx)
        if (shown === begunIn.deref() || isAsKnown(shown)) return
        await turn()
        if (!isValid(shown, operation) || !areAsBefore(before, typesOf(shown, operation))) return onBroken()
        isAsKnown = groundOf(shown, operation)
      }
      let again: NodeJS.Timeout | undefined
      let isOver = false
      // What could not be looked at may be broken all the same, and nothing more may be told of it.
      const retry = () => {
        clearTimeout(again)
        if (!isOver) again = setTimeout(look, lookAgainMs).unref()
      }
      const look = () => void check().catch(retry)
      const stop = schemas.watch?.(ctx.projectId, look) ?? (() => {})
      // Of what has changed since the operation was begun, nothing will be told.
      look()
      return () => {
        isOver = true
        clearTimeout(again)
        stop()
      }
    }
  }
}

/** The plan replaces execution alone: authentication, limits and cost are behind it. Null where execution has to tell. */
async function runPlan(ctx: Context, { plan, costOf }: Planned, { variables = {} }: Operation): Promise<Raw | null> {
  if (plan.kind === 'subscription') return null
  // What a run of a function changes is changed once, which execution knows of.
  if (plan.kind === 'mutation' && ctx.run?.idempotencyKey) return null
  const cost = costOf(variables)
  const limit = costLimitOf(ctx)
  requireCost(cost, limit)
  const data = await plan.run(ctx, variables)
  if (data === null) return null
  return { json: `{"data":${data},"extensions":{"cost":{"requested":${cost.requested},"limit":${limit}}}}` }
}

type FeedParts = { schemas: Schemas; findPlan: FindPlan; watch: Watch }

async function findFeed(
  { schemas, findPlan, watch }: FeedParts,
  ctx: Context,
  operation: Operation,
): Promise<WatchedFed | null> {
  const end = timed(ctx)
  const shown = await schemas.for(ctx)
  const planned = await findPlan(shown, operation)
  const fed = planned && openFeed(ctx, planned, operation)
  if (!fed) return null
  end('subscription', 'compiled', 'OK')
  return { ...fed, watch: watch(ctx, operation, shown) }
}

function openFeed(ctx: Context, { plan, costOf }: Planned, { variables = {} }: Operation): Fed | null {
  if (plan.kind !== 'subscription') return null
  requireCost(costOf(variables), costLimitOf(ctx))
  const feed = plan.subscribe(ctx, variables, writeResult)
  return feed && { feed: counted(feed, ctx.metrics), tell: (error) => ({ errors: [maskError(error, ctx)] }) }
}

function followed(ctx: Context, operation: Operation, watch: Watching) {
  const follow: Follow = (results, cursor) => tracked(ctx, operation, results, { transport: 'SSE', watch, cursor })
  return { follow, onSent: countEvents(ctx) }
}

function writeResult(ctx: Context, result: ExecutionResult): string {
  return JSON.stringify(maskResult(result, ctx))
}
