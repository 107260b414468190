import type { Services } from '../src/context.ts'
import { maintainJob } from '../src/modules/maintenance/jobs.ts'
import {
  countedExecutions,
  keepJobsMs,
  keepLogHours,
  type Retention,
  retentions,
} from '../src/modules/maintenance/retentions.ts'
import type { Queue } from '../src/platform/queue/queue.ts'
import { implement, onTick, type Worker } from './implement.ts'
import { trimLog } from './relay.ts'

const everyMs = 10 * 60_000
const batchSize = 5_000

/** Deletes what is too old: a job every ten minutes, which one process takes. */
export const maintenance: Worker = {
  name: 'maintenance',
  jobs: [],
  queued: (queue) => [implement(maintainJob, (run) => maintain(run, queue, run.signal))],
  reactions: [],
  due: onTick(maintainJob, everyMs),
}

export async function maintain(
  services: Services,
  queue: Pick<Queue, 'forget'>,
  signal = new AbortController().signal,
): Promise<void> {
  const begun = performance.now()
  const removed: Record<string, number> = {}
  for (const retention of retentions) {
    const count = await deleteOld(services, retention, signal)
    if (count > 0) removed[retention.what] = count
  }
  const executions = await deleteExecutions(services, signal)
  if (executions > 0) removed[countedExecutions.what] = executions
  const jobs = await queue.forget(new Date(services.clock().getTime() - keepJobsMs))
  if (jobs > 0) removed.jobs = jobs
  const { dropped } = await trimLog(services, keepLogHours)
  const seconds = Math.round((performance.now() - begun) / 100) / 10
  services.log.info({ removed, days: dropped, seconds }, 'what was too old is gone')
}

async function deleteOld(services: Services, retention: Retention, signal: AbortSignal): Promise<number> {
  const { what, table, rows, keepMs } = retention
  const before = new Date(services.clock().getTime() - keepMs(services.env))
  return deleteRows(services, { what, table, rows, values: [before] }, signal)
}

async function deleteExecutions(services: Services, signal: AbortSignal): Promise<number> {
  const { sql, clock, env } = services
  const { what, leastMs, beyond, rows } = countedExecutions
  const ended = new Date(clock().getTime() - leastMs)
  const found = await sql.query<{ projectId: string; at: Date }>(beyond, [env.KEEP_EXECUTIONS])
  let removed = 0
  for (const { projectId, at } of found.rows) {
    removed += await deleteRows(services, { what, table: 'executions', rows, values: [projectId, at, ended] }, signal)
  }
  return removed
}

type Rows = Pick<Retention, 'what' | 'table' | 'rows'> & { values: readonly unknown[] }

/** In small statements, so that none of them is in anybody's way; rows that another process deletes are skipped. */
async function deleteRows({ sql, log }: Services, old: Rows, signal: AbortSignal): Promise<number> {
  const { what, table, rows, values } = old
  for (let removed = 0; ; ) {
    signal.throwIfAborted()
    const { rowCount } = await sql.query(
      `delete from ${table} where ctid = any (array(select ctid from ${table} where ${rows} limit ${batchSize} for update skip locked))`,
      [...values],
    )
    removed += rowCount ?? 0
    if ((rowCount ?? 0) < batchSize) return removed
    log.info({ what, removed }, 'what is too old is going')
  }
}
