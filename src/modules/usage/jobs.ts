import { z } from 'zod'
import { defineJob } from '../../job.ts'

/** Looks how much there is of everything, in the projects where something happened. */
export const measureStocksJob = defineJob({
  name: 'usage.measure',
  data: z.object({}),
  concurrency: 1,
  retryAfterMs: [],
})

/** Counts what is new in the event log. */
export const countEventsJob = defineJob({
  name: 'usage.count',
  data: z.object({}),
  concurrency: 1,
  retryAfterMs: [1_000, 5_000, 30_000, 60_000],
})
