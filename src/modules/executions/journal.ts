import type { Pool } from 'pg'
import { createBatch } from '../../lib/batch.ts'
import { newEventId } from '../../lib/ids.ts'
import { executionCreated, executionFinished, userOf } from './events.ts'
import type { Ended, Journal, Planned } from './records.ts'

type Options = { sql: Pool; wake: () => void }

const most = 200

/** So long a run may be under way before that is seen. */
const quietMs = 100

/** A beginning, an end, or both of one execution, as they wait to be written. */
type Entry = { planned: Planned; ended?: Ended } | { planned?: undefined; ended: Ended }

export function createJournal({ sql, wake }: Options): Journal {
  const add = createBatch(
    async (entries: readonly Entry[]) => {
      const written = await writeEntries(sql, entries)
      // Somebody reads events: of what only begins there are none.
      if (entries.some(({ planned, ended }) => ended || planned?.status !== 'RUNNING')) wake()
      return written
    },
    { most, isOfOne },
  )
  return {
    begin: (planned) => add({ planned }),
    end: (ended) => add({ ended }),
    open(planned) {
      let begun: Promise<boolean> | undefined
      let isUnsure = false
      const begin = () => {
        clearTimeout(timer)
        begun ??= add({ planned }).catch((error: unknown) => {
          // It may be written nevertheless.
          isUnsure = true
          begun = undefined
          throw error
        })
        return begun
      }
      // What goes wrong is told at the end, where that cannot be written either.
      const timer = setTimeout(() => void begin().catch(() => {}), quietMs)
      return {
        begin,
        async end(ended) {
          clearTimeout(timer)
          const isThere = await begun?.catch(() => undefined)
          if (isThere === undefined) return (await add({ planned, ended })) || (isUnsure && add({ ended }))
          if (isThere) await add({ ended })
          return isThere
        },
      }
    },
  }
}

/** PostgreSQL's class of errors about values: one execution has something that cannot be kept. */
function isOfOne(error: unknown): boolean {
  return String((error as { code?: unknown }).code).startsWith('22')
}

const outboxColumns = `(id, "projectId", name, type, aggregate, payload, "actorKind", "actorId", trace, "executionId")`

/** `tells` names where the row of each event is; its own execution is what it came from. */
const event = (type: string, action: string, payload: string) =>
  `select g."eventId", g."projectId", 'functions.' || g."functionId" || '.executions.' || g.id || '.${action}', '${type}',
     'functions.' || g."functionId" || '.executions.' || g.id, ${payload}, g."actorKind", g."actorId", g.trace, g.id`

const finishedEvent = event(
  executionFinished.name,
  'finished',
  `jsonb_build_object('functionId', g."functionId", 'executionId', g.id, 'userId', g."userId", 'status', g.status)`,
)

const beginnings = (parameter: string) => `
  planned as materialized (
    select * from jsonb_to_recordset(${parameter}::jsonb) as r(id text, "projectId" text, "functionId" text, "deploymentId" text,
      trigger "ExecutionTrigger", key text, status "ExecutionStatus", "actorKind" text, "actorId" text, "sessionId" text,
      depth int, "isAsync" boolean, attempts int, method text, url text, "requestHeaders" jsonb, body text, failure text,
      error text, "scheduledAt" timestamptz, "startedAt" timestamptz, "finishedAt" timestamptz, "createdAt" timestamptz,
      trace text, "eventId" uuid, "userId" text, "isWhole" boolean, "responseStatus" int, "responseHeaders" jsonb,
      "responseBody" text, logs jsonb, "durationMs" int, "memoryBytes" bigint, "isCold" boolean)
  ), made as (
    insert into executions (id, "projectId", "functionId", "deploymentId", trigger, key, status, "actorKind", "actorId",
      "sessionId", depth, "isAsync", attempts, method, url, "requestHeaders", "requestBody", failure, error, "scheduledAt",
      "startedAt", "finishedAt", "createdAt", "responseStatus", "responseHeaders", "responseBody", logs, "durationMs",
      "memoryBytes", "isCold")
    select g.id, g."projectId", g."functionId", g."deploymentId", g.trigger, g.key, g.status, g."actorKind", g."actorId",
      g."sessionId", g.depth, g."isAsync", g.attempts, g.method, g.url, g."requestHeaders", decode(g.body, 'base64'),
      g.failure, g.error, g."scheduledAt", g."startedAt", g."finishedAt", g."createdAt",
      g."responseStatus", nullif(g."responseHeaders", 'null'), g."responseBody", coalesce(g.logs, '[]'), g."durationMs",
      g."memoryBytes", g."isCold"
    from planned g join functions f on f.id = g."functionId" and f."deletedAt" is null
    on conflict do nothing returning id
  ), told_made as (
    insert into events.outbox ${outboxColumns}
    ${event(executionCreated.name, 'created', `jsonb_build_object('functionId', g."functionId", 'executionId', g.id, 'userId', g."userId", 'status', g.status, 'scheduledAt', g."scheduledAt")`)}
    from planned g join made using (id) where g.status <> 'RUNNING' and g."isWhole" is null
  ), told_whole as (
    insert into events.outbox ${outboxColumns} ${finishedEvent}
    from planned g join made using (id) where g."isWhole"
  )`

