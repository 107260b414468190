import type { Services } from '../src/context.ts'
import type { JobDef } from '../src/job.ts'
import { type LoggedEvent, matchesEvent } from '../src/logged-event.ts'
import type { Egress } from '../src/platform/egress.ts'
import type { Mailer } from '../src/platform/mail.ts'
import type { Again } from '../src/platform/queue/kinds.ts'
import type { Queue } from '../src/platform/queue/queue.ts'
import type { Span } from '../src/platform/tracing.ts'

export type { Again }

/** What a running job may reach. `signal` fires when it has lost its job or the process closes: stop then. */
export type Run = Services & { key: string; signal: AbortSignal; span?: Span | undefined }

/** The doors to the outside, one of each for a process. */
export type Outside = {
  egress: Egress
  mailer: Mailer
  /** Keeps what is to be waited for before the doors close: what goes on when its job has ended. */
  atEnd: (wait: () => Promise<void>) => void
}

/** How a kind of job is done. */
export type Implementation = {
  job: JobDef
  /** Answers when to run again, or nothing when done. What it throws is tried again as `retryAfterMs` says. */
  run: (run: Run, data: unknown) => Promise<Again | undefined>
  /** Told when the job is given up, so that the row that waits for it can say why. It may be called more than once. */
  giveUp: (services: Services, data: unknown, reason: string) => Promise<void>
  /** Told by Redis of what is owed, as best it can: what it does beside the job must not do harm, and may be left out. */
  heard?: (services: Services, data: unknown) => Promise<void>
}

/** One job to be done, by its key. */
export type Owed = {
  job: Pick<JobDef, 'name'>
  key: string
  data: unknown
  trace?: string | null
  /** Whose job it is, where it is one project's: those who run the project see it. */
  projectId?: string | null
  /** Whether it is owed even if one by that key has ended. */
  isRevived?: true
  /** Whether `heard` is told of it besides. */
  isTold?: true
}

/** What an event leads to. Runs in the bridge, in the order of the log, perhaps more than once: it must be repeatable. */
export type Reaction = (services: Services, events: readonly LoggedEvent[]) => Promise<Owed[]>

/** One of the things that happen later. `workers/index.ts` lists them all. */
export type Worker = {
  name: string
  jobs: readonly Implementation[]
  /** Jobs that reach other people's servers. */
  outgoing?: (outside: Outside) => readonly Implementation[]
  /** Jobs that look after the queue itself. */
  queued?: (queue: Pick<Queue, 'forget'>) => readonly Implementation[]
  reactions: readonly Reaction[]
  /** Jobs that rows in PostgreSQL have waited for too long: they are enqueued again, whatever the queue's server says. */
  owed?: (services: Services) => Promise<Owed[]>
  /** Plans what is due at that time, PostgreSQL's, and answers whether there is more. The one clock asks (`schedules.ts`). */
  due?: (services: Services, queue: Queue, now: Date) => Promise<boolean>
  /** A loop of its own. It is told of all workers. */
  start?: (services: Services, queue: Queue, workers: readonly Worker[]) => { stop: () => Promise<void> }
}

export function implement<Data>(
  job: JobDef<Data>,
  run: (run: Run, data: Data) => Promise<Again | undefined> | Promise<void>,
  giveUp: (services: Services, data: Data, reason: string) => Promise<void> = async () => {},
): Implementation {
  return {
    job: job as JobDef,
    run: async (context, data) => (await run(context, job.data.parse(data))) ?? undefined,
    giveUp: (services, data, reason) => giveUp(services, job.data.parse(data), reason),
  }
}

/** A job every so often, whoever is the clock: one for each time. */
export function onTick(job: JobDef<Record<string, never>>, everyMs: number): NonNullable<Worker['due']> {
  const planned = new WeakMap<Queue, number>()
  return async (_services, queue, now) => {
    const tick = Math.floor(now.getTime() / everyMs)
    if (planned.get(queue) === tick) return false
    await queue.enqueue(job, String(tick), {})
    planned.set(queue, tick)
    return false
  }
}

type OnEvent<Data> = {
  key?: (event: LoggedEvent) => string
  data: (event: LoggedEvent) => Data
  /** Whether the jobs are shown to those who run the event's project. */
  isShown?: boolean
}

/** A job for each event that one of the patterns names. */
export function onEvent<Data>(
  on: readonly string[],
  job: JobDef<Data>,
  { key = (event) => event.id, data, isShown = true }: OnEvent<Data>,
): Reaction {
  return async (_services, events) =>
    events
      .filter((event) => on.some((pattern) => matchesEvent(pattern, event)))
      .map((event) => ({
        job,
        key: key(event),
        data: job.data.parse(data(event)),
        trace: event.trace ?? null,
        projectId: isShown ? event.projectId : null,
      }))
}

/** Events of so long a time lead to one job, where they lead to one together. */
export const gatherMs = 250
/** No two processes name the same moment, whatever their clocks say. */
const instance = crypto.randomUUID()

/** A key that is the same for so long. */
export function momentOf(ms: number): string {
  return `${instance}.${Math.floor(performance.now() / ms)}`
}

/**
 * One job for all events of a moment: for what happens too often for a job each. The job waits until the moment is over and
 * then reads the log to its end, so it finds whatever was to be told to it, however late that was tried.
 */
export function onMoment(job: JobDef<Record<string, never>>): Reaction {
  return async (_services, events) => {
    if (events.length === 0) return []
    return [{ job, key: momentOf(gatherMs), data: {} }]
  }
}
