import { createHash } from 'node:crypto'
import type { Context, Services } from '../../context.ts'
import { transaction } from '../../context.ts'
import { type LoggedEvent, matchesEvent } from '../../logged-event.ts'
import { tickAfter, ticksBetween } from '../tasks/schedule.ts'
import { writePlanned } from './journal.ts'
import type { Planned } from './records.ts'
import { maxDepth, tooDeep } from './run.ts'

type Triggered = { id: string; projectId: string; events: string[]; deploymentId: string }

/**
 * Plans an execution for each event and each function that is run for it; for an event that was here before, the same one.
 */
export async function planForEvents(services: Services, events: readonly LoggedEvent[]): Promise<void> {
  const projectIds = [...new Set(events.map(({ projectId }) => projectId))]
  if (projectIds.length === 0) return
  const { rows: functions } = await services.sql.query<Triggered>(
    `select id, "projectId", events, "deploymentId" from functions
     where "projectId" = any($1) and enabled and "deploymentId" is not null and events <> '{}'`,
    [projectIds],
  )
  const pairs = events.flatMap((event) =>
    functions
      .filter((of) => of.projectId === event.projectId && of.events.some((pattern) => matchesEvent(pattern, event)))
      .map((of) => ({ of, event })),
  )
  if (pairs.length === 0) return
  const depths = await depthsOf(
    services,
    pairs.flatMap(({ event }) => event.executionId ?? []),
  )
  const now = services.clock()
  const planned = pairs.flatMap(({ of, event }) => {
    const depth = event.executionId ? (depths.get(event.executionId) ?? 0) + 1 : 0
    // What is only told of a run that was not made leads to nothing more: otherwise it would be told for ever.
    if (depth > maxDepth + 1) return []
    const row = { ...plannedOf(of, event, now), depth }
    return [depth > maxDepth ? tooDeep(row, now) : row]
  })
  await writePlanned(services.sql, planned)
  services.wake()
}

/** How deep the runs are that events came from. */
async function depthsOf({ sql }: Services, ids: readonly string[]): Promise<Map<string, number>> {
  if (ids.length === 0) return new Map()
  const text = 'select id, depth from executions where id = any($1)'
  const { rows } = await sql.query<{ id: string; depth: number }>(text, [[...new Set(ids)]])
  return new Map(rows.map(({ id, depth }) => [id, depth]))
}

/** The request is what a webhook would be sent. */
function plannedOf(of: Triggered, event: LoggedEvent, now: Date): Planned {
  const { id, type, name, at, payload, actorKind, actorId, trace = null } = event
  const body = JSON.stringify({ type, name, timestamp: at.toISOString(), data: payload })
  return {
    ...waiting(of, now),
    id: executionId(of.id, id),
    trigger: 'EVENT',
    key: id,
    actorKind,
    actorId,
    requestHeaders: { 'content-type': 'application/json', 'tendril-event': name, 'tendril-event-id': id },
    requestBody: Buffer.from(body),
    trace,
  }
}

/** The same for the same pair, and in the order of the events: they begin with the time in the event's id. */
function executionId(functionId: string, eventId: string): string {
  const time = eventId.replaceAll('-', '').slice(0, 12)
  return `exe_${time}${createHash('sha256').update(`${functionId} ${eventId}`).digest('hex').slice(0, 20)}`
}

function waiting(of: Pick<Triggered, 'id' | 'projectId' | 'deploymentId'>, now: Date) {
  const { id: functionId, projectId, deploymentId } = of
  const unknown = { sessionId: null, scheduledAt: null, startedAt: null, finishedAt: null, failure: null, error: null }
  const fresh = { depth: 0, isAsync: true, attempts: 0, method: 'POST', url: '/', status: 'PENDING' } as const
  return { ...unknown, ...fresh, projectId, functionId, deploymentId, createdAt: now }
}

/**
 * Plans an execution for each function whose time has come, and when it is next due, in one transaction: whoever does it
 * beside us skips them. Of times that were missed only the last is made up for. Answers how many functions were due.
 */
export async function planDueExecutions(ctx: Context, limit: number): Promise<number> {
  return transaction(ctx, async (tx) => {
    const now = ctx.clock()
    const due = await tx.query<{ id: string }>(
      `select id from functions where enabled and "nextRunAt" <= $1 order by "nextRunAt" limit $2 for update skip locked`,
      [now, limit],
    )
    const planned: Planned[] = []
    for (const { id } of due) {
      const of = await tx.db.function.findUniqueOrThrow({ where: { id } })
      const { schedule, timeZone, nextRunAt, deploymentId } = of
      if (schedule === null) {
        await tx.db.function.update({ where: { id }, data: { nextRunAt: null } })
        continue
      }
      const times = { schedule, timeZone }
      const [tick] = ticksBetween(times, nextRunAt ?? now, now, 1)
      const previousRunAt = tick ?? of.previousRunAt
      await tx.db.function.update({ where: { id }, data: { previousRunAt, nextRunAt: tickAfter(times, now) } })
      if (tick && deploymentId !== null) planned.push(scheduled({ ...of, deploymentId }, tick, now))
    }
    // A statement of this transaction, whose rows its events go with.
    const sql = {
      query: async ({ text, values }: { text: string; values: unknown[] }) => ({ rows: await tx.query(text, values) }),
    }
    if (planned.length > 0) await writePlanned(sql as unknown as Services['sql'], planned)
    tx.emitted.count += planned.length
    return due.length
  })
}

function scheduled(of: Triggered, tick: Date, now: Date): Planned {
  const time = tick.toISOString()
  return {
    ...waiting(of, now),
    id: executionId(of.id, `${now.getTime().toString(16).padStart(12, '0')} ${time}`),
    trigger: 'SCHEDULE',
    key: `schedule ${time}`,
    actorKind: 'system',
    actorId: 'schedules',
    requestHeaders: { 'tendril-scheduled-at': time },
    requestBody: null,
    trace: null,
  }
}
