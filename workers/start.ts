import type { Services } from '../src/context.ts'
import { createEgress } from '../src/platform/egress.ts'
import type { Inbox } from '../src/platform/inbox.ts'
import { createMailer } from '../src/platform/mail.ts'
import { createQueue, type QueueOptions } from '../src/platform/queue/queue.ts'
import { type Loop, startBridge, startSweeper } from './bridge.ts'
import type { Outside, Worker } from './implement.ts'
import { workers } from './index.ts'
import { timed, watchWorkers } from './metrics.ts'
import { startRelay } from './relay.ts'

export type Options = {
  /** Names of the workers whose jobs this process runs; all, if left out. */
  only?: readonly string[]
  /** For tests that cannot wait. */
  queue?: Pick<QueueOptions, 'lockMs' | 'touchEveryMs' | 'pollEveryMs'>
  sweepEveryMs?: number
  /** Takes mails where there is no mail server. */
  inbox?: Inbox | undefined
}

/** Starts what happens later: the relay, the bridge, and the workers. */
export async function startWorkers(services: Services, options: Options = {}): Promise<Loop> {
  const chosen = choose(options.only)
  const { env, sql, log, tails } = services
  const egress = createEgress(env.EGRESS_ALLOW)
  const mailer = createMailer(env, options.inbox)
  const queue = createQueue({
    sql,
    log,
    redisUrl: env.REDIS_URL,
    mongoUrl: env.MONGODB_URL,
    epoch: tails.epoch,
    ...options.queue,
  })
  const ends: (() => Promise<void>)[] = []
  const outside: Outside = { egress, mailer, atEnd: (wait) => ends.push(wait) }
  const jobs = chosen.flatMap((worker) => [
    ...worker.jobs,
    ...(worker.outgoing?.(outside) ?? []),
    ...(worker.queued?.(queue) ?? []),
  ])
  for (const { job, run, giveUp } of jobs) {
    queue.define(
      job,
      ({ key, data, signal, trace }) =>
        timed(services.metrics, job.name, () =>
          services.tracing.span(`job ${job.name}`, trace, (span) => run({ ...services, key, signal, span }, data), {
            kind: 'CONSUMER',
          }),
        ),
      ({ data }, reason) => giveUp(services, data, reason),
    )
  }
  queue.start()
  // The bridge knows every worker, whichever run here: an event is taken from the log once.
  const relay = startRelay(services)
  watchWorkers(services, { queue, isLeader: relay.isLeader })
  const loops: Loop[] = [
    ...chosen.flatMap((worker) => worker.start?.(services, queue, workers) ?? []),
    startSweeper(services, queue, workers, options.sweepEveryMs),
    startBridge(services, queue, workers, jobs),
    relay,
  ]
  return {
    stop: async () => {
      await Promise.all(loops.map((loop) => loop.stop()))
      await queue.close()
      await Promise.all(ends.map((wait) => wait()))
      await egress.close()
      mailer.close()
    },
  }
}

function choose(only: readonly string[] | undefined): readonly Worker[] {
  const unknown = only?.filter((name) => !workers.some((worker) => worker.name === name)) ?? []
  if (unknown.length > 0) {
    const names = workers.map((worker) => worker.name).join(', ')
    throw new Error(`There is no worker named ${unknown.join(', ')}. There are: ${names}.`)
  }
  return only ? workers.filter((worker) => only.includes(worker.name)) : workers
}
