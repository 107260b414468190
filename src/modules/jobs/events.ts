import { z } from 'zod'
import { defineEvent } from '../../event.ts'

/** A job's id is its name and its key: `mails.send:mai_…`. */
const payload = z.object({ jobId: z.string() })
const path = (p: { jobId: string }) => ['jobs', p.jobId.replaceAll(/[^\w-]/g, '-')]

export const jobReplayed = defineEvent({
  name: 'jobs.replayed',
  description: 'A job that was given up is to be run again.',
  payload,
  path,
})
export const jobDiscarded = defineEvent({
  name: 'jobs.discarded',
  description: 'A job that was given up is not wanted any more.',
  payload,
  path,
})
