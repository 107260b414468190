import { z } from 'zod'
import { defineJob } from '../../job.ts'

/** Gets a domain's certificate, or the next one. What the authority refuses has a schedule of its own. */
export const issueCertificateJob = defineJob({
  name: 'certificates.issue',
  data: z.object({ domainId: z.string() }),
  concurrency: 2,
  retryAfterMs: [10_000, 60_000, 300_000],
})
