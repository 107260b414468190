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

export type Guarded = {
  store: Store
  holds: Holds
  state: State
  log: Log
  look: (name: string) => void
  /** How often Agenda looks for what is due. */
  pollEveryMs: number
}

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

/**
 * How long the store is waited for once nothing runs: it may have much to do. Locks that it has not heard of by then end by
 * themselves, and what was done PostgreSQL knows.
 */
const storeMs = 3_000

/** Once Agenda has stopped: gives back what has not begun, waits so long for what runs, and tells what is left of it to end. */
export async function endRuns(guarded: Guarded, graceMs: number, abort: () => void): Promise<void> {
  await empty(guarded, graceMs)
  abort()
  if (guarded.holds.at('run').length > 0) await empty(guarded, 2_000)
}

async function empty(guarded: Guarded, runsMs: number): Promise<void> {
  const { holds } = guarded
  const begun = performance.now()
  let ranAt = begun
  for (;;) {
    giveBack(guarded)
    if (holds.count() === 0) return
    const now = performance.now()
    const isRunning = holds.at('run').length > 0
    if (isRunning) ranAt = now
    if (now >= (isRunning ? begun + runsMs : ranAt + storeMs)) return
    await sleep(10)
  }
}

function giveBack({ store, holds, log }: Guarded): void {
  const idle = holds.at('idle')
  if (idle.length === 0) return
  for (const hold of idle) hold.stage = 'end'
  store.backend.repository
    .unlockJobs(idle.flatMap(({ id }) => (id === null ? [] : [toJobId(id)])))
    .catch((error: unknown) => log.debug({ err: error }, 'jobs stay locked until their locks end'))
    .finally(() => idle.forEach(holds.drop))
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
      if (hold?.stage === 'idle') {
        hold.stage = 'run'
        return
      }
      if (job.lockedAt) return repository.saveJobState(job, options)
      if (hold) hold.stage = 'end'
      const saved = isDone(job) ? store.remove(String(job._id)) : repository.saveJobState(job, options)
      return saved.then(() => lookWhenDue(guarded, job)).finally(() => drop(job._id))
    },
    unlockJob: (job) =>
      repository
        .unlockJob(job)
        .catch(warn)
        .finally(() => drop(job._id)),
    // Agenda asks for this when it stops, and would wait: `giveBack` sees to it.
    unlockJobs: async () => {},
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

/** What is due again before Agenda's next poll would be found by that only. */
function lookWhenDue({ look, pollEveryMs }: Guarded, { name, nextRunAt }: JobParameters): void {
  const waitMs = nextRunAt ? nextRunAt.getTime() - Date.now() : pollEveryMs
  if (waitMs < pollEveryMs) setTimeout(look, Math.max(waitMs, 0), name).unref()
}

/** A job that has succeeded is not kept: that it is done, PostgreSQL knows. */
function isDone(job: JobParameters): boolean {
  return Boolean(job.lastFinishedAt) && !job.nextRunAt && !job.failCount
}
