import { z } from 'zod'
import { defineJob } from '../../job.ts'

const second = 1_000

/** Makes of a deployment's archive what is run. It is tried again where that was not the archive's fault. */
export const buildDeploymentJob = defineJob({
  name: 'deployments.build',
  data: z.object({ deploymentId: z.string() }),
  concurrency: 4,
  retryAfterMs: [second, 2 * second, 5 * second, 15 * second, 60 * second, 120 * second],
})
