import { setTimeout as sleep } from 'node:timers/promises'
import { Agenda, type AgendaBackend, type JobRepository } from 'agenda'
import type { Pool } from 'pg'
import type { Log } from '../log.ts'
import { createPubsub } from '../pubsub.ts'
import { forgetDone } from './attempts.ts'
import { createDoorbell, ringFor } from './doorbell.ts'
import {
  type GiveUp,
  type JobDepth,
  type JobKind,
  type JobPage,
  type JobRow,
  type Run,
  type Store,
  slackMs,
} from './kinds.ts'
import { mongoStore } from './mongo.ts'
import { postgresStore } from './postgres.ts'
import { lockerOf, startReleasing } from './release.ts'
import { lost, runnerOf } from './run.ts'
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

/** `trace` is the `traceparent` of what the job follows from; a project's job is shown to those who run the project. */
type EnqueueOptions = { trace?: string | null; projectId?: string | null }

export type Queue = {
  /** Says how one kind of job is run by this process. Before `start`. */
  define: (kind: JobKind, run: Run, giveUp?: GiveUp) => void
  start: () => void
  /**
   * Keeps a job until it has run. There is one for each (kind, key), ever: a second call is a success that changes
   * nothing, whether the first is still waiting or has long been done. Throws when the queue cannot be reached.
   */
  enqueue: (kind: Pick<JobKind, 'name'>, key: string, data: unknown, options?: EnqueueOptions) => Promise<void>
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
  const held = new Set<string>()
  const closing = new AbortController()
  const state = { connected: false, closed: false }
  const pubsub = createPubsub(options.redisUrl, log)
  const doorbell = createDoorbell(pubsub, `tendril:${epoch}:jobs`)
  const kinds = new Map<string, JobKind>()
  const session = createSession(sql, lost)
  let releasing: ReturnType<typeof startReleasing> | undefined
  const agenda = new Agenda({
    backend: guard(store, held, state, log),
    name: lockerOf(session.worker),
    notificationChannel: doorbell,
    processEvery: pollEveryMs,
    maxConcurrency: 100,
    defaultLockLimit: 10,
    defaultLockLifetime: lockMs,
  })
  agenda.on('error', (error) => log.debug({ err: error }, 'the job queue reports an error'))
  const runner = { sql, log, leaseMs: lockMs * 0.75, touchEveryMs, session, closing: closing.signal }
  const enqueue = enqueuer(agenda, store, state)
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
      session.start()
      releasing = startReleasing({ sql, store, log, tell: () => ringFor(doorbell, kinds.keys()) })
      agenda.start().catch((error: unknown) => log.error({ err: error }, 'the job queue did not start'))
    },
    enqueue,
    revive: async (kind, key, data, options) => {
      if (!(await store.dropFinished(kind.name, key))) return
      await forgetDone(sql, `${kind.name}:${key}`)
      await enqueue(kind, key, data, options)
    },
    page: store.page,
    depths: store.depths,
    forget: store.forget,
    prepare: async () => {
      await store.prepare()
      for (const { name, retryAfterMs } of kinds.values()) {
        const lock = Date.now() + farMs
        await store.bringNear(name, new Date(lock + 1.1 * Math.max(0, ...retryAfterMs)), new Date(lock))
      }
    },
    close: async (graceMs = 25_000) => {
      state.closed = true
      await agenda.stop(false)
      await until(() => held.size === 0, graceMs)
      closing.abort(new Error('The process is closing.'))
      await until(() => held.size === 0, 2_000)
      await releasing?.stop()
      session.close()
      pubsub.close()
      await store.close()
    },
  }
}

function enqueuer(agenda: Agenda, store: Store, state: { connected: boolean }): Queue['enqueue'] {
  return async (kind, key, data, { trace, projectId } = {}) => {
    if (!state.connected) throw new Error('The job queue cannot be reached.')
    const job = agenda.create(kind.name, {
      key,
      data: JSON.parse(JSON.stringify(data ?? null)),
      ...(trace && { trace }),
      ...(projectId && { projectId }),
    })
    try {
      await job.schedule(new Date(Date.now() - slackMs)).save()
    } catch (error) {
      if (!store.isDuplicate(error)) throw error
    }
  }
}

function jitter(ms: number | undefined): number | null {
  return ms === undefined ? null : Math.round(ms * (0.9 + Math.random() * 0.2))
}

/**
 * The store's backend for Agenda, mended in three places: connecting is tried again (Agenda would end the process),
 * so is nothing else that Agenda leaves unhandled; and it notes which jobs this process holds, for a clean close.
 */
function guard(
  store: Store,
  held: Set<string>,
  state: { connected: boolean; closed: boolean },
  log: Log,
): AgendaBackend {
  const connect = async () => {
    for (let attempt = 0; !state.closed; attempt++) {
      try {
        await store.prepare()
        await store.backend.connect()
        state.connected = true
        return
      } catch (error) {
        log.warn({ err: error }, 'the job queue cannot be reached; trying again')
        await sleep(Math.min(200 * 2 ** attempt, 5_000), undefined, { ref: !state.closed })
      }
    }
    // Closed before it was reached: Agenda must not start.
    await new Promise(() => {})
  }
  const { repository } = store.backend
  return {
    name: store.backend.name,
    repository: noting(repository, held, log),
    ownsConnection: false,
    connect,
    disconnect: async () => {},
  }
}

function noting(repository: JobRepository, held: Set<string>, log: Log): JobRepository {
  const drop = (ids: readonly unknown[]) => {
    for (const id of ids) held.delete(String(id))
  }
  const warn = (error: unknown) => log.debug({ err: error }, 'a job stays locked until its lock ends')
  const noted: Pick<JobRepository, 'getNextJobToRun' | 'saveJobState' | 'unlockJob' | 'unlockJobs'> = {
    getNextJobToRun: async (...args) => {
      const job = await repository.getNextJobToRun(...args)
      if (job?._id) held.add(String(job._id))
      return job
    },
    saveJobState: (job, options) =>
      repository.saveJobState(job, options).finally(() => job.lockedAt || drop([job._id])),
    unlockJob: (job) =>
      repository
        .unlockJob(job)
        .catch(warn)
        .finally(() => drop([job._id])),
    unlockJobs: (ids) =>
      repository
        .unlockJobs(ids)
        .catch(warn)
        .finally(() => drop(ids)),
  }
  return Object.assign(Object.create(repository) as JobRepository, noted)
}

async function until(isDone: () => boolean, timeoutMs: number): Promise<void> {
  const end = performance.now() + timeoutMs
  while (!isDone() && performance.now() < end) await sleep(10)
}
