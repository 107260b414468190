import { asSystem, type Context } from '../src/context.ts'
import type { LoggedEvent } from '../src/logged-event.ts'
import { addToLog, beginBuild, failBuild, finishBuild, postponeBuild } from '../src/modules/deployments/builds.ts'
import { buildDeploymentJob } from '../src/modules/deployments/jobs.ts'
import { deploymentLimits } from '../src/modules/deployments/limits.ts'
import { ring } from '../src/modules/deployments/logs.ts'
import { readWhole } from '../src/modules/deployments/parts.ts'
import { findPlan } from '../src/modules/functions/plans.ts'
import type { LogLine } from '../src/platform/sandbox.ts'
import { implement, type Owed, type Reaction, type Run, type Worker } from './implement.ts'

const minute = 60_000
/** How long a build waits for another of its function. */
const busyMs = 500

/** Whatever is complete is built. */
const onComplete: Reaction = async (_services, events) =>
  events.filter(isComplete).map(({ payload, projectId, trace }) => {
    const { deploymentId } = payload as { deploymentId: string }
    return owe(deploymentId, projectId, deploymentId, trace)
  })

function isComplete({ type, payload }: LoggedEvent): boolean {
  return /^deployments\.(created|updated)$/.test(type) && (payload as { status: string }).status === 'PENDING'
}

function owe(deploymentId: string, projectId: string, key: string, trace: string | null = null): Owed {
  return { job: buildDeploymentJob, key, data: { deploymentId }, projectId, trace }
}

/** Makes what is run out of what was uploaded, on an executor. */
export const deployments: Worker = {
  name: 'deployments',
  jobs: [
    implement(buildDeploymentJob, build, (services, { deploymentId }, reason) =>
      failBuild(asSystem(services, 'deployments', ''), deploymentId, `The build was given up: ${reason}`),
    ),
  ],
  reactions: [onComplete],
  owed: async ({ sql, clock }) => {
    const { rows } = await sql.query<{ id: string; projectId: string }>(
      `select id, "projectId" from deployments
       where status in ('PENDING', 'BUILDING') and "updatedAt" < now() - interval '2 min' order by "updatedAt" limit 100`,
    )
    // A new key every ten minutes: the job of the last ones may have ended.
    const period = Math.floor(clock().getTime() / (10 * minute))
    return rows.map(({ id, projectId }) => owe(id, projectId, `${id}.${period}`))
  },
}

async function build({ signal, key: _key, ...services }: Run, { deploymentId }: { deploymentId: string }) {
  const system = asSystem(services, 'deployments', '')
  const deployment = await beginBuild(system, deploymentId)
  if (deployment === null) return
  if (deployment === 'busy') return { again: new Date(services.clock().getTime() + busyMs) }
  const { projectId, functionId, runtime, entrypoint, buildCommand } = deployment
  const ctx = { ...system, projectId }
  ctx.meter.count(projectId, 'jobs.run')
  ring(ctx, deploymentId)
  const archive = await readWhole(ctx, deploymentId, 'SOURCE')
  if (!archive) return failBuild(ctx, deploymentId, 'What was uploaded is gone.').then(() => undefined)
  const plan = await findPlan(ctx, functionId)
  const log = openLog(ctx, deploymentId)
  const result = await ctx.sandbox
    .build({
      tenant: projectId,
      runtime,
      entrypoint,
      command: buildCommand,
      variables: plan?.variables ?? {},
      timeoutMs: deploymentLimits.buildMs,
      archive,
      onLine: log.add,
      signal,
    })
    .finally(() => log.close())
  if (result.isRetriable || signal.aborted) {
    await postponeBuild(ctx, deploymentId)
    throw new Error(result.error ?? 'The build was stopped.')
  }
  if (result.error !== null) await failBuild(ctx, deploymentId, result.error)
  else await finishBuild(ctx, deploymentId, result.artefact, result.durationMs)
  ring(ctx, deploymentId)
}

/** Lines are written as they come, a moment's together; without any it is written now and then that the build goes on. */
function openLog(ctx: Context, id: string) {
  const gatherMs = 100
  const beatMs = 10_000
  let waiting = ''
  let writing = Promise.resolve()
  let last = performance.now()
  const write = () => {
    if (waiting === '' && performance.now() - last < beatMs) return writing
    const lines = waiting
    waiting = ''
    last = performance.now()
    writing = writing
      .then(() => addToLog(ctx, id, lines))
      .then(() => ring(ctx, id))
      .catch((error) => ctx.log.warn({ err: error, id }, 'lines of a build are lost'))
    return writing
  }
  const timer = setInterval(() => void write(), gatherMs)
  return {
    add: ({ text }: LogLine) => {
      waiting += `${text}\n`
    },
    close: () => {
      clearInterval(timer)
      return write()
    },
  }
}
