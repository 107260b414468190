import { setTimeout as sleep } from 'node:timers/promises'
import type { PoolClient } from 'pg'
import type { Services } from '../src/context.ts'
import type { LoggedEvent } from '../src/logged-event.ts'
import { channelsOf, createPubsub } from '../src/platform/pubsub.ts'
import { noteWaiting } from '../src/platform/queue/attempts.ts'
import type { Queue } from '../src/platform/queue/queue.ts'
import type { Implementation, Owed, Worker } from './implement.ts'
import { noteTraces } from './relay/traces.ts'

export type Loop = { stop: () => Promise<void> }

const batchSize = 500
const pollMs = 200
/** After a batch that was not full: lets a few events gather, so that a stream of them does not make a job each. */
const gatherMs = 20

/**
 * Takes events from the log to the queue, in order: what each leads to is enqueued by its key, then the cursor moves. Any
 * number may run; the one that holds the cursor's row works, and what it enqueued twice after a crash is one job.
 * `implementations` are those of this process.
 */
export function startBridge(
  services: Services,
  queue: Queue,
  workers: readonly Worker[],
  implementations: readonly Implementation[],
): Loop {
  const { log, tails, env } = services
  const stopping = new AbortController()
  const pubsub = createPubsub(env.REDIS_URL, log)
  const nap = createNap(stopping.signal)
  const channels = channelsOf(`tendril:${tails.epoch}:`)
  const bell = pubsub.subscribe(channels.wake, nap.ring)
  for (const { job, heard } of implementations) {
    if (heard)
      pubsub.subscribe(channels.owed(job.name), (data) => {
        heard(services, data).catch((error: unknown) => log.debug({ err: error }, 'what was heard could not be done'))
      })
  }
  const tell = ({ job, data }: Owed) => void pubsub.publish(channels.owed(job.name), JSON.stringify(data))
  const run = async () => {
    for (let failures = 0; !stopping.signal.aborted; ) {
      try {
        const count = await bridgeBatch(services, queue, workers, tell)
        failures = 0
        if (count < batchSize) await nap.take(count > 0 ? gatherMs : pollMs)
      } catch (error) {
        failures += 1
        log.warn({ err: error }, 'the bridge waits: events stay in the log')
        await nap.take(Math.min(100 * 2 ** failures, 5_000), true)
      }
    }
  }
  const running = run()
  return {
    stop: async () => {
      stopping.abort()
      await running
      bell.close()
      pubsub.close()
    },
  }
}

/**
 * Sleeps that a ring shortens. The bell rings when something is committed, some milliseconds before it is in the log, so
 * after a ring the log is looked at again and again for a moment.
 */
function createNap(stopping: AbortSignal) {
  let rung = false
  let eager = 0
  let waking = new AbortController()
  const ring = () => {
    rung = true
    waking.abort()
  }
  const take = async (ms: number, deaf = false) => {
    if (rung) eager = 8
    rung = false
    waking = new AbortController()
    const short = eager > 0 && !deaf
    if (short) eager -= 1
    const signal = deaf ? stopping : AbortSignal.any([stopping, waking.signal])
    await sleep(short ? Math.min(ms, 40 / (eager + 1)) : ms, undefined, { signal }).catch(() => {})
  }
  return { ring, take }
}

/** Answers how many events it took on. Zero, too, when another process is at it. */
export async function bridgeBatch(
  services: Services,
  queue: Queue,
  workers: readonly Worker[],
  tell: (owed: Owed) => void = () => {},
): Promise<number> {
  const { rows } = await services.sql.query(
    `select from events.head where seq > coalesce((select seq from consumers where name = 'bridge'), -1)`,
  )
  if (rows.length === 0) return 0
  const client = await services.sql.connect()
  try {
    // A process that is stopped in the middle would otherwise keep the row for ever.
    await client.query(`begin; set local idle_in_transaction_session_timeout = '30s'`)
    const count = await moveOn({ services, client, queue, tell }, workers)
    await client.query('commit')
    client.release()
    return count
  } catch (error) {
    await client.query('rollback').then(
      () => client.release(),
      (broken) => client.release(broken),
    )
    throw error
  }
}

type Move = { services: Services; client: PoolClient; queue: Queue; tell: (owed: Owed) => void }

async function moveOn({ services, client, queue, tell }: Move, workers: readonly Worker[]): Promise<number> {
  await client.query(`insert into consumers (name, seq) values ('bridge', 0) on conflict do nothing`)
  const cursor = await client.query<{ seq: string }>(
    `select seq from consumers where name = 'bridge' for update skip locked`,
  )
  const [held] = cursor.rows
  if (!held) return 0
  const events = await readLog(client, BigInt(held.seq), batchSize)
  const last = events.at(-1)
  if (!last) return 0
  const begun = services.clock()
  const reactions = workers.flatMap((worker) => worker.reactions)
  const owed = await Promise.all(reactions.map((react) => react(services, events)))
  for (const each of owed.flat()) if (each.isTold) tell(each)
  await noteWaiting(services.sql, owed.flat().flatMap(waitingOf))
  await enqueueAll(queue, owed.flat())
  noteTraces(
    services.tracing,
    'bridge',
    events.map(({ trace }) => ({ trace, at: begun })),
  )
  await client.query(`update consumers set seq = $1, at = now() where name = 'bridge'`, [String(last.seq)])
  return events.length
}

function waitingOf({ job, key, data, projectId }: Owed) {
  return projectId ? [{ job: `${job.name}:${key}`, projectId, data }] : []
}

/** Four at a time: the pool is shared. */
async function enqueueAll(queue: Queue, owed: readonly Owed[]): Promise<void> {
  for (let i = 0; i < owed.length; i += 4) {
    await Promise.all(
      owed
        .slice(i, i + 4)
        .map(({ job, key, data, isRevived, ...options }) =>
          isRevived ? queue.revive(job, key, data, options) : queue.enqueue(job, key, data, options),
        ),
    )
  }
}

/** Events behind a place in the log, in order. Numbers are gapless, so nothing can appear below one that was seen. */
export async function readLog(sql: Pick<PoolClient, 'query'>, after: bigint, limit: number): Promise<LoggedEvent[]> {
  const { rows } = await sql.query<Omit<LoggedEvent, 'seq' | 'prev'> & { seq: string; prev: string }>(
    `select seq, prev, id, "projectId", name, type, aggregate, payload, "actorKind", "actorId", at, trace
     from events.log where seq > $1 order by seq limit $2`,
    [String(after), limit],
  )
  return rows.map((row) => ({ ...row, seq: BigInt(row.seq), prev: BigInt(row.prev) }))
}

/**
 * Makes sure that what rows in PostgreSQL still wait for is in the queue: its server may have come back empty, or have
 * given a job up while PostgreSQL was away. Every process does it; doing it twice is doing it once.
 */
export function startSweeper(services: Services, queue: Queue, workers: readonly Worker[], everyMs = 30_000): Loop {
  const stopping = new AbortController()
  const run = async () => {
    while (!stopping.signal.aborted) {
      await sleep(everyMs * (0.75 + Math.random() / 2), undefined, { signal: stopping.signal }).catch(() => {})
      if (stopping.signal.aborted) return
      await sweep(services, queue, workers).catch((error: unknown) =>
        services.log.warn({ err: error }, 'what is owed could not be enqueued'),
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
}

export async function sweep(services: Services, queue: Queue, workers: readonly Worker[]): Promise<void> {
  await queue.prepare()
  for (const worker of workers) {
    for (const { job, key, data, projectId = null } of (await worker.owed?.(services)) ?? [])
      await queue.revive(job, key, data, { projectId })
  }
}
