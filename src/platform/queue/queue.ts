import { Agenda } from 'agenda'
import type { Pool } from 'pg'
import type { Log } from '../log.ts'
import { createPubsub } from '../pubsub.ts'
import { forgetDone } from './attempts.ts'
import { createDoorbell } from './doorbell.ts'
import { createEnqueuer, type NewJob } from './enqueue.ts'
import { endRuns, guard, type State } from './guard.ts'
import { createHolds } from './holds.ts'
import type { GiveUp, JobDepth, JobKind, JobPage, JobRow, Run, Store } from './kinds.ts'
import { mongoStore } from './mongo.ts'
import { postgresStore } from './postgres.ts'
import { lockerOf, startReleasing } from './release.ts'
import { lost, type Runner, runnerOf } from './run.ts'
import { createSession } from './session.ts'

export type QueueOptions = {
  sql: Pool
  redisUrl: string
  /** Jobs are kept there; without it in PostgreSQL. */
  mongoUrl?: string | undefined
  /** Names the event log whose jobs these are: two Tendrils may share the servers. */
  epoch: string
  log: Log
  /** Agenda's lock. A worker that is frozen or cut off leaves its job idle for that long; one that dies, for a moment. */
  lockMs?: number
  touchEveryMs?: number
  pollEveryMs?: number
}

type EnqueueOptions = Pick<NewJob, 'trace' | 'projectId'>

export type Queue = {
  /** Says how one kind of job is run by this process. Before `start`. */
  define: (kind: JobKind, run: Run, giveUp?: GiveUp) => void
  start: () => void
  /**
   * Keeps a job until it has run. There is one for each (kind, key): a second call is a success that changes nothing,
   * whether the first is still waiting or has been done within the hour. Throws when the queue cannot be reached.
   */
  enqueue: (kind: Pick<JobKind, 'name'>, key: string, data: unknown, options?: EnqueueOptions) => Promise<void>
  /** The same for many; it throws when one of them could not be kept. */
  enqueueAll: (jobs: readonly NewJob[]) => Promise<void>
  /** Enqueues a job that is owed even if one by that key has ended. It does not touch one that waits or runs. */
  revive: (kind: Pick<JobKind, 'name'>, key: string, data: unknown, options?: EnqueueOptions) => Promise<void>
  page: (page: JobPage) => Promise<JobRow[]>
  depths: () => Promise<JobDepth[]>
  forget: (before: Date) => Promise<number>
  /** Makes again what is gone when the queue's server came back empty, and brings near what a wrong clock put far off. */
  prepare: () => Promise<void>
  /** Takes no more jobs, waits for those that run, then tells them to stop. */
  close: (graceMs?: number) => Promise<void>
}

/** A job that seems to be locked so far ahead, or to wait for so much longer than its kind does, met a clock that was wrong. */
const farMs = 15 * 60_000

/** Agenda with its safety layer (docs/decisions/0003). */
export function createQueue(options: QueueOptions): Queue {
  const { sql, log, epoch, lockMs = 60_000, touchEveryMs = 15_000, pollEveryMs = 5_000 } = options
  const store = options.mongoUrl ? mongoStore(options.mongoUrl, `jobs_${epoch}`) : postgresStore(sql)
  const end = new AbortController()
  const state: State = { isStarted: false, isConnected: false, isClosed: false, tried: Promise.withResolvers() }
  const pubsub = createPubsub(options.redisUrl, log)
  const doorbell = createDoorbell(pubsub, `tendril:${epoch}:jobs`)
  const kinds = new Map<string, JobKind>()
  const holds = createHolds((name) => kinds.get(name)?.concurrency ?? 0, doorbell.look)
  const session = createSession(sql, lost)
  let releasing: ReturnType<typeof startReleasing> | undefined
  const guarded = { store, holds, state, log, look: doorbell.look, pollEveryMs }
  const agenda = new Agenda({
    backend: guard(guarded),
    name: lockerOf(session.worker),
    notificationChannel: doorbell.channel,
    processEvery: pollEveryMs,
    maxConcurrency: 100,
    defaultLockLimit: 10,
    defaultLockLifetime: lockMs,
  })
  agenda.on('error', (error) => log.debug({ err: error }, 'the job queue reports an error'))
  const leaseMs = lockMs * 0.75
  const runner: Runner = { sql, store, log, leaseMs, touchEveryMs, session, closing: end.signal, given: new WeakMap() }
  const { add, forget } = createEnqueuer({ agenda, store, state, holds, doorbell, runner, kinds })
  const enqueue: Queue['enqueue'] = (kind, key, data, how = {}) => add([{ kind, key, data, ...how }])
  return {
    define: (kind, run, giveUp = async () => {}) => {
      kinds.set(kind.name, kind)
      agenda.define(kind.name, runnerOf(runner, kind, run, giveUp), {
        concurrency: kind.concurrency,
        lockLimit: 2 * kind.concurrency,
        lockLifetime: lockMs,
        backoff: ({ attempt }) => jitter(kind.retryAfterMs[attempt - 1]),
      })
    },
    start: () => {
      state.isStarted = true
      const held = session.start()
      releasing = startReleasing({ sql, store, log, tell: () => doorbell.ring(kinds.keys()) })
      // A job that runs while nobody knows of its process would be idle for long after a kill.
      held
        .then(() => (state.isClosed ? undefined : agenda.start()))
        .catch((error: unknown) => log.error({ err: error }, 'the job queue did not start'))
    },
    enqueue,
    enqueueAll: add,
    revive: async (kind, key, data, options) => {
      if (!(await store.dropFinished(kind.name, key))) return
      await forgetDone(sql, `${kind.name}:${key}`)
      forget(kind.name, key)
      await enqueue(kind, key, data, options)
    },
    page: store.page,
    depths: store.depths,
    forget: store.forget,
    prepare: () => prepare(store, kinds.values()),
    close: async (graceMs = 25_000) => {
      state.isClosed = true
      await agenda.stop(false)
      await endRuns(guarded, graceMs, () => end.abort(new Error('The process is closing.')))
      releasing?.stop()
      session.close()
      pubsub.close()
      await store.close()
    },
  }
}

async function prepare(store: Store, kinds: Iterable<JobKind>): Promise<void> {
  await store.prepare()
  for (const { name, retryAfterMs } of kinds) {
    const lock = Date.now() + farMs
    await store.bringNear(name, new Date(lock + 1.1 * Math.max(0, ...retryAfterMs)), new Date(lock))
  }
}

function jitter(ms: number | undefined): number | null {
  return ms === undefined ? null : Math.round(ms * (0.9 + Math.random() * 0.2))
}
