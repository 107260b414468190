import { z } from 'zod'
import { defineJob } from '../../job.ts'

/** Runs that nobody waits for and that one process has at a time: in all, and of one project. */
export const runsAtATime = { all: 50, ofProject: 10 }

/** Runs a function that nobody waits for, once. */
export const runExecutionJob = defineJob({
  name: 'executions.run',
  data: z.object({ executionId: z.string() }),
  concurrency: runsAtATime.all,
  // For our own failures: what the function does is the outcome of its run, and tried again as the function says.
  retryAfterMs: [1_000, 10_000, 60_000],
})
