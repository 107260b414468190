import { z } from 'zod'
import { defineJob } from '../../job.ts'

/** Copies the event log, up to a place in it, to the audit log. */
export const recordAuditsJob = defineJob({
  name: 'audits.record',
  data: z.object({ from: z.string(), to: z.string() }),
  concurrency: 1,
  retryAfterMs: [1_000, 5_000, 30_000, 60_000],
})
