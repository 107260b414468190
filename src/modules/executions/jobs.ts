import { z } from 'zod'
import { defineJob } from '../../job.ts'

/** Runs a function that nobody waits for, once. */
export const runExecutionJob = defineJob({
  name: 'executions.run',
  data: z.object({ executionId: z.string() }),
  concurrency: 20,
  // For our own failures: what the function does is the outcome of its run, and tried again as the function says.
  retryAfterMs: [1_000, 10_000, 60_000],
})
