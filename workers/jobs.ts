import type { Services } from '../src/context.ts'
import { matchesEvent } from '../src/logged-event.ts'
import { keyOf, nameOf } from '../src/modules/jobs/jobs.ts'
import type { Owed, Worker } from './implement.ts'

type Replayed = { job: string; data: unknown; projectId: string | null }

/** Enqueues jobs again that were given up, when somebody asks for it. */
export const jobs: Worker = {
  name: 'jobs',
  jobs: [],
  reactions: [
    async (services, events) => {
      const replayed = events.filter((event) => matchesEvent('jobs.replayed', event))
      if (replayed.length === 0) return []
      const ids = replayed.map(({ payload }) => (payload as { jobId: string }).jobId)
      return findReplayed(services, 'job = any($1)', ids)
    },
  ],
  // Asked for while the queue had not yet put the job down: it is tried again until the job is started.
  owed: (services) => findReplayed(services, `"replayedAt" < clock_timestamp() - $1::interval`, '5 s'),
}

async function findReplayed({ sql }: Services, which: string, value: unknown): Promise<Owed[]> {
  const { rows } = await sql.query<Replayed>(
    `select job, data, "projectId" from job_attempts where "replayedAt" is not null and ${which} limit 1000`,
    [value],
  )
  return rows.map(({ job, data, projectId }) => ({
    job: { name: nameOf(job) },
    key: keyOf(job),
    data,
    projectId,
    isRevived: true,
  }))
}
