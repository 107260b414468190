import type { Execution, Prisma } from '../../../prisma/client/client.ts'
import { type Context, transaction } from '../../context.ts'
import { Conflict, Invalid, NotFound, Unavailable } from '../../errors.ts'
import { emit } from '../../event.ts'
import { noFunction } from '../functions/functions.ts'
import { type FunctionPlan, findPlanToRun } from '../functions/plans.ts'
import { isOperator } from '../operators/operators.ts'
import { mayExecute } from './callers.ts'
import { executionFinished, userOf } from './events.ts'
import { type GivenRequest, readRequest } from './request.ts'
import { type Outcome, planOf, rowOf, runFunction } from './run.ts'
import { requireRoomToWait } from './waiting.ts'

/**
 * All executions of the project for those who run it; for a user those that they have asked for, not those that follow from
 * what they did or decide on it; none for guests.
 */
export function visibleExecutions(ctx: Pick<Context, 'actor' | 'projectId'>): Prisma.ExecutionWhereInput {
  const { actor, projectId } = ctx
  const there = { projectId, function: { deletedAt: null } }
  if (isOperator(ctx)) return there
  if (actor?.kind !== 'user') return { ...there, id: { in: [] } }
  return { ...there, actorKind: 'user', actorId: actor.id, trigger: { in: ['API', 'HTTP'] } }
}

/** Whether this caller may know of an execution, by its event alone: it is asked for each event and each subscriber. */
export function isExecutionVisible(ctx: Context, { userId }: { userId?: unknown }): boolean {
  return isOperator(ctx) || (ctx.actor?.kind === 'user' && ctx.actor.id === userId)
}

export type NewExecution = GivenRequest & {
  functionId: string
  async?: boolean | null | undefined
  /** Not before then. */
  scheduledAt?: Date | null | undefined
}

/** How far ahead a run can be asked for, and how late: clocks differ, and a request is on its way for a while. */
const aheadMs = 366 * 86_400_000
const lateMs = 60_000

/**
 * Runs a function and answers how it ended, or plans that it is run. Throws Unavailable where it was not the function's doing
 * that there is no answer: then it may be asked for again; LimitExceeded where too many wait already.
 */
export async function createExecution(ctx: Context, input: NewExecution): Promise<Execution> {
  const plan = await callableFunction(ctx, input.functionId)
  const request = readRequest(input)
  const { scheduledAt = null } = input
  requireTime(ctx, scheduledAt)
  if (!input.async && scheduledAt === null) return answerOf(await runFunction(ctx, plan, { trigger: 'API', request }))
  const how = { status: 'PENDING', isAsync: true, attempts: 0, scheduledAt } as const
  const planned = planOf(ctx, plan, { trigger: 'API', request }, how)
  if (planned.status === 'PENDING') await requireRoomToWait(ctx, request.body.length)
  if (!(await ctx.journal.begin(planned))) throw noFunction()
  return rowOf(planned)
}

/** The function, if this caller may run it and it can be run: otherwise it is as if there were none, or says why. */
export async function callableFunction(ctx: Context, id: string): Promise<FunctionPlan> {
  const plan = await findPlanToRun(ctx, id)
  if (!plan || plan.projectId !== ctx.projectId || !mayExecute(ctx, plan)) throw noFunction()
  if (!plan.enabled) throw new Conflict('This function is disabled.')
  if (!plan.deployment) throw new Conflict('This function has no deployment yet that could be run.')
  return plan
}

function requireTime({ clock }: Context, scheduledAt: Date | null): void {
  if (scheduledAt === null) return
  const inMs = scheduledAt.getTime() - clock().getTime()
  const at = ['input', 'scheduledAt']
  if (inMs > aheadMs) throw new Invalid('A run can be planned for a year ahead at most.', at)
  if (inMs < -lateMs) throw new Invalid('This time is past: leave it out, with `async`, to run at once.', at)
}

/** The execution with the whole answer, not its beginning. */
function answerOf({ execution, response, body, failure }: Outcome): Execution {
  if (failure === 'CRASHED' || failure === 'UNAVAILABLE')
    throw new Unavailable('The function could not be run to its end. Try again.', { retryAfterMs: 1_000 })
  if (response === null) return execution
  return { ...execution, responseHeaders: { ...response.headers }, responseBody: body.toString('utf8') }
}

/** Takes back an execution that has not begun, or waits for its next try. */
export async function cancelExecution(ctx: Context, id: string): Promise<Execution> {
  return transaction(ctx, async (tx) => {
    const where = { AND: [{ id }, visibleExecutions(ctx)] }
    if (!(await tx.db.execution.findFirst({ where }))) throw new NotFound('There is no such execution.')
    const [cancelled] = await tx.db.execution.updateManyAndReturn({
      where: { id, status: 'PENDING' },
      data: { status: 'CANCELLED', finishedAt: ctx.clock() },
    })
    if (!cancelled) throw new Conflict('It has begun, or has ended.')
    const { functionId } = cancelled
    const status = 'CANCELLED' as const
    await emit(tx, executionFinished, { functionId, executionId: id, userId: userOf(cancelled), status })
    return cancelled
  })
}
