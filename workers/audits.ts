import { setTimeout as sleep } from 'node:timers/promises'
import type { Services } from '../src/context.ts'
import { recordAudits } from '../src/modules/audits/audits.ts'
import { recordAuditsJob } from '../src/modules/audits/jobs.ts'
import { readLog } from './bridge.ts'
import { gatherMs, implement, onMoment, type Worker } from './implement.ts'

const batchSize = 500

/**
 * Keeps what happened for longer than the event log does. It has a cursor of its own, so that one job makes up for all
 * those before it that were lost, and the log is not trimmed before it has been read.
 */
export const audits: Worker = {
  name: 'audits',
  jobs: [
    implement(recordAuditsJob, async ({ signal, ...services }) => {
      await sleep(gatherMs, undefined, { signal })
      while (!signal.aborted && (await recordBatch(services)));
      signal.throwIfAborted()
    }),
  ],
  reactions: [onMoment(recordAuditsJob)],
  owed: async ({ sql }) => {
    const { rows } = await sql.query<{ to: string }>(
      `select b.seq as to from consumers b left join consumers a on a.name = 'audits'
       where b.name = 'bridge' and b.seq > coalesce(a.seq, 0)
         and coalesce(a.at, 'epoch') < now() - interval '10 s'`,
    )
    return rows.map(({ to }) => ({ job: recordAuditsJob, key: to, data: {} }))
  },
}

/** False when there is nothing left to record. */
async function recordBatch(services: Services): Promise<boolean> {
  const { sql } = services
  await sql.query(`insert into consumers (name, seq) values ('audits', 0) on conflict do nothing`)
  const { rows } = await sql.query<{ seq: string }>(`select seq from consumers where name = 'audits'`)
  const events = await readLog(sql, BigInt(rows[0]?.seq ?? 0), batchSize)
  const last = events.at(-1)
  if (!last) return false
  await recordAudits(services, events)
  // Another run may have come further: the cursor never goes back.
  await sql.query(`update consumers set seq = greatest(seq, $1), at = now() where name = 'audits'`, [String(last.seq)])
  return events.length === batchSize
}
