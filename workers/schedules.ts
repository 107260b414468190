import { setTimeout as sleep } from 'node:timers/promises'
import type { Client } from 'pg'
import type { Services } from '../src/context.ts'
import type { Queue } from '../src/platform/queue/queue.ts'
import type { Worker } from './implement.ts'
import { startLeading } from './leadership.ts'

/** How often the clock is read at least: schedules name whole seconds, what is tried again may be due at any time. */
const tickMs = 500

/**
 * The one clock. Of all processes one leads, and asks each worker what is due. The time is PostgreSQL's, so it does not
 * matter what the processes take it to be; that nothing is planned twice is decided by rows, also when two lead for a moment.
 */
export const schedules: Worker = {
  name: 'schedules',
  jobs: [],
  reactions: [],
  start: (services, queue, workers) =>
    startLeading(services, 'schedules', async (client, signal) => {
      while (!signal.aborted) {
        const now = await readClock(client)
        const isMore = await planAll(services, queue, workers, now)
        // Just after the second has turned, for that is when schedules name.
        const wait = isMore ? 0 : Math.min(tickMs, 1_005 - (now.getTime() % 1_000))
        await sleep(wait, undefined, { signal }).catch(() => {})
      }
    }),
}

async function readClock(client: Client): Promise<Date> {
  const { rows } = await client.query<{ now: Date }>('select clock_timestamp() as now')
  return rows[0]?.now ?? new Date()
}

/** What one of them cannot plan keeps nobody else from it. Answers whether there is more. */
async function planAll(services: Services, queue: Queue, workers: readonly Worker[], now: Date): Promise<boolean> {
  const plans = workers.map(async (worker) => {
    try {
      return (await worker.due?.(services, queue, now)) ?? false
    } catch (error) {
      services.log.warn({ err: error, worker: worker.name }, 'what is due could not be planned; trying again')
      return false
    }
  })
  return (await Promise.all(plans)).some(Boolean)
}
