import { z } from 'zod'
import { defineJob } from '../../job.ts'

/** Makes the next attempt of a delivery. `from` is how many attempts there were before this series of them. */
export const sendDeliveryJob = defineJob({
  name: 'deliveries.send',
  data: z.object({ deliveryId: z.string(), from: z.number().int().default(0) }),
  concurrency: 10,
  // For our own failures. What receivers do wrong has a schedule of its own.
  retryAfterMs: [1_000, 10_000, 60_000, 300_000],
})
