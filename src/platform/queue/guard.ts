import { setTimeout as sleep } from 'node:timers/promises'
import { type AgendaBackend, type JobParameters, type JobRepository, toJobId } from 'agenda'
import type { Log } from '../log.ts'
import type { Holds } from './holds.ts'
import type { Store } from './kinds.ts'

export type State = {
  isStarted: boolean
  isConnected: boolean
  isClosed: boolean
  /** Once the store was reached for the first time, or could not be. */
  tried: PromiseWithResolvers<void>
}

export type Guarded = { store: Store; holds: Holds; state: State; log: Log; look: (name: string) => void }

/**
 * The store's backend for Agenda, mended: connecting is tried again (Agenda would end the process), so is nothing else
 * that Agenda leaves unhandled; and it notes which jobs this process holds.
 */
export function guard(guarded: Guarded): AgendaBackend {
  const { store, state, log } = guarded
  const connect = async () => {
    for (let attempt = 0; !state.isClosed; attempt++) {
      try {
        await store.prepare()
        await store.backend.connect()
        state.isConnected = true
        state.tried.resolve()
        return
      } catch (error) {
        state.tried.resolve()
        log.warn({ err: error }, 'the job queue cannot be reached; trying again')
        await sleep(Math.min(200 * 2 ** attempt, 5_000), undefined, { ref: !state.isClosed })
      }
    }
    state.tried.resolve()
    // Closed before it was reached: Agenda must not start.
    await new Promise(() => {})
  }
  return {
    name: store.backend.name,
    repository: noting(guarded),
    ownsConnection: false,
    connect,
    disconnect: async () => {},
  }
}

/** Once Agenda has stopped: gives back what has not begun, and waits so long for what has. */
export async function empty(guarded: Guarded, withinMs: number): Promise<void> {
  for (const end = performance.now() + withinMs; performance.now() < end; await sleep(10)) {
    await giveBack(guarded)
    if (guarded.holds.count() === 0) return
  }
}

async function giveBack({ store, holds, log }: Guarded): Promise<void> {
  const idle = holds.idle()
  if (idle.length === 0) return
  await store.backend.repository
    .unlockJobs(idle.flatMap(({ id }) => (id === null ? [] : [toJobId(id)])))
    .catch((error: unknown) => log.debug({ err: error }, 'jobs stay locked until their locks end'))
  for (const hold of idle) holds.drop(hold)
}

function noting(guarded: Guarded): JobRepository {
  const { store, holds, log, look } = guarded
  const { repository } = store.backend
  const more = new Set<string>()
  const drop = (id: unknown) => {
    const hold = holds.find(String(id))
    if (!hold) return
    holds.drop(hold)
    // Agenda, once it has all that it may lock, would look again at its next poll only. It counts this job until it is saved.
    if (more.has(hold.name)) setImmediate(look, hold.name)
  }
  const warn = (error: unknown) => log.debug({ err: error }, 'a job stays locked until its lock ends')
  const noted: Pick<JobRepository, 'getNextJobToRun' | 'saveJobState' | 'unlockJob' | 'unlockJobs'> = {
    getNextJobToRun: claiming(guarded, more),
    saveJobState: async (job, options) => {
      const hold = holds.find(String(job._id))
      // A run begins. The store says all that it must: the job is locked, and stays due if the lock ends.
      if (hold && !hold.hasBegun) {
        hold.hasBegun = true
        return
      }
      if (job.lockedAt) return repository.saveJobState(job, options)
      const saved = isDone(job) ? store.remove(String(job._id)) : repository.saveJobState(job, options)
      return saved.finally(() => drop(job._id))
    },
    unlockJob: (job) =>
      repository
        .unlockJob(job)
        .catch(warn)
        .finally(() => drop(job._id)),
    unlockJobs: (ids) =>
      repository
        .unlockJobs(ids)
        .catch(warn)
        .finally(() => ids.forEach(drop)),
  }
  return Object.assign(Object.create(repository) as JobRepository, noted)
}

/**
 * Claims one job at a time. Agenda asks for the next until there is none, and only then runs what it has; so after each
 * job it is told that there is none, and looks again while the first one runs. Of the names in `more` there may be others.
 */
function claiming({ store, holds, state, look }: Guarded, more: Set<string>): JobRepository['getNextJobToRun'] {
  const { repository } = store.backend
  const found = new Set<string>()
  return async (...args) => {
    const [name] = args
    if (found.delete(name)) return void look(name)
    const hold = state.isClosed ? null : holds.reserve(name, false)
    if (!hold) return undefined
    let job: JobParameters | undefined
    try {
      job = await repository.getNextJobToRun(...args)
      if (!job?._id) return void more.delete(name)
      more.add(name)
      holds.settle(hold, String(job._id))
      // Agenda has stopped meanwhile and would let it lie; `giveBack` finds it among those that have not begun.
      if (state.isClosed) return undefined
      found.add(name)
      return job
    } finally {
      if (!job?._id) holds.drop(hold)
    }
  }
}

/** A job that has succeeded is not kept: that it is done, PostgreSQL knows. */
function isDone(job: JobParameters): boolean {
  return Boolean(job.lastFinishedAt) && !job.nextRunAt && !job.failCount
}
