import { z } from 'zod'
import { defineJob } from '../../job.ts'

/** Makes whatever was asked of a project's databases and is not there yet. What is locked for long is tried for 20 minutes. */
export const applySchemaChangesJob = defineJob({
  name: 'databases.apply-changes',
  data: z.object({ projectId: z.string() }),
  concurrency: 3,
  retryAfterMs: [1, 2, 5, 10, 30, 60, 120, 300, 600].map((seconds) => seconds * 1_000),
})
