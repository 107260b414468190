import type { z } from 'zod'

/** Work that happens later. `workers/` says how; this is what both sides know of it. */
export type JobDef<Data = unknown> = {
  /** Noun and imperative: `mails.send`. */
  name: string
  data: z.ZodType<Data>
  /** How many may run at once in one worker process. */
  concurrency: number
  /** Waits before the second, third … try, in milliseconds; after the last the job is given up. */
  retryAfterMs: readonly number[]
}

export function defineJob<Data>(def: JobDef<Data>): JobDef<Data> {
  return def
}
