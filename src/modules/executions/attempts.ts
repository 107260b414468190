import type { Execution } from '../../../prisma/client/client.ts'
import { type Context, type DbContext, type Services, type TxContext, transaction } from '../../context.ts'
import { emit } from '../../event.ts'
import { type FunctionPlan, findPlan } from '../functions/plans.ts'
import { mayStillExecute } from './callers.ts'
import { executionRetried, userOf } from './events.ts'
import type { Failure, outcomeOf } from './outcome.ts'
import { endOf } from './run.ts'

/** How long one waits for an executor before it is given up. */
const wentAway = 'The process that ran it went away.'
const noLonger = 'Who has asked for it may not run this function any more.'
const patienceMs = 24 * 3_600_000
const unavailableMs = { first: 1_000, most: 30_000 }
const mostWaitMs = 3_600_000

type Attempt = { execution: Execution; plan: FunctionPlan }

/**
 * Begins a try of an execution that nobody waits for; null when there is nothing to do. One that is under way already was cut
 * off with its worker: that try is over, and the next begins, if there may be one.
 */
export async function beginAttempt(ctx: Context, id: string): Promise<Attempt | null> {
  const before = await ctx.db.execution.findUnique({ where: { id } })
  if (!before?.isAsync) return null
  const plan = await findPlan(ctx, before.functionId)
  if (!plan) return null
  const { status, attempts } = before
  if (status === 'RUNNING' && attempts >= plan.maxAttempts) {
    await endAttempt(ctx, before, 'CRASHED', wentAway)
    return null
  }
  if (status === 'PENDING' && !(plan.enabled && plan.deployment)) {
    await endAttempt(ctx, before, 'UNAVAILABLE', 'The function was disabled, or had no deployment.')
    return null
  }
  const isOver = status !== 'PENDING' && status !== 'RUNNING'
  if (!isOver && !(await mayStillExecute(ctx, plan, before))) {
    await endAttempt(ctx, before, 'FORBIDDEN', noLonger)
    return null
  }
  const startedAt = ctx.clock()
  const begin = async ({ db }: Pick<DbContext, 'db'>): Promise<Attempt | null> => {
    const [execution] = await db.execution.updateManyAndReturn({
      // Whoever begins it beside us, and is first, is the one.
      where: { id, attempts, status: status === 'RUNNING' ? 'RUNNING' : 'PENDING' },
      data: {
        status: 'RUNNING',
        attempts: attempts + 1,
        startedAt,
        deploymentId: plan.deployment?.id ?? null,
        // What became of the try before.
        ...(status === 'RUNNING' && { failure: 'CRASHED', error: wentAway, scheduledAt: null }),
      },
    })
    return execution ? { execution, plan } : null
  }
  if (status === 'PENDING') return begin(ctx)
  return transaction(ctx, async (tx) => {
    const attempt = await begin(tx)
    if (attempt) await tellRetry(tx, before, { failure: 'CRASHED', attempts, at: startedAt })
    return attempt
  })
}

/** Ends a try, and with it the execution, or plans the next: then it answers when. */
export async function finishAttempt(
  ctx: Context,
  { execution, plan }: Attempt,
  outcome: ReturnType<typeof outcomeOf>,
): Promise<Date | null> {
  const { id, attempts, createdAt } = execution
  const now = ctx.clock()
  const isUnavailable = outcome.failure === 'UNAVAILABLE'
  // That nothing was there to run it is no try of it. What was too large once is so again.
  const isOver = isUnavailable
    ? now.getTime() - createdAt.getTime() > patienceMs
    : outcome.failure === null || outcome.failure === 'TOO_LARGE' || attempts >= plan.maxAttempts
  if (isOver) {
    await ctx.journal.end({ ...endOf(execution), ...outcome })
    return null
  }
  const again = new Date(now.getTime() + (isUnavailable ? waitFor(now, createdAt) : backoff(plan, attempts)))
  const { status: _status, finishedAt: _finishedAt, responseHeaders: _headers, logs, ...rest } = outcome
  const tried = isUnavailable ? attempts - 1 : attempts
  return transaction(ctx, async (tx) => {
    const { count } = await tx.db.execution.updateMany({
      where: { id, attempts, status: 'RUNNING' },
      data: {
        ...rest,
        error: rest.error?.replaceAll('\0', '\uFFFD').toWellFormed() ?? null,
        logs: logs.map((line) => ({ ...line, text: line.text.replaceAll('\0', '\uFFFD').toWellFormed() })),
        status: 'PENDING',
        attempts: tried,
        scheduledAt: again,
      },
    })
    if (count === 0) return null
    // For a day there may be nothing to run it: that is told once, not each time it is looked for.
    const isKnown = isUnavailable && execution.failure === 'UNAVAILABLE'
    if (!isKnown) await tellRetry(tx, execution, { failure: outcome.failure, attempts: tried, at: again })
    return again
  })
}

