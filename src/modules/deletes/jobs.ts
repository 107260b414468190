import { z } from 'zod'
import { defineJob } from '../../job.ts'
import { type Deletable, deletable } from './hanging.ts'

/** Takes away what hangs on a thing that is deleted, and then the thing's own row. */
export const cascadeJob = defineJob({
  name: 'deletes.cascade',
  data: z.object({ noun: z.enum(deletable as [Deletable, ...Deletable[]]), id: z.string() }),
  concurrency: 2,
  retryAfterMs: [1_000, 10_000, 60_000, 300_000],
})
