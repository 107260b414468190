import type { Execution } from '../../../prisma/client/client.ts'
import type { Context } from '../../context.ts'
import type { PrepareCall, RunCall, RunResult } from '../../platform/sandbox.ts'
import { type Span, traceparentOf } from '../../platform/tracing.ts'
import { readArtefact } from '../deployments/artefacts.ts'
import { takeForeseen } from '../functions/foreseen.ts'
import { isolateMb } from '../functions/functions.ts'
import type { FunctionPlan } from '../functions/plans.ts'
import { mayBeTrusted } from '../functions/rights.ts'
import { isIsolate } from '../functions/runtimes.ts'
import type { FunctionRequest } from './request.ts'
import { signRunToken } from './tokens.ts'

/** A run that is under way: what of its execution matters to it. */
export type Begun = Pick<Execution, 'id' | 'trigger' | 'depth' | 'actorKind' | 'actorId' | 'sessionId'>

type How = Pick<RunCall, 'stream' | 'signal' | 'record'>

/** A token lasts for as long as its run may, and no run's for less than this. */
const leastTokenMs = 5 * 60_000
const marginMs = 30_000

/** What is run, and with what it may use. */
function programOf(ctx: Context, plan: FunctionPlan): Omit<PrepareCall, 'foreseen'> {
  const { deployment, id, projectId, timeoutMs, memoryMb, isTrusted } = plan
  if (!deployment) throw new Error('A function without a deployment cannot be run.')
  const { artefactHash: artefact, entrypoint, runtime } = deployment
  return {
    tenant: projectId,
    functionId: id,
    program: { runtime, deploymentId: deployment.id, artefact, entrypoint },
    limits: {
      timeoutMs,
      // Its deployment may be of another runtime than the function is by now, and the server trust others than it did.
      memoryMb: isIsolate(runtime) ? Math.min(memoryMb, isolateMb) : memoryMb,
      isTrusted: isTrusted && mayBeTrusted(ctx.env, projectId),
    },
  }
}

/** Tells an executor of a run that is about to begin: it reads the program while the beginning is written. */
export function prepare(ctx: Context, plan: FunctionPlan): void {
  ctx.sandbox.prepare({ ...programOf(ctx, plan), foreseen: () => takeForeseen(plan) })
}

/** Has an executor run a function once. Writes nothing. Never throws: what went wrong is the result's `failure`. */
export async function perform(
  ctx: Context,
  plan: FunctionPlan,
  begun: Begun,
  request: FunctionRequest,
  { stream, signal, record }: How = {},
): Promise<RunResult> {
  const what = programOf(ctx, plan)
  const call: RunCall = {
    ...what,
    artefact: async () => (await takeForeseen(plan)) ?? readArtefact(ctx, what.program.deploymentId),
    executionId: begun.id,
    variables: environmentOf(ctx, plan),
    token: tokenOf(ctx, plan, begun),
    request: { method: request.method, url: request.url, headers: { ...request.headers, ...headersOf(begun) } },
    body: request.body,
    stream,
    signal,
    ...(record && { record }),
  }
  const result = await traced(ctx, plan, begun, async (span) => {
    const traceparent = traceparentOf(span)
    if (traceparent) call.request.headers = { ...call.request.headers, traceparent }
    const run = () => ctx.sandbox.run(call)
    const result = await (ctx.aside ? ctx.aside(run) : run())
    if (span && traceparent) noteCalls(ctx, span, traceparent, result)
    return result
  })
  const { meter, metrics } = ctx
  const { projectId } = plan
  meter.count(projectId, 'executions.run')
  meter.count(projectId, 'executions.ms', Math.round(result.durationMs))
  metrics.runs.observe(
    result.durationMs,
    begun.trigger,
    result.failure?.reason ?? 'OK',
    result.isCold ? 'cold' : 'warm',
  )
  return result
}

function traced<T>(
  ctx: Context,
  plan: FunctionPlan,
  begun: Begun,
  work: (span: Span | undefined) => Promise<T>,
): Promise<T> {
  if (!ctx.tracing.isOn) return work(undefined)
  const attributes = { 'faas.name': plan.id, 'faas.invocation_id': begun.id }
  return ctx.tracing.span('run function', ctx.span, work, { attributes, kind: 'CLIENT' })
}

/** What it has fetched: executors have no way to the collector. What it has asked the API is recorded there. */
function noteCalls({ tracing }: Context, span: Span, parent: string, { calls = [], isCold }: RunResult): void {
  span.setAttribute('faas.coldstart', isCold)
  const now = Date.now()
  for (const { method, host, status, agoMs, durationMs } of calls) {
    const begun = now - agoMs
    const answered = status === null ? {} : { 'http.response.status_code': status }
    const attributes = { 'http.request.method': method, 'server.address': host, ...answered }
    tracing.note('fetch', parent, new Date(begun), {
      endTime: new Date(begun + durationMs),
      attributes,
      kind: 'CLIENT',
    })
  }
}

/** What a function is told of itself beside its own variables. */
function environmentOf({ env }: Context, plan: FunctionPlan): Record<string, string> {
  return {
    ...plan.variables,
    TENDRIL_API_URL: `${env.PUBLIC_URL}/projects/${plan.projectId}/graphql`,
    TENDRIL_PROJECT_ID: plan.projectId,
    TENDRIL_FUNCTION_ID: plan.id,
    TENDRIL_FUNCTION_NAME: plan.name,
    TENDRIL_DEPLOYMENT_ID: plan.deployment?.id ?? '',
    TENDRIL_RUNTIME: plan.deployment?.runtime ?? '',
  }
}

/** What a function is told of a run. */
function headersOf({ id, trigger, actorKind, actorId }: Begun): Record<string, string> {
  const isOfUser = actorKind === 'user' && actorId !== null
  return {
    'tendril-trigger': trigger.toLowerCase(),
    'tendril-execution-id': id,
    ...(isOfUser && { 'tendril-user-id': actorId }),
  }
}

/** With `runAs: CALLER` a run for a user is the user, as long as their session lasts. */
function tokenOf({ env, clock }: Context, plan: FunctionPlan, begun: Begun): string {
  const { id: executionId, depth, sessionId } = begun
  return signRunToken(env, {
    projectId: plan.projectId,
    functionId: plan.id,
    executionId,
    depth,
    sessionId: plan.runAs === 'CALLER' ? sessionId : null,
    expiresAt: clock().getTime() + Math.max(leastTokenMs, plan.timeoutMs + marginMs),
  })
}
