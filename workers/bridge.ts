import { setTimeout as sleep } from 'node:timers/promises'
import type { PoolClient } from 'pg'
import type { Services } from '../src/context.ts'
import type { LoggedEvent } from '../src/logged-event.ts'
import { streamOf } from '../src/platform/db.ts'
import { channelsOf, createPubsub } from '../src/platform/pubsub.ts'
import type { Queue } from '../src/platform/queue/queue.ts'
import { createBell } from './bell.ts'
import type { Implementation, Owed, Worker } from './implement.ts'
import { noteTraces } from './relay/traces.ts'

export type Loop = { stop: () => Promise<void> }

/**
 * How long a loop that is told to stop waits for what it is at. The queue's server may have much to do; what is broken off is
 * owed still, by the log or by its rows, and done again.
 */
const stopMs = 2_000
const endOf = (running: Promise<void>) => Promise.race([running, sleep(stopMs, undefined, { ref: false })])

const batchSize = 500
const pollMs = 200
/** After a batch that was not full: lets a few events gather, so that a stream of them does not make a batch each. */
const gatherMs = 5

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
  const breaking = new AbortController()
  const pubsub = createPubsub(env.REDIS_URL, log)
  const channels = channelsOf(`tendril:${tails.epoch}:`)
  const bell = createBell(pubsub, channels.logged)
  for (const { job, heard } of implementations) {
    if (heard)
      pubsub.subscribe(channels.owed(job.name), (data) => {
        heard(services, data).catch((error: unknown) => log.debug({ err: error }, 'what was heard could not be done'))
      })
  }
  const tell = ({ job, data }: Owed) => void pubsub.publish(channels.owed(job.name), JSON.stringify(data))
  const nap = (ms: number) => sleep(ms, undefined, { signal: stopping.signal }).catch(() => {})
  const run = async () => {
    for (let failures = 0; !stopping.signal.aborted; ) {
      try {
        bell.hasRung()
        const count = await bridgeBatch(services, queue, workers, tell, breaking.signal)
        failures = 0
        if (count > 0 && count < batchSize) await nap(gatherMs)
        if (count < batchSize) await bell.wait(pollMs)
      } catch (error) {
        failures += 1
        log.warn({ err: error }, 'the bridge waits: events stay in the log')
        await nap(Math.min(100 * 2 ** failures, 5_000))
      }
    }
  }
  const running = run()
  return {
    stop: async () => {
      stopping.abort()
      bell.ring()
      await endOf(running)
      breaking.abort()
      bell.close()
      pubsub.close()
    },
  }
}

/** Answers how many events it took on. Zero, too, when another process is at it. Broken off it lets go of the cursor. */
export async function bridgeBatch(
  services: Services,
  queue: Queue,
  workers: readonly Worker[],
  tell: (owed: Owed) => void = () => {},
  broken?: AbortSignal,
): Promise<number> {
  const { rows } = await services.sql.query<{ seq: string | null }>(
    `select c.seq from events.head h left join consumers c on c.name = 'bridge' where h.seq > coalesce(c.seq, -1)`,
  )
  const [behind] = rows
  if (!behind) return 0
  if (behind.seq === null)
    await services.sql.query(`insert into consumers (name, seq) values ('bridge', 0) on conflict do nothing`)
  const client = await services.sql.connect()
  let isHeld = true
  const release = (error?: Error | boolean) => {
    if (isHeld) client.release(error)
    isHeld = false
  }
  // Ended in good order it would wait for the statement that is under way.
  const breakOff = () => {
    if (isHeld) streamOf(client).destroy()
    release(true)
  }
  if (broken?.aborted) breakOff()
  broken?.addEventListener('abort', breakOff)
  try {
    // A process that is stopped in the middle would otherwise keep the row for ever.
    await client.query(`begin; set local idle_in_transaction_session_timeout = '30s'`)
    const count = await moveOn({ services, client, queue, tell }, workers)
    release()
    return count
  } catch (error) {
    await client.query('rollback').then(() => release(), release)
    throw error
  } finally {
    broken?.removeEventListener('abort', breakOff)
  }
}

type Move = { services: Services; client: PoolClient; queue: Queue; tell: (owed: Owed) => void }

/** Moves the cursor and commits, in the end. */
async function moveOn({ services, client, queue, tell }: Move, workers: readonly Worker[]): Promise<number> {
  const events = await readBehindCursor(client)
  const last = events.at(-1)
  if (!last) {
    await client.query('commit')
    return 0
  }
  const begun = services.clock()
  const reactions = workers.flatMap((worker) => worker.reactions)
  const owed = await Promise.all(
    reactions.map(async (react) => {
      const each = await react(services, events)
      for (const one of each) if (one.isTold) tell(one)
      return each
    }),
  )
  await enqueueAll(queue, owed.flat())
  noteTraces(
    services.tracing,
    'bridge',
    events.map(({ trace }) => ({ trace, at: begun })),
  )
  await client.query(`update consumers set seq = ${last.seq}, at = now() where name = 'bridge'; commit`)
  return events.length
}

/** None, too, when another process holds the cursor. */
async function readBehindCursor(client: PoolClient): Promise<LoggedEvent[]> {
  const { rows } = await client.query<LoggedRow>({
    name: 'bridge.read',
    text: `with held as materialized (select seq from consumers where name = 'bridge' for update skip locked)
           select l.* from held cross join lateral (
             select ${columns} from events.log where seq > held.seq order by seq limit $1) l
           order by seq`,
    values: [batchSize],
  })
  return rows.map(eventOf)
}

async function enqueueAll(queue: Queue, owed: readonly Owed[]): Promise<void> {
  await queue.enqueueAll(owed.filter(({ isRevived }) => !isRevived).map(({ job, ...each }) => ({ kind: job, ...each })))
  for (const { job, key, data, isRevived, ...options } of owed)
    if (isRevived) await queue.revive(job, key, data, options)
}

/** Events behind a place in the log, in order. Numbers are gapless, so nothing can appear below one that was seen. */
export async function readLog(sql: Pick<PoolClient, 'query'>, after: bigint, limit: number): Promise<LoggedEvent[]> {
  const { rows } = await sql.query<LoggedRow>({
    name: 'log.read',
    text: `select ${columns} from events.log where seq > $1 order by seq limit $2`,
    values: [String(after), limit],
  })
  return rows.map(eventOf)
}

type LoggedRow = Omit<LoggedEvent, 'seq' | 'prev'> & { seq: string; prev: string }

const columns = `seq, prev, id, "projectId", name, type, aggregate, payload, "actorKind", "actorId", at, trace, "executionId"`

function eventOf(row: LoggedRow): LoggedEvent {
  return { ...row, seq: BigInt(row.seq), prev: BigInt(row.prev) }
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
      await sweep(services, queue, workers, stopping.signal).catch((error: unknown) =>
        services.log.warn({ err: error }, 'what is owed could not be enqueued'),
      )
    }
  }
  const running = run()
  return {
    stop: async () => {
      stopping.abort()
      await endOf(running)
    },
  }
}

export async function sweep(
  services: Services,
  queue: Queue,
  workers: readonly Worker[],
  signal?: AbortSignal,
): Promise<void> {
  await queue.prepare()
  for (const worker of workers) {
    for (const { job, key, data, projectId = null } of (await worker.owed?.(services)) ?? []) {
      if (signal?.aborted) return
      await queue.revive(job, key, data, { projectId })
    }
  }
}
