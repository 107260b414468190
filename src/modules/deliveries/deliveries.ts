import { createHash } from 'node:crypto'
import type { Prisma } from '../../../prisma/client/client.ts'
import type { Context, Services } from '../../context.ts'
import { type LoggedEvent, matchesEvent } from '../../logged-event.ts'
import { operatorRows } from '../operators/operators.ts'
import { scopesOf } from '../permissions/roles.ts'
import { webhookPinged } from '../webhooks/events.ts'

/** What full names of events of documents hold. */
export const ofDocuments = '.documents.'

/** The deliveries of the project that is asked, for those who run it. Those of documents are for who may read documents. */
export function visibleDeliveries(ctx: Context): Prisma.DeliveryWhereInput {
  const readable = seesDocuments(ctx) ? {} : { NOT: { eventName: { contains: ofDocuments } } }
  return { ...operatorRows(ctx), webhook: { deletedAt: null }, ...readable }
}

/** Whether the deliveries of documents are for this caller as well. */
export function seesDocuments(ctx: Pick<Context, 'actor'>): boolean {
  return scopesOf(ctx)?.has('documents.read') !== false
}

type Subscribed = { id: string; projectId: string; events: string[] }

/**
 * Makes a delivery for each event and each webhook that wants it; for an event that was here before, the same one.
 * Answers which webhooks they are for.
 */
export async function createDeliveries(services: Services, events: readonly LoggedEvent[]): Promise<string[]> {
  // What is about deliveries is not delivered: a webhook for everything would feed itself.
  const told = events.filter(({ type }) => !type.startsWith('deliveries.'))
  const projectIds = [...new Set(told.map(({ projectId }) => projectId))]
  if (projectIds.length === 0) return []
  const { rows: webhooks } = await services.sql.query<Subscribed>(
    'select id, "projectId", events from webhooks where "projectId" = any($1) and enabled',
    [projectIds],
  )
  const made = told.flatMap((event) =>
    webhooks
      .filter((webhook) => wants(webhook, event))
      .map((webhook) => ({ ...deliveryOf(webhook, event), trace: event.trace ?? null })),
  )
  if (made.length === 0) return []
  // A webhook that is deleted at this moment takes its deliveries with it.
  await services.sql.query(
    `insert into deliveries (id, "projectId", "webhookId", "eventId", "eventName", body, trace, "nextAttemptAt", "updatedAt")
     select r.id, r."projectId", r."webhookId", r."eventId", r."eventName", r.body, r.trace, clock_timestamp(), clock_timestamp()
     from jsonb_to_recordset($1::jsonb) as r(id text, "projectId" text, "webhookId" text, "eventId" uuid, "eventName" text, body text, trace text)
     join webhooks w on w.id = r."webhookId" for key share of w
     on conflict do nothing`,
    [JSON.stringify(made)],
  )
  return [...new Set(made.map(({ webhookId }) => webhookId))]
}

function wants(webhook: Subscribed, event: LoggedEvent): boolean {
  // A ping is for one receiver, whatever its patterns.
  if (event.type === webhookPinged.name) return webhookPinged.payload.parse(event.payload).webhookId === webhook.id
  return webhook.projectId === event.projectId && webhook.events.some((pattern) => matchesEvent(pattern, event))
}

/** The row for an event and a webhook: the same for the same pair. */
export function deliveryOf(
  webhook: Pick<Subscribed, 'id'>,
  event: Pick<LoggedEvent, 'id' | 'projectId' | 'name' | 'type' | 'payload' | 'at'>,
) {
  const body = JSON.stringify({
    type: event.type,
    name: event.name,
    timestamp: event.at.toISOString(),
    data: event.payload,
  })
  const { projectId, id: eventId, name: eventName } = event
  return { id: deliveryId(webhook.id, eventId), projectId, webhookId: webhook.id, eventId, eventName, body }
}

/** The same for the same pair, and in the order of the events: they begin with the time in the event's id. */
function deliveryId(webhookId: string, eventId: string): string {
  const time = eventId.replaceAll('-', '').slice(0, 12)
  const pair = createHash('sha256').update(`${webhookId} ${eventId}`).digest('hex')
  return `dlv_${time}${pair.slice(0, 20)}`
}
