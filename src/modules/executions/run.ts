import type { Execution, ExecutionTrigger, Prisma } from '../../../prisma/client/client.ts'
import type { Context } from '../../context.ts'
import { newId } from '../../lib/ids.ts'
import type { RunCall, RunResult } from '../../platform/sandbox.ts'
import { traceparentOf } from '../../platform/tracing.ts'
import { noFunction } from '../functions/functions.ts'
import type { FunctionPlan } from '../functions/plans.ts'
import { type Failure, outcomeOf } from './outcome.ts'
import { perform, prepare } from './perform.ts'
import type { Ended, Planned } from './records.ts'
import { type FunctionRequest, withoutSecrets } from './request.ts'

/** Runs of functions that may have led to a run. One that more have led to is not made. */
export const maxDepth = 5

export type Asked = {
  trigger: ExecutionTrigger
  request: FunctionRequest
  /** Told of the execution before it begins. */
  onBegin?: (executionId: string) => void
  /** Where the answer is wanted as it comes. */
  stream?: RunCall['stream']
  /** Says why the answer is none that whoever asked can do anything with; null where it is one. */
  whyWrong?: (answer: { status: number; body: Buffer }) => string | null
  /** Fires when nobody waits any more. */
  signal?: AbortSignal | undefined
}

/** How a run ended. `body` is the whole answer, unless it was streamed; of `execution` it is the beginning. */
export type Outcome = {
  execution: Execution
  response: RunResult['response']
  body: Buffer
  failure: Failure | null
}

/**
 * Runs a function for a caller who waits: the one door for all of them. Whether the caller may is for whoever asks to know,
 * as is that the function is enabled and has a deployment. Beginning and end are committed before it resolves. What goes
 * wrong with the run is its outcome's `failure`; throws NotFound where the function is gone meanwhile.
 */
export async function runFunction(ctx: Context, plan: FunctionPlan, asked: Asked): Promise<Outcome> {
  const planned = planOf(ctx, plan, asked, { status: 'RUNNING', isAsync: false, attempts: 1 })
  const written = ctx.journal.open(planned)
  const record = async () => {
    if (!(await written.begin())) throw noFunction()
  }
  if (planned.status === 'FAILED') {
    await record()
    return { execution: rowOf(planned), response: null, body: Buffer.alloc(0), failure: 'DEPTH' }
  }
  prepare(ctx, plan)
  asked.onBegin?.(planned.id)
  const ran = await perform(ctx, plan, planned, asked.request, {
    stream: asked.stream,
    signal: asked.signal,
    record,
  })
  const result = judged(ran, asked.whyWrong)
  const ended = { ...endOf(planned), ...outcomeOf(plan, result, ctx.clock()) }
  if (!(await written.end(ended))) throw noFunction()
  const { response, body, failure } = result
  return { execution: rowOf(planned, ended), response, body, failure: failure?.reason ?? null }
}

/** What was answered is kept besides, for those who own the function. */
function judged(result: RunResult, whyWrong: Asked['whyWrong']): RunResult {
  const { response, body } = result
  const why = response && whyWrong ? whyWrong({ status: response.status, body }) : null
  return why === null ? result : { ...result, failure: { reason: 'INVALID_ANSWER', message: why, stack: null } }
}

type How = Pick<Planned, 'isAsync' | 'attempts'> & { status: 'PENDING' | 'RUNNING'; scheduledAt?: Date | null }

/** The execution that is written first. One that too many runs have led to has failed already. */
export function planOf(ctx: Context, plan: FunctionPlan, { trigger, request }: Asked, how: How): Planned {
  const { actor } = ctx
  const now = ctx.clock()
  const depth = ctx.run ? ctx.run.depth + 1 : 0
  const planned: Planned = {
    id: newId('exe'),
    projectId: plan.projectId,
    functionId: plan.id,
    deploymentId: plan.deployment?.id ?? null,
    trigger,
    key: null,
    actorKind: actor?.kind ?? 'guest',
    actorId: actor?.id ?? null,
    sessionId: actor?.kind === 'user' ? actor.sessionId : null,
    depth,
    scheduledAt: null,
    startedAt: how.status === 'RUNNING' ? now : null,
    finishedAt: null,
    failure: null,
    error: null,
    createdAt: now,
    method: request.method,
    url: request.url,
    requestHeaders: how.isAsync ? request.headers : withoutSecrets(request.headers),
    requestBody: how.isAsync ? request.body : null,
    trace: traceparentOf(ctx.span),
    ...how,
  }
  return depth > maxDepth ? tooDeep(planned, now) : planned
}

export function tooDeep(planned: Planned, now: Date): Planned {
  const failure: Failure = 'DEPTH'
  const error = `It was not run: ${maxDepth} runs of functions, one through the other, have led to it already.`
  return { ...planned, status: 'FAILED', failure, error, finishedAt: now }
}

/** What of an execution is told again at its end. */
export function endOf(
  row: Pick<
    Ended,
    'id' | 'projectId' | 'functionId' | 'deploymentId' | 'trigger' | 'actorKind' | 'actorId' | 'attempts'
  >,
) {
  const { id, projectId, functionId, deploymentId, trigger, actorKind, actorId, attempts } = row
  return { id, projectId, functionId, deploymentId, trigger, actorKind, actorId, attempts, trace: null }
}

/** The row as it stands in the table. */
export function rowOf(planned: Planned, ended?: Ended): Execution {
  const { trace: _trace, ...row } = { ...planned, ...ended }
  return {
    responseStatus: null,
    responseBody: null,
    durationMs: null,
    isCold: null,
    ...row,
    requestBody: planned.requestBody && new Uint8Array(planned.requestBody),
    requestHeaders: { ...planned.requestHeaders },
    responseHeaders: ended?.responseHeaders ? { ...ended.responseHeaders } : null,
    logs: [...(ended?.logs ?? [])] as Prisma.JsonArray,
    memoryBytes: ended?.memoryBytes == null ? null : BigInt(ended.memoryBytes),
  }
}
