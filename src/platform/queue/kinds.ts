import type { AgendaBackend } from 'agenda'

/** What the queue needs to know of a kind of job; `JobDef` of src/job.ts is one. */
export type JobKind = { name: string; concurrency: number; retryAfterMs: readonly number[] }

/** One job as its run sees it. `trace` is the `traceparent` of what it follows from. `signal` fires when the run has lost its job or the process is closing. */
export type Job = { key: string; data: unknown; signal: AbortSignal; trace: string | null }

/** What a run answers when the job is not done with: when to run it next. */
export type Again = { again: Date }

export type Run = (job: Job) => Promise<Again | undefined>

/** Told once when a job is given up, so that whatever waits for it can say so. */
export type GiveUp = (job: { key: string; data: unknown }, reason: string) => Promise<void>

/** A job as it is listed. */
export type JobRow = {
  id: string
  name: string
  key: string
  nextRunAt: Date | null
  lastRunAt: Date | null
  finishedAt: Date | null
  failCount: number
  failReason: string | null
}

export type JobPage = { name?: string; after?: string; first: number }

/** A job that is enqueued is due at once, also for a worker whose clock is this much behind. */
export const slackMs = 2 * 3_600_000

/** How many jobs of a name are due and run, and for how long the oldest of those that are due has been. */
export type JobDepth = { name: string; due: number; running: number; lagSeconds: number }

/** What is kept of a job for its run. */
export type Stored = { key: string; data: unknown; trace?: string | null; projectId?: string | null }

/** A job as it is put down. `locker` has it already, as if it had claimed it. */
export type StoredJob = { id: string; name: string; nextRunAt: Date; data: Stored; locker: string | null }

/** Where jobs are kept: what Agenda's own backends leave out. */
export type Store = {
  backend: AgendaBackend
  /** Makes what is missing: the table or collection and the unique index on (name, key). May be called at any time. */
  prepare: () => Promise<void>
  /** Makes jobs of that name due now that are planned beyond `plan` or locked beyond `lock`. */
  bringNear: (name: string, plan: Date, lock: Date) => Promise<void>
  /** Keeps those jobs whose key is not taken, and answers their ids. It keeps all or throws, perhaps having kept some. */
  insert: (jobs: readonly StoredJob[]) => Promise<Set<string>>
  newId: () => string
  remove: (id: string) => Promise<void>
  /** Locks a job from now on, if it is locked still. */
  touch: (id: string) => Promise<void>
  /** Removes a job that is neither running nor planned. True when there is none left by that key. */
  dropFinished: (name: string, key: string) => Promise<boolean>
  /** Takes the locks off the jobs that whoever bears this name has locked. */
  release: (locker: string) => Promise<void>
  /** Removes the jobs that ended before then. */
  forget: (before: Date) => Promise<number>
  /** By id, without reading more than is asked for (Agenda's own `queryJobs` loads every job). */
  page: (page: JobPage) => Promise<JobRow[]>
  depths: () => Promise<JobDepth[]>
  close: () => Promise<void>
}