/**
 * Each execution is looked up by its id, however many there are. PostgreSQL takes a JSON list for a hundred rows, unless a
 * condition says that there are few, and an index of `status` for the best way where one is asked for: behind it are all
 * executions that have not ended, and those that have since the table was last cleaned.
 */
const ends = (parameter: string) => `
  finished as materialized (
    select * from jsonb_to_recordset(${parameter}::jsonb) as r(id text, "projectId" text, "functionId" text, "deploymentId" text,
      "actorKind" text, "actorId" text, attempts int, status "ExecutionStatus", "responseStatus" int, "responseHeaders" jsonb,
      "responseBody" text, failure text, error text, logs jsonb, "durationMs" int, "memoryBytes" bigint, "isCold" boolean,
      "finishedAt" timestamptz, trace text, "eventId" uuid, "userId" text) where coalesce(r.id, '') = r.id
  ), ended as (
    update executions e set status = g.status, "deploymentId" = coalesce(g."deploymentId", e."deploymentId"),
      "responseStatus" = g."responseStatus", "responseHeaders" = nullif(g."responseHeaders", 'null'),
      "responseBody" = g."responseBody", failure = g.failure, error = g.error, logs = g.logs, "durationMs" = g."durationMs",
      "memoryBytes" = g."memoryBytes", "isCold" = g."isCold", "finishedAt" = g."finishedAt"
    from finished g where e.id = g.id and case when e.status in ('PENDING', 'RUNNING') then e.attempts end = g.attempts
    returning e.id
  ), told_ended as (
    insert into events.outbox ${outboxColumns} ${finishedEvent}
    from finished g join ended using (id)
  )`

const begin = `with ${beginnings('$1')} select id from made`
const end = `with ${ends('$1')} select id from ended`
const both = `with ${beginnings('$1')}, ${ends('$2')} select id from made union all select id from ended`

type Sql = Pick<Pool, 'query'>

/**
 * Plans or begins executions. Those that are there already stay as they are. Of one that somebody waits for only the end is an
 * event: two of them cost as much as the run.
 */
export function writePlanned(sql: Sql, planned: readonly Planned[]): Promise<boolean[]> {
  return writeEntries(
    sql,
    planned.map((one) => ({ planned: one })),
  )
}

/** One statement, and one commit, whatever there is. What begins and ends in the same is written once. */
async function writeEntries(sql: Sql, entries: readonly Entry[]): Promise<boolean[]> {
  const planned = entries.flatMap((entry) => (entry.planned ? [rowOfPlanned(entry.planned, entry.ended)] : []))
  const ended = entries.flatMap((entry) => (entry.planned ? [] : [rowOfEnded(entry.ended)]))
  const values = [planned, ended].filter(({ length }) => length > 0).map(toJson)
  const [name, text] =
    values.length === 2
      ? ['executions begin and end', both]
      : planned.length > 0
        ? ['executions begin', begin]
        : ['executions end', end]
  const { rows } = await sql.query<{ id: string }>({ name, text, values })
  const ids = new Set(rows.map(({ id }) => id))
  return entries.map(({ planned, ended }) => ids.has((planned ?? ended).id))
}

function rowOfPlanned({ requestBody, ...row }: Planned, ended?: Ended) {
  const body = requestBody && Buffer.from(requestBody).toString('base64')
  if (ended) return { ...row, ...rowOfEnded(ended), body, isWhole: true }
  return { ...row, body, eventId: row.status === 'RUNNING' ? null : newEventId(), userId: userOf(row) }
}

function rowOfEnded(ended: Ended) {
  return { ...ended, eventId: newEventId(), userId: userOf(ended) }
}

/** What functions say may hold what PostgreSQL cannot keep. */
function toJson(rows: readonly unknown[]): string {
  const text = JSON.stringify(rows)
  if (!/\\u(0000|d[89a-f])/.test(text)) return text
  return JSON.stringify(rows, (_key, value) => (typeof value === 'string' ? cleaned(value) : value))
}

function cleaned(text: string): string {
  return text.toWellFormed().replaceAll('\0', '\uFFFD')
}
