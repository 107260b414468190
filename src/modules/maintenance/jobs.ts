import { z } from 'zod'
import { defineJob } from '../../job.ts'

/** Deletes what is too old. A run that fails is made up for by the next. */
export const maintainJob = defineJob({
  name: 'maintenance.run',
  data: z.object({}),
  concurrency: 1,
  retryAfterMs: [],
})
