import { z } from 'zod'
import { defineJob } from '../../job.ts'

/** Makes the HTTP call of a task, once. */
export const runTaskJob = defineJob({
  name: 'tasks.run',
  data: z.object({ runId: z.string() }),
  concurrency: 10,
  // For our own failures: what the address answers is the outcome of the run.
  retryAfterMs: [1_000, 10_000, 60_000],
})
