import { z } from 'zod'
import { defineJob } from '../../job.ts'

const seconds = (...values: number[]) => values.map((value) => value * 1_000)

/** Sends one mail. A server that says “later” is asked again for a day. */
export const sendMailJob = defineJob({
  name: 'mails.send',
  data: z.object({ mailId: z.string() }),
  concurrency: 5,
  retryAfterMs: seconds(30, 120, 600, 1_800, 7_200, 21_600, 57_600),
})
