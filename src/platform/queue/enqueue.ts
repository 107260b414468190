import { type Agenda, Job as AgendaJob, toJobId } from 'agenda'
import { type Claim, endAttempt, type Lease, noteWaiting, startNew } from './attempts.ts'
import type { Doorbell } from './doorbell.ts'
import type { State } from './guard.ts'
import type { Hold, Holds } from './holds.ts'
import { type JobKind, type Store, type Stored, slackMs } from './kinds.ts'
import { lockerOf } from './release.ts'
import type { Runner } from './run.ts'

/** `trace` is the `traceparent` of what the job follows from; a project's job is shown to those who run the project. */
export type NewJob = {
  kind: Pick<JobKind, 'name'>
  key: string
  data: unknown
  trace?: string | null | undefined
  projectId?: string | null | undefined
}

export type Enqueuer = {
  add: (jobs: readonly NewJob[]) => Promise<void>
  /** Forgets that a key has been seen. */
  forget: (name: string, key: string) => void
}

type Options = {
  agenda: Agenda
  store: Store
  state: State
  holds: Holds
  doorbell: Doorbell
  runner: Runner
  /** Those that this process runs, by their names. */
  kinds: ReadonlyMap<string, JobKind>
}

/** A job that this process will run itself as soon as it is in the store. */
type Hand = { hold: Hold; lease: Lease; ended: AbortSignal }

/** So many keys are remembered: what is enqueued again and again within a moment asks the store once. */
const rememberedKeys = 5_000

/**
 * Puts jobs down in the store, many at once. Those for which this process has room are put down as if it had claimed them,
 * and begin once they are down (docs/decisions/0020): no other worker need be told, and none has to claim them.
 */
export function createEnqueuer(options: Options): Enqueuer {
  const { store, state, doorbell, runner } = options
  const seen = new Set<string>()
  /** Put down perhaps, and locked by us, when the store gave no answer. */
  const doubtful = new Set<string>()
  let plannedAt = 0
  const plan = () => {
    plannedAt = Math.max(plannedAt + 1, Date.now() - slackMs)
    return new Date(plannedAt)
  }
  const remember = (jobs: Iterable<string>) => {
    for (const job of jobs) seen.add(job)
    for (const job of seen) {
      if (seen.size <= rememberedKeys) return
      seen.delete(job)
    }
  }
  const unlockDoubtful = async () => {
    const ids = [...doubtful]
    if (ids.length === 0) return
    await store.backend.repository.unlockJobs(ids.map((id) => toJobId(id)))
    for (const id of ids) doubtful.delete(id)
  }
  const add = async (jobs: readonly NewJob[]) => {
    await state.tried.promise
    if (!state.isConnected) throw new Error('The job queue cannot be reached.')
    const fresh = new Map(jobs.map((job) => [`${job.kind.name}:${job.key}`, job] as const))
    for (const job of fresh.keys()) if (seen.has(job)) fresh.delete(job)
    if (fresh.size === 0) return
    await unlockDoubtful()
    const hands = await takeInHand(options, fresh)
    const rows = [...fresh].map(([job, each]) => rowOf(options, each, hands.has(job), plan()))
    try {
      await noteWaiting(runner.sql, [...fresh].filter(([job]) => !hands.has(job)).flatMap(waitingOf))
      const added = await store.insert(rows)
      const others = rows.filter(({ data, id, name }) => {
        const hand = hands.get(`${name}:${data.key}`)
        if (!hand || !added.has(id)) return true
        hands.delete(`${name}:${data.key}`)
        runInHand(options, hand, { id, name, data })
        return false
      })
      doorbell.ring(new Set(others.map(({ name }) => name)))
    } catch (error) {
      for (const { id, locker } of rows) if (locker !== null) doubtful.add(id)
      throw error
    } finally {
      await Promise.allSettled([...hands.values()].map((hand) => letGo(options, hand)))
    }
    remember(fresh.keys())
  }
  return { add, forget: (name, key) => void seen.delete(`${name}:${key}`) }
}

/** As many as there is room for, each with its lease: of two processes that take the same job one has it. */
async function takeInHand(options: Options, jobs: ReadonlyMap<string, NewJob>): Promise<Map<string, Hand>> {
  const { runner, state, holds, kinds } = options
  const { session, sql, leaseMs } = runner
  if (!state.isStarted || state.isClosed || !session.isHeld()) return new Map()
  const ended = session.signal()
  const rooms = new Map<string, Hold>()
  const claims: Claim[] = []
  for (const [job, { kind, data, projectId = null }] of jobs) {
    const hold = kinds.has(kind.name) && holds.reserve(kind.name, true)
    if (!hold) continue
    rooms.set(job, hold)
    claims.push({ job, projectId, data, worker: session.worker, attempt: 1 })
  }
  const hands = new Map<string, Hand>()
  try {
    for (const [job, lease] of await startNew(sql, claims, leaseMs)) {
      const hold = rooms.get(job)
      if (hold) hands.set(job, { hold, lease, ended })
    }
  } finally {
    for (const [job, hold] of rooms) if (!hands.has(job)) holds.drop(hold)
  }
  return hands
}

/** It was in the store before, or did not come into it: whoever finds it there runs it. */
async function letGo({ runner, holds }: Options, { hold, lease }: Hand): Promise<void> {
  holds.drop(hold)
  await endAttempt(runner.sql, lease, { outcome: 'AGAIN' })
}

function runInHand(
  { agenda, holds, runner }: Options,
  { hold, lease, ended }: Hand,
  row: { id: string; name: string; data: Stored },
) {
  const { id, name, data } = row
  holds.settle(hold, id)
  const attrs = {
    _id: toJobId(id),
    name,
    data,
    lockedAt: new Date(),
    nextRunAt: null,
    priority: 0,
    type: 'normal' as const,
  }
  const job = new AgendaJob<Stored>(agenda, attrs, true)
  runner.given.set(job, { lease, ended })
  // It never throws: what goes wrong is saved with the job.
  void job.run()
}

function rowOf(
  { store, runner }: Options,
  { kind, key, data, trace, projectId }: NewJob,
  isInHand: boolean,
  nextRunAt: Date,
) {
  const stored: Stored = {
    key,
    data: JSON.parse(JSON.stringify(data ?? null)),
    ...(trace && { trace }),
    ...(projectId && { projectId }),
  }
  const locker = isInHand ? lockerOf(runner.session.worker) : null
  return { id: store.newId(), name: kind.name, nextRunAt, data: stored, locker }
}

function waitingOf([job, { projectId, data }]: [string, NewJob]) {
  return projectId ? [{ job, projectId, data }] : []
}
