import { setTimeout as sleep } from 'node:timers/promises'
import { countEventsJob, measureStocksJob } from '../src/modules/usage/jobs.ts'
import { countLog } from '../src/modules/usage/write.ts'
import { gatherMs, implement, onMoment, onTick, type Worker } from './implement.ts'
import { measureStocks } from './usage/stocks.ts'

const batchSize = 5_000
const measureEveryMs = 10 * 60_000

/** Counts what happened from the event log, by a cursor of its own, and looks now and then how much there is. */
export const usage: Worker = {
  name: 'usage',
  jobs: [
    implement(countEventsJob, async ({ sql, statsd, signal }) => {
      await sleep(gatherMs, undefined, { signal })
      while (!signal.aborted) {
        const counted = await countLog(sql, batchSize)
        if (counted === null) break
        statsd.add(counted)
      }
      signal.throwIfAborted()
    }),
    implement(measureStocksJob, (run) => measureStocks(run)),
  ],
  reactions: [onMoment(countEventsJob)],
  owed: async ({ sql }) => {
    const { rows } = await sql.query<{ to: string }>(
      `select b.seq as to from consumers b left join consumers u on u.name = 'usage'
       where b.name = 'bridge' and b.seq > coalesce(u.seq, 0) and coalesce(u.at, 'epoch') < now() - interval '1 minute'`,
    )
    return rows.map(({ to }) => ({ job: countEventsJob, key: to, data: {} }))
  },
  due: onTick(measureStocksJob, measureEveryMs),
}
