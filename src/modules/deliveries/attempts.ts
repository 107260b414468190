import type { Webhook } from '../../../prisma/client/client.ts'
import { asSystem, type DbContext, type Services, transaction } from '../../context.ts'
import { emitAll } from '../../event.ts'
import { disableWebhook } from '../webhooks/webhooks.ts'
import { deliveryFinished } from './events.ts'
import { waitAfter } from './schedule.ts'

/** An attempt of which nothing is heard for so long was cut off with its worker: the delivery is due again. */
const leaseMs = 60_000
/** A receiver that has failed for so long is disabled. */
const patience = '5 days'

/** What one attempt needs. The lease is when the delivery is due again if nothing is heard, and says whose turn it is. */
export type Due = {
  attemptId: string
  deliveryId: string
  eventId: string
  body: string
  /** The `traceparent` of the change that it tells of. */
  trace: string | null
  lease: Date
  /** Attempts of this series, this one included. */
  number: number
  webhook: Receiver
}

/** What is to be known of a webhook for a request to it. */
export type Receiver = Pick<Webhook, 'id' | 'url' | 'verifyTls' | 'headers' | 'basicAuth' | 'secrets'>

/** A webhook, and how many deliveries to it may begin. */
export type Room = { webhookId: string; free: number }

/**
 * Opens the next attempts of deliveries that are due, the longest waiting first. Their rows are written before anything is
 * sent, and what one worker opens the others pass over. The time is PostgreSQL's.
 */
export async function openAttempts({ sql }: Services, rooms: readonly Room[]): Promise<Due[]> {
  const { rows } = await sql.query<Due>({
    name: 'deliveries.open',
    text: `with due as materialized (
       select d.id from unnest($1::text[], $2::int[]) as room("webhookId", free)
       join webhooks w on w.id = room."webhookId" and w.enabled
       cross join lateral (
         select id from deliveries d
         where d."webhookId" = room."webhookId" and d.status = 'PENDING' and d."nextAttemptAt" <= clock_timestamp()
         order by d."nextAttemptAt", d.id limit room.free for update skip locked) d
     ), opened as (
       update deliveries set "nextAttemptAt" = clock_timestamp() + $3 * interval '1 ms'
       from due where deliveries.id = due.id returning deliveries.*
     ), cut as (
       update delivery_attempts a set error = 'The server stopped before an answer came.'
       from due where a."deliveryId" = due.id and a."responseStatus" is null and a.error is null
     ), attempts as (
       insert into delivery_attempts (id, "deliveryId", number, "durationMs", at)
       select 'att_' || replace(gen_random_uuid()::text, '-', ''), id, 1 + coalesce(
         (select max(number) from delivery_attempts a where a."deliveryId" = opened.id), 0), 0, clock_timestamp()
       from opened returning *
     )
     select a.id as "attemptId", o.id as "deliveryId", o."eventId", o.body, o.trace, o."nextAttemptAt" as lease,
            a.number - o."seriesFrom" as number,
            json_build_object('id', w.id, 'url', w.url, 'verifyTls', w."verifyTls", 'headers', w.headers,
              'basicAuth', w."basicAuth", 'secrets', w.secrets) as webhook
     from attempts a join opened o on o.id = a."deliveryId" join webhooks w on w.id = o."webhookId"`,
    values: [rooms.map(({ webhookId }) => webhookId), rooms.map(({ free }) => free), leaseMs],
  })
  return rows
}

export type Outcome = {
  /** What was sent, with `***` for secrets. */
  requestHeaders: Record<string, string>
  status: number | null
  /** Null when there was no answer. */
  responseHeaders: Record<string, string> | null
  body: string | null
  error: string | null
  durationMs: number
  retryAfterMs: number | null
}

type Ended = { id: string; webhookId: string; projectId: string; status: 'SUCCEEDED' | 'FAILED' }

