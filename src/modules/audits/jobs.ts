import { z } from 'zod'
import { defineJob } from '../../job.ts'

/** Copies what is new in the event log to the audit log. */
export const recordAuditsJob = defineJob({
  name: 'audits.record',
  data: z.object({}),
  concurrency: 1,
  retryAfterMs: [1_000, 5_000, 30_000, 60_000],
})
