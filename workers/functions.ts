import { asSystem, type Services } from '../src/context.ts'
import {
  beginAttempt,
  endOrphans,
  finishAttempt,
  giveUpExecution,
  waitingExecutions,
} from '../src/modules/executions/attempts.ts'
import { executionCreated } from '../src/modules/executions/events.ts'
import { runExecutionJob, runsAtATime } from '../src/modules/executions/jobs.ts'
import { outcomeOf } from '../src/modules/executions/outcome.ts'
import { perform } from '../src/modules/executions/perform.ts'
import { planDueExecutions, planForEvents } from '../src/modules/executions/triggers.ts'
import type { Queue } from '../src/platform/queue/queue.ts'
import { createPlaces } from './functions/places.ts'
import { type Again, implement, type Owed, type Reaction, type Run, type Worker } from './implement.ts'

const duePerTick = 100

/** Others find room, however many runs a project has waiting and however long they take. */
const places = createPlaces({ all: runsAtATime.all, most: runsAtATime.ofProject, againAfterMs: 250 })

/** An execution for each event and function. That it was made is an event itself, which leads to its job. */
const planRuns: Reaction = async (services, events) => {
  await planForEvents(services, events)
  return []
}

/** A job for what is to be run, unless it is for later. */
const runPlanned: Reaction = async ({ clock }, events) =>
  events.flatMap(({ type, payload, projectId, trace = null }) => {
    if (type !== executionCreated.name) return []
    const { executionId, status, scheduledAt } = executionCreated.payload.parse(payload)
    const isDue = scheduledAt === null || new Date(scheduledAt) <= clock()
    return status === 'PENDING' && isDue ? [{ ...owedFor({ id: executionId, projectId }), trace }] : []
  })

function owedFor({ id, projectId }: { id: string; projectId: string }): Owed {
  return { job: runExecutionJob, key: id, data: { executionId: id }, projectId }
}

async function runExecution(run: Run, executionId: string): Promise<Again | undefined> {
  const { key: _key, signal, ...services } = run
  const found = await services.db.execution.findUnique({ where: { id: executionId }, select: { projectId: true } })
  if (!found) return
  const ctx = asSystem(services, 'functions', found.projectId)
  return places.take(found.projectId, services.clock(), async () => {
    const attempt = await beginAttempt(ctx, executionId)
    if (!attempt) return
    const { execution, plan } = attempt
    const request = {
      method: execution.method,
      url: execution.url,
      headers: execution.requestHeaders as Record<string, string>,
      body: Buffer.from(execution.requestBody ?? []),
    }
    const result = await perform(ctx, plan, execution, request, { signal })
    const again = await finishAttempt(ctx, attempt, outcomeOf(plan, result, ctx.clock()))
    return again ? { again } : undefined
  })
}

/** What the clock says: schedules, runs that were asked for later, and what is left of processes that went away. */
async function planDue(services: Services, queue: Queue, now: Date): Promise<boolean> {
  const then = { ...services, clock: () => now }
  const planned = await planDueExecutions(asSystem(then, 'schedules', ''), duePerTick)
  for (const row of await waitingExecutions(then, 'due', duePerTick)) {
    const { job, key, data, projectId = null } = owedFor(row)
    await queue.enqueue(job, key, data, { projectId })
  }
  return planned === duePerTick
}

/** Runs functions when something has happened, when it is time, and when nobody waits for it. */
export const functions: Worker = {
  name: 'functions',
  jobs: [
    implement(
      runExecutionJob,
      (run, { executionId }) => runExecution(run, executionId),
      (services, { executionId }, reason) => giveUpExecution(asSystem(services, 'functions', ''), executionId, reason),
    ),
  ],
  reactions: [planRuns, runPlanned],
  due: planDue,
  owed: async (services) => {
    await endOrphans(asSystem(services, 'functions', ''), 500)
    return (await waitingExecutions(services, 'owed', 1_000)).map(owedFor)
  },
}