/** Writes down what came of attempts, and when the next ones are due. An attempt that was taken for cut off plans nothing. */
export async function closeAttempts(
  services: Services,
  closed: readonly (Due & { outcome: Outcome })[],
): Promise<void> {
  const rows = closed.map(({ attemptId, deliveryId, lease, number, webhook, outcome }) => {
    const isDelivered = outcome.status !== null && outcome.status >= 200 && outcome.status < 300
    const waitMs = isDelivered || outcome.status === 410 ? null : waitAfter(Math.max(number, 1), outcome.retryAfterMs)
    const status = isDelivered ? 'SUCCEEDED' : waitMs === null ? 'FAILED' : 'PENDING'
    return { ...outcome, answer: outcome.status, attemptId, deliveryId, webhookId: webhook.id, lease, waitMs, status }
  })
  await transaction(asSystem(services, 'webhooks', ''), async (tx) => {
    const ended = await tx.query<Ended>(
      `with o as materialized (
         select * from jsonb_to_recordset($1::jsonb) as o("attemptId" text, "deliveryId" text, lease timestamptz,
           "requestHeaders" jsonb, answer int, "responseHeaders" jsonb, body text, error text, "durationMs" int,
           "waitMs" float8, status text)
       ), noted as (
         update delivery_attempts a set "requestHeaders" = o."requestHeaders", "responseStatus" = o.answer,
           "responseHeaders" = o."responseHeaders", "responseBody" = o.body, error = o.error, "durationMs" = o."durationMs"
         from o where a.id = o."attemptId"
       )
       update deliveries d set status = o.status::"DeliveryStatus", "updatedAt" = clock_timestamp(),
         "nextAttemptAt" = clock_timestamp() + o."waitMs" * interval '1 ms'
       from o where d.id = o."deliveryId" and d.status = 'PENDING'
         and (o.status = 'SUCCEEDED' or d."nextAttemptAt" = o.lease)
       returning d.id, d."webhookId", d."projectId", d.status::text as status`,
      [JSON.stringify(rows)],
    )
    await tellFinished(tx, ended)
    const failed = rows.filter(({ status }) => status !== 'SUCCEEDED').map(({ webhookId }) => webhookId)
    const delivered = rows.filter(({ status }) => status === 'SUCCEEDED').map(({ webhookId }) => webhookId)
    await noteHealth(tx, failed, delivered)
    const gone = rows.filter(({ answer }) => answer === 410).map(({ webhookId }) => webhookId)
    await disableAll(tx, gone, 'the receiver answered 410 Gone.')
  })
}

/** Since when receivers have failed; a success forgets it. Who has failed for too long is disabled. */
async function noteHealth(tx: DbContext, failed: readonly string[], delivered: readonly string[]): Promise<void> {
  await tx.query('update webhooks set "failingSince" = null where id = any($1) and "failingSince" is not null', [
    delivered,
  ])
  if (failed.length === 0) return
  const hopeless = await tx.query<{ id: string }>(
    `with failing as (
       update webhooks set "failingSince" = coalesce("failingSince", clock_timestamp())
       where id = any($1) and not (id = any($2)) returning id, "failingSince")
     select id from failing where "failingSince" < clock_timestamp() - interval '${patience}'`,
    [failed, delivered],
  )
  await disableAll(
    tx,
    hopeless.map(({ id }) => id),
    'no delivery has succeeded for five days.',
  )
}

async function disableAll(tx: DbContext, ids: readonly string[], reason: string): Promise<void> {
  if (ids.length === 0) return
  for (const webhook of await tx.db.webhook.findMany({ where: { id: { in: [...ids] } } }))
    await disableWebhook(tx, webhook, reason)
}

/** The webhooks to which something is due that is at least so old; the longest waiting first. */
export async function webhooksDue({ sql }: Services, limit: number, oldMs = 0): Promise<string[]> {
  const { rows } = await sql.query<{ id: string }>(
    `select "webhookId" as id from deliveries
     where status = 'PENDING' and "nextAttemptAt" <= clock_timestamp() and "createdAt" <= clock_timestamp() - $2 * interval '1 ms'
     group by "webhookId" order by min("nextAttemptAt") limit $1`,
    [limit, oldMs],
  )
  return rows.map(({ id }) => id)
}

/** Ends what is due to webhooks that are disabled: it was not delivered and no longer will be. */
export async function endUndeliverable(services: Services, limit: number): Promise<void> {
  await transaction(asSystem(services, 'webhooks', ''), async (tx) => {
    const ended = await tx.query<Ended>(
      `update deliveries d set status = 'FAILED', "nextAttemptAt" = null, "updatedAt" = clock_timestamp()
       where id in (
         select d.id from deliveries d join webhooks w on w.id = d."webhookId" and not w.enabled
         where d.status = 'PENDING' and d."nextAttemptAt" <= clock_timestamp()
         limit $1 for update of d skip locked)
       returning d.id, d."webhookId", d."projectId", d.status::text as status`,
      [limit],
    )
    await tellFinished(tx, ended)
  })
}

async function tellFinished(tx: DbContext, ended: readonly Ended[]): Promise<void> {
  const finished = ended.filter(({ status }) => status === 'SUCCEEDED' || status === 'FAILED')
  await emitAll(
    tx,
    deliveryFinished,
    finished.map(({ id, webhookId, projectId, status }) => ({
      projectId,
      payload: { webhookId, deliveryId: id, status },
    })),
  )
}
