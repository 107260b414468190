import type { Context } from '../../context.ts'
import { jobOwner } from './visible.ts'

export type JobQueue = {
  name: string
  pending: number
  running: number
  dead: number
  oldestPendingAt: Date | null
}

/** How many of the caller's jobs wait, run and are dead, by their name. */
export async function jobQueues(ctx: Context): Promise<JobQueue[]> {
  const owner = await jobOwner(ctx)
  if (!owner) return []
  const { rows } = await ctx.sql.query<JobQueue>(
    `select split_part(job, ':', 1) as name,
       (count(*) filter (where "quarantinedAt" is null and attempts = 0))::int as pending,
       (count(*) filter (where "quarantinedAt" is null and attempts > 0))::int as running,
       (count("quarantinedAt"))::int as dead,
       min(at) filter (where "quarantinedAt" is null and attempts = 0) as "oldestPendingAt"
     from job_attempts where "projectId" is not distinct from $1 group by 1 order by 1`,
    [owner.projectId],
  )
  return rows
}

export type EventLag = { consumer: string; events: number; seconds: number }

/** How far behind the log those are who read it, for all projects together. */
export async function eventLag({ sql }: Context): Promise<EventLag[]> {
  const { rows } = await sql.query<EventLag>(
    `select c.name as consumer, greatest(0, h.seq - c.seq)::int as events,
       greatest(0, coalesce(extract(epoch from now() - (select l.at from events.log l where l.seq = c.seq + 1)), 0))::float8 as seconds
     from consumers c cross join events.head h order by c.name`,
  )
  return rows
}
