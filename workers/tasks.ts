import type { Task, TaskRun } from '../prisma/client/client.ts'
import { asSystem, type Context } from '../src/context.ts'
import { authorizationOf, readBasicAuth, readHeaders } from '../src/modules/calls/secrets.ts'
import { runTaskJob } from '../src/modules/tasks/jobs.ts'
import { beginRun, finishRun, planDueRuns, type RunOutcome } from '../src/modules/tasks/runs.ts'
import { type Egress, EgressFailed, EgressRefused, shortened } from '../src/platform/egress.ts'
import { implement, onEvent, type Worker } from './implement.ts'

const duePerTick = 50

/** Makes the calls of tasks. */
export const tasks: Worker = {
  name: 'tasks',
  jobs: [],
  due: async (services, _queue, now) => {
    const planned = await planDueRuns(asSystem({ ...services, clock: () => now }, 'schedules', ''), duePerTick)
    return planned === duePerTick
  },
  outgoing: ({ egress }) => [
    implement(
      runTaskJob,
      async ({ signal, ...services }, { runId }) => {
        const ctx = asSystem(services, 'tasks', '')
        const run = await beginRun(ctx, runId)
        if (run) ctx.meter.count(run.projectId, 'jobs.run')
        if (run) await finishRun(ctx, runId, await call(ctx, egress, run, signal))
      },
      (services, { runId }, reason) => {
        const outcome = {
          status: null,
          headers: null,
          body: null,
          error: `The run was given up: ${reason}`,
          durationMs: null,
        }
        return finishRun(asSystem(services, 'tasks', ''), runId, outcome)
      },
    ),
  ],
  reactions: [
    onEvent(['runs.created'], runTaskJob, {
      key: ({ payload }) => (payload as { runId: string }).runId,
      data: ({ payload }) => ({ runId: (payload as { runId: string }).runId }),
    }),
  ],
  owed: async ({ sql, clock }) => {
    const { rows } = await sql.query<{ id: string; projectId: string }>(
      `select id, "projectId" from task_runs where status in ('PENDING', 'RUNNING') and "createdAt" < $1 order by "createdAt" limit 1000`,
      [new Date(clock().getTime() - 60_000)],
    )
    return rows.map(({ id, projectId }) => ({ job: runTaskJob, key: id, data: { runId: id }, projectId }))
  },
}

async function call(
  ctx: Context,
  egress: Egress,
  run: TaskRun & { task: Task },
  signal: AbortSignal,
): Promise<RunOutcome> {
  const started = performance.now()
  const durationMs = () => Math.round(performance.now() - started)
  const { method, url, body, headers, basicAuth, timeoutMs, verifyTls } = run.task
  const secret = { ...readHeaders(ctx.env, headers), ...authorizationOf(readBasicAuth(ctx.env, basicAuth)) }
  const sent = { 'user-agent': 'Tendril-Tasks/1.0', ...secret, 'tendril-run-id': run.id }
  const hasBody = method !== 'GET' && method !== 'HEAD'
  try {
    const reply = await egress.send({
      method,
      url,
      headers: sent,
      body: hasBody ? (body ?? undefined) : undefined,
      timeoutMs,
      verifyTls,
      signal,
    })
    const error = reply.status >= 300 && reply.status < 400 ? 'A redirect is not followed.' : null
    return { status: reply.status, headers: shortened(reply), body: reply.body, error, durationMs: durationMs() }
  } catch (error) {
    if (!(error instanceof EgressRefused || error instanceof EgressFailed)) throw error
    return { status: null, headers: null, body: null, error: error.message, durationMs: durationMs() }
  }
}
