import { z } from 'zod'
import { defineJob } from '../../job.ts'

/** Looks how much there is of everything, in the projects where something happened. */
export const measureStocksJob = defineJob({
  name: 'usage.measure',
  data: z.object({}),
  concurrency: 1,
  retryAfterMs: [],
})

/** Counts the events of the log up to a place in it. */
export const countEventsJob = defineJob({
  name: 'usage.count',
  data: z.object({ from: z.string(), to: z.string() }),
  concurrency: 1,
  retryAfterMs: [1_000, 5_000, 30_000, 60_000],
})
