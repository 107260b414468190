import type { Services } from '../src/context.ts'
import type { Metrics } from '../src/platform/metrics.ts'
import type { Queue } from '../src/platform/queue/queue.ts'
import type { Again } from './implement.ts'

/** Times the run of a job. */
export async function timed<Outcome extends Again | undefined>(
  { jobs }: Metrics,
  name: string,
  run: () => Promise<Outcome>,
): Promise<Outcome> {
  const begun = performance.now()
  try {
    const outcome = await run()
    jobs.observe(performance.now() - begun, name, outcome ? 'again' : 'done')
    return outcome
  } catch (error) {
    jobs.observe(performance.now() - begun, name, 'failed')
    throw error
  }
}

const logQuery = `
  select (select seq from events.head)::float8 as head,
         (select coalesce(json_object_agg(name, seq), '{}') from consumers) as consumers,
         (select count(*)::int from (select from events.outbox order by position limit 10000) waiting) as outbox`

type LogRow = { head: number; consumers: Record<string, number>; outbox: number }

/** What is known of the event log and the queue: the same in every process, but for who leads. */
export function watchWorkers(services: Services, { queue, isLeader }: { queue: Queue; isLeader: () => boolean }): void {
  const { sql, metrics } = services
  const log = shared(async () => (await sql.query<LogRow>(logQuery)).rows[0] ?? { head: 0, consumers: {}, outbox: 0 })
  const depths = shared(queue.depths)
  const { read } = metrics
  const perJob = (pick: 'due' | 'running' | 'lagSeconds') => async () =>
    new Map((await depths()).map((depth) => [depth.name, depth[pick]]))
  const lags = async () => {
    const { head, consumers } = await log()
    return new Map(Object.entries(consumers).map(([name, seq]) => [name, head - seq]))
  }
  read('tendril_relay_leader', 'Whether the relay of this process leads.', () => Number(isLeader()))
  read('tendril_event_log_head', 'The number of the last event.', async () => (await log()).head)
  read('tendril_event_log_lag', 'Events that a consumer has still to read.', lags, 'consumer')
  read('tendril_outbox_events', 'Events that wait for the relay, up to 10,000.', async () => (await log()).outbox)
  read('tendril_jobs_due', 'Jobs whose time has come and that do not run.', perJob('due'), 'job')
  read('tendril_jobs_running', 'Jobs that run, in whichever process.', perJob('running'), 'job')
  read('tendril_jobs_lag_seconds', 'How long the oldest of those that are due has been.', perJob('lagSeconds'), 'job')
}

/** One question for all who ask within a second. */
function shared<T>(ask: () => Promise<T>): () => Promise<T> {
  let asked: { at: number; answer: Promise<T> } | null = null
  return () => {
    if (!asked || performance.now() - asked.at > 1_000) asked = { at: performance.now(), answer: ask() }
    return asked.answer
  }
}
