import { setTimeout as sleep } from 'node:timers/promises'
import type { Services } from '../src/context.ts'
import type { Queue } from '../src/platform/queue/queue.ts'
import type { Worker } from './implement.ts'
import { trimLog } from './relay.ts'

const hour = 3_600_000
const day = 24 * hour

type Retention = { what: string; rows: string; keepMs: number }

/** What is deleted, and when. Each `rows` names rows by `ctid`, older than `$1`. */
const retentions: readonly Retention[] = [
  { what: 'processed', rows: 'at < $1', keepMs: 14 * day },
  // Done jobs stay for a moment only, so that a second claim finds them; given-up ones for as long as they may be asked about.
  { what: 'job_attempts', rows: 'attempts = -1 and at < $1', keepMs: hour },
  { what: 'job_attempts', rows: 'at < $1', keepMs: 30 * day },
  // Each project says how long.
  {
    what: 'audits',
    rows: `at < $1::timestamptz - coalesce((select p."auditDays" from projects p where p.id = audits."projectId"), 14) * interval '1 day'`,
    keepMs: 0,
  },
  { what: 'deliveries', rows: `status <> 'PENDING' and "updatedAt" < $1`, keepMs: 14 * day },
  { what: 'task_runs', rows: `status not in ('PENDING', 'RUNNING') and "createdAt" < $1`, keepMs: 14 * day },
  { what: 'mails', rows: `"createdAt" < $1`, keepMs: 30 * day },
  // Answers of mutations that were given a key, and how far imports have come.
  { what: 'idempotencies', rows: '"createdAt" < $1', keepMs: day },
  { what: 'sessions', rows: '"expiresAt" < $1', keepMs: 0 },
  { what: 'verifications', rows: '"expiresAt" < $1', keepMs: day },
]

const everyMs = 10 * 60_000
const batchSize = 5_000

/** Deletes what is too old. One process at a time does it; the others skip their turn. */
export const maintenance: Worker = {
  name: 'maintenance',
  jobs: [],
  reactions: [],
  start: (services, queue) => {
    const stopping = new AbortController()
    const run = async () => {
      while (!stopping.signal.aborted) {
        await sleep(everyMs * (0.5 + Math.random()), undefined, { signal: stopping.signal }).catch(() => {})
        if (stopping.signal.aborted) return
        await maintain(services, queue).catch((error: unknown) =>
          services.log.warn({ err: error }, 'maintenance failed; trying again later'),
        )
      }
    }
    const running = run()
    return {
      stop: async () => {
        stopping.abort()
        await running
      },
    }
  },
}

export async function maintain(services: Services, queue: Pick<Queue, 'forget'>): Promise<void> {
  for (const retention of retentions) await deleteOld(services, retention)
  await queue.forget(new Date(services.clock().getTime() - 2 * day))
  await trimLog(services)
}

/** In small statements, so that none of them is in anybody's way; rows that another process deletes are skipped. */
async function deleteOld({ sql, clock }: Services, { what, rows, keepMs }: Retention): Promise<void> {
  const before = new Date(clock().getTime() - keepMs)
  for (;;) {
    const { rowCount } = await sql.query(
      `delete from ${what} where ctid in (select ctid from ${what} where ${rows} limit ${batchSize} for update skip locked)`,
      [before],
    )
    if ((rowCount ?? 0) < batchSize) return
  }
}
