import { z } from 'zod'
import { defineJob } from '../../job.ts'

/** Says of which webhooks something is due. What it is, and who sends it, is decided by the rows. */
export const sendDeliveriesJob = defineJob({
  name: 'deliveries.send',
  data: z.object({ webhookIds: z.array(z.string()) }),
  concurrency: 10,
  // For our own failures. What receivers do wrong has a schedule of its own.
  retryAfterMs: [1_000, 10_000, 60_000, 300_000],
})