type Retry = { failure: Failure | null; attempts: number; at: Date }

/** The execution itself is what the event came from, so that what is run for it is counted as deeper. */
async function tellRetry(tx: TxContext, execution: Execution, retry: Retry): Promise<void> {
  const { id, functionId, projectId, depth } = execution
  const run = { functionId, executionId: id, depth, idempotencyKey: null }
  const { failure, attempts, at } = retry
  const payload = {
    functionId,
    executionId: id,
    userId: userOf(execution),
    attempts,
    failure: failure ?? 'CRASHED',
    scheduledAt: at.toISOString(),
  }
  await emit({ ...tx, run }, executionRetried, payload, projectId)
}

/** Twice as long before each further try. */
function backoff({ retryAfterMs }: FunctionPlan, attempts: number): number {
  return Math.min(retryAfterMs * 2 ** (attempts - 1), mostWaitMs)
}

/** Half as long again as it has waited already. */
function waitFor(now: Date, createdAt: Date): number {
  const waited = (now.getTime() - createdAt.getTime()) / 2
  return Math.min(Math.max(waited, unavailableMs.first), unavailableMs.most)
}

async function endAttempt(ctx: Context, execution: Execution, failure: Failure, error: string): Promise<void> {
  await ctx.journal.end({ ...endOf(execution), ...unanswered(ctx.clock()), failure, error })
}

const unanswered = (now: Date) => ({
  status: 'FAILED' as const,
  responseStatus: null,
  responseHeaders: null,
  responseBody: null,
  logs: [],
  durationMs: null,
  memoryBytes: null,
  isCold: null,
  finishedAt: now,
})

/** Ends an execution whose job was given up. */
export async function giveUpExecution(ctx: Context, id: string, reason: string): Promise<void> {
  const execution = await ctx.db.execution.findUnique({ where: { id } })
  if (execution) await endAttempt(ctx, execution, 'CRASHED', `The run was given up: ${reason}`)
}

/** Makes an execution whose job was given up wait for it again. */
export async function reopenExecution({ db }: DbContext, id: string, projectId: string): Promise<void> {
  await db.execution.updateMany({
    where: { id, projectId, status: 'FAILED', isAsync: true },
    data: { status: 'PENDING', attempts: 0, failure: null, error: null, finishedAt: null },
  })
}

/** How much longer than a run may take its row may say that it runs, where somebody waits for it. */
const orphanMs = 90_000

/** Ends executions that somebody waited for, and whose process has gone away. */
export async function endOrphans(ctx: Context, limit: number): Promise<number> {
  const { rows } = await ctx.sql.query<Execution>(
    `select e.* from executions e join functions f on f.id = e."functionId"
     where e.status = 'RUNNING' and not e."isAsync" and e."createdAt" < $1
       and e."startedAt" < $1 - f."timeoutMs" * interval '1 ms' limit $2`,
    [new Date(ctx.clock().getTime() - orphanMs), limit],
  )
  for (const row of rows) await endAttempt(ctx, row, 'CRASHED', 'The process that waited for it went away.')
  return rows.length
}

/** Executions that are to be run and may have been forgotten, or whose planned time has just come. */
export async function waitingExecutions(
  { sql, clock }: Services,
  which: 'owed' | 'due',
  limit: number,
): Promise<{ id: string; projectId: string }[]> {
  const now = clock().getTime()
  const [from, to] = which === 'due' ? [now - 5_000, now] : [0, now - 60_000]
  const { rows } = await sql.query<{ id: string; projectId: string }>(
    which === 'due'
      ? `select id, "projectId" from executions where status = 'PENDING' and attempts = 0
         and "scheduledAt" between $1 and $2 order by "scheduledAt" limit $3`
      : `select id, "projectId" from executions where status in ('PENDING', 'RUNNING') and "isAsync"
         and "createdAt" between $1 and $2 and coalesce("scheduledAt", "createdAt") < $2 order by "createdAt" limit $3`,
    [new Date(from), new Date(to), limit],
  )
  return rows
}
