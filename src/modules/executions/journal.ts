import type { Pool } from 'pg'
import { createBatch } from '../../lib/batch.ts'
import { newEventId } from '../../lib/ids.ts'
import { executionCreated, executionFinished } from './events.ts'
import type { Ended, Journal, Planned } from './records.ts'

type Options = { sql: Pool; wake: () => void }

const most = 200

export function createJournal({ sql, wake }: Options): Journal {
  const told = <Item>(write: (sql: Pool, items: readonly Item[]) => Promise<boolean[]>) => {
    const writeAndTell = async (items: readonly Item[]) => {
      const written = await write(sql, items)
      wake()
      return written
    }
    return createBatch(writeAndTell, { most, isOfOne })
  }
  return { begin: told(writePlanned), end: told(writeEnded) }
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

const plan = `
  with given as materialized (
    select * from jsonb_to_recordset($1::jsonb) as r(id text, "projectId" text, "functionId" text, "deploymentId" text,
      trigger "ExecutionTrigger", key text, status "ExecutionStatus", "actorKind" text, "actorId" text, "sessionId" text,
      depth int, "isAsync" boolean, attempts int, method text, url text, "requestHeaders" jsonb, body text, failure text,
      error text, "scheduledAt" timestamptz, "startedAt" timestamptz, "finishedAt" timestamptz, "createdAt" timestamptz,
      trace text, "eventId" uuid)
  ), made as (
    insert into executions (id, "projectId", "functionId", "deploymentId", trigger, key, status, "actorKind", "actorId",
      "sessionId", depth, "isAsync", attempts, method, url, "requestHeaders", "requestBody", failure, error, "scheduledAt",
      "startedAt", "finishedAt", "createdAt")
    select g.id, g."projectId", g."functionId", g."deploymentId", g.trigger, g.key, g.status, g."actorKind", g."actorId",
      g."sessionId", g.depth, g."isAsync", g.attempts, g.method, g.url, g."requestHeaders", decode(g.body, 'base64'),
      g.failure, g.error, g."scheduledAt", g."startedAt", g."finishedAt", g."createdAt"
    from given g join functions f on f.id = g."functionId" and f."deletedAt" is null
    on conflict do nothing returning id
  ), told as (
    insert into events.outbox ${outboxColumns}
    ${event(executionCreated.name, 'created', `jsonb_build_object('functionId', g."functionId", 'executionId', g.id, 'status', g.status, 'scheduledAt', g."scheduledAt")`)}
    from given g join made using (id) where g.status <> 'RUNNING'
  )
  select id from made`

/**
 * Plans or begins executions. Those that are there already stay as they are. Of one that somebody waits for only the end is an
 * event: two of them cost as much as the run.
 */
export async function writePlanned(sql: Pick<Pool, 'query'>, planned: readonly Planned[]): Promise<boolean[]> {
  const rows = planned.map(({ requestBody, ...row }) => ({
    ...row,
    body: requestBody && Buffer.from(requestBody).toString('base64'),
    eventId: newEventId(),
  }))
  return write(sql, 'executions begin', plan, rows)
}

const finish = `
  with given as materialized (
    select * from jsonb_to_recordset($1::jsonb) as r(id text, "projectId" text, "functionId" text, "deploymentId" text,
      "actorKind" text, "actorId" text, attempts int, status "ExecutionStatus", "responseStatus" int, "responseHeaders" jsonb,
      "responseBody" text, failure text, error text, logs jsonb, "durationMs" int, "memoryBytes" bigint, "isCold" boolean,
      "finishedAt" timestamptz, trace text, "eventId" uuid)
  ), ended as (
    update executions e set status = g.status, "deploymentId" = coalesce(g."deploymentId", e."deploymentId"),
      "responseStatus" = g."responseStatus", "responseHeaders" = nullif(g."responseHeaders", 'null'),
      "responseBody" = g."responseBody", failure = g.failure, error = g.error, logs = g.logs, "durationMs" = g."durationMs",
      "memoryBytes" = g."memoryBytes", "isCold" = g."isCold", "finishedAt" = g."finishedAt"
    from given g where e.id = g.id and e.status in ('WAITING', 'RUNNING') and e.attempts = g.attempts returning e.id
  ), told as (
    insert into events.outbox ${outboxColumns}
    ${event(executionFinished.name, 'finished', `jsonb_build_object('functionId', g."functionId", 'executionId', g.id, 'status', g.status)`)}
    from given g join ended using (id)
  )
  select id from ended`

export async function writeEnded(sql: Pick<Pool, 'query'>, ended: readonly Ended[]): Promise<boolean[]> {
  const rows = ended.map((row) => ({ ...row, eventId: newEventId() }))
  return write(sql, 'executions end', finish, rows)
}

async function write(
  sql: Pick<Pool, 'query'>,
  name: string,
  text: string,
  rows: readonly { id: string }[],
): Promise<boolean[]> {
  const { rows: found } = await sql.query<{ id: string }>({ name, text, values: [toJson(rows)] })
  const ids = new Set(found.map(({ id }) => id))
  return rows.map(({ id }) => ids.has(id))
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
