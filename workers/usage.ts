import { countEventsJob, measureStocksJob } from '../src/modules/usage/jobs.ts'
import { countLog } from '../src/modules/usage/write.ts'
import { implement, onBatch, onTick, type Worker } from './implement.ts'
import { measureStocks } from './usage/stocks.ts'

const batchSize = 5_000
const measureEveryMs = 10 * 60_000

/** Counts what happened from the event log, by a cursor of its own, and looks now and then how much there is. */
export const usage: Worker = {
  name: 'usage',
  jobs: [
    implement(countEventsJob, async ({ sql, statsd, signal }, { to }) => {
      while (!signal.aborted) {
        const counted = await countLog(sql, BigInt(to), batchSize)
        if (counted === null) break
        statsd.add(counted)
      }
      signal.throwIfAborted()
    }),
    implement(measureStocksJob, (run) => measureStocks(run)),
  ],
  reactions: [onBatch(countEventsJob)],
  owed: async ({ sql }) => {
    const { rows } = await sql.query<{ from: string; to: string }>(
      `select b.seq as to, coalesce(u.seq, 0) as from from consumers b left join consumers u on u.name = 'usage'
       where b.name = 'bridge' and b.seq > coalesce(u.seq, 0) and coalesce(u.at, 'epoch') < now() - interval '1 minute'`,
    )
    return rows.map(({ from, to }) => ({ job: countEventsJob, key: to, data: { from, to } }))
  },
  due: onTick(measureStocksJob, measureEveryMs),
}
