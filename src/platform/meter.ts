import type { Log } from './log.ts'

/** What is counted where it happens. What happens to a project's things is counted from the event log. */
export const counters = [
  'requests',
  'bytes.in',
  'bytes.out',
  'documents.read',
  'connections.opened',
  'messages.sent',
  'jobs.run',
  'executions.run',
  'executions.ms',
] as const

export type Counter = (typeof counters)[number]

export type Counted = { projectId: string; metric: string; value: number }

/** Counts of one process. Counting is two additions and a look into a map: it stands in the way of every request. */
export type Meter = {
  count: (projectId: string, counter: Counter, by?: number) => void
  /** One request, and how many bytes its body and its answer had. */
  request: (projectId: string, bytesIn: number, bytesOut: number) => void
  /** Writes down what was counted. What could not be written is counted on. */
  flush: () => Promise<void>
  close: () => Promise<void>
}

const place = Object.fromEntries(counters.map((counter, i) => [counter, i])) as Record<Counter, number>

type Options = {
  write: (counted: readonly Counted[]) => Promise<void>
  log: Log
  /** What was counted since the last time is lost when the process dies. */
  flushMs?: number
}

export function createMeter({ write, log, flushMs = 5_000 }: Options): Meter {
  let counts = new Map<string, Float64Array>()
  let writing: Promise<void> = Promise.resolve()

  const of = (projectId: string) => {
    const known = counts.get(projectId)
    if (known) return known
    const made = new Float64Array(counters.length)
    counts.set(projectId, made)
    return made
  }
  const add = (projectId: string, i: number, by: number) => {
    const own = of(projectId)
    own[i] = (own[i] ?? 0) + by
  }
  const writeOut = async () => {
    const taken = counts
    counts = new Map()
    const counted = [...taken].flatMap(([projectId, own]) =>
      counters.flatMap((metric, i) => (own[i] ? [{ projectId, metric, value: own[i] }] : [])),
    )
    if (counted.length === 0) return
    await write(counted).catch((error: unknown) => {
      log.warn({ err: error }, 'usage could not be written; it is counted on')
      for (const [projectId, own] of taken) own.forEach((value, i) => void (value && add(projectId, i, value)))
    })
  }
  const flush = () => {
    writing = writing.then(writeOut)
    return writing
  }
  const timer = setInterval(() => void flush(), flushMs).unref()
  return {
    count: (projectId, counter, by = 1) => add(projectId, place[counter], by),
    request: (projectId, bytesIn, bytesOut) => {
      const own = of(projectId)
      own[0] = (own[0] ?? 0) + 1
      own[1] = (own[1] ?? 0) + bytesIn
      own[2] = (own[2] ?? 0) + bytesOut
    },
    flush,
    close: async () => {
      clearInterval(timer)
      await flush()
    },
  }
}
