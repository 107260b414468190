import type { Prisma, Webhook } from '../../../prisma/client/client.ts'
import { type Context, type DbContext, takeTurn, transaction } from '../../context.ts'
import { Forbidden, Invalid, LimitExceeded, NotFound } from '../../errors.ts'
import { emit } from '../../event.ts'
import { newId } from '../../lib/ids.ts'
import { whyNotCallable } from '../../platform/egress.ts'
import { type BasicAuth, type Header, keepBasicAuth, keepHeaders, requireSameServer } from '../calls/secrets.ts'
import { ofDocuments, seesDocuments } from '../deliveries/deliveries.ts'
import { requirePatterns, requireReadableEvents } from '../events/patterns.ts'
import { operatorRows, requireOperator } from '../operators/operators.ts'
import { webhookCreated, webhookDeleted, webhookDisabled, webhookUpdated } from './events.ts'
import { keepSecret, newWebhookSecret, rotateSecrets } from './secrets.ts'

export const webhookLimit = 50

/** The webhooks of the project that is asked, for those who run it. */
export function visibleWebhooks(ctx: Context): Prisma.WebhookWhereInput {
  return { ...operatorRows(ctx), deletedAt: null }
}

export type WebhookChanges = {
  name?: string | null | undefined
  url?: string | null | undefined
  events?: readonly string[] | null | undefined
  enabled?: boolean | null | undefined
  headers?: readonly Header[] | null | undefined
  /** Null: none. */
  basicAuth?: BasicAuth | null | undefined
  verifyTls?: boolean | null | undefined
}
export type NewWebhook = WebhookChanges & { name: string; url: string; events: readonly string[] }
export type WebhookWithSecret = { webhook: Webhook; secret: string }

/** Makes a webhook. Its secret is answered now and after a rotation, and never again. */
export async function createWebhook(ctx: Context, input: NewWebhook): Promise<WebhookWithSecret> {
  requireOperator(ctx)
  requireCallable(input)
  requireReadableEvents(ctx, input.events, 'A webhook')
  const secret = newWebhookSecret()
  const data = changesOf(ctx, input)
  return transaction(ctx, async (tx) => {
    await takeTurn(tx, `webhooks ${ctx.projectId}`)
    const count = await tx.db.webhook.count({ where: { projectId: ctx.projectId, deletedAt: null } })
    if (count >= webhookLimit) throw new LimitExceeded(`A project has at most ${webhookLimit} webhooks.`)
    const { name, url } = input
    const secrets = [keepSecret(ctx.env, secret)]
    const webhook = await tx.db.webhook.create({
      data: { ...data, id: newId('whk'), projectId: ctx.projectId, name, url, secrets },
    })
    await emit(tx, webhookCreated, { webhookId: webhook.id })
    return { webhook, secret }
  })
}

/** Changes a webhook. Enabling one forgets why it was disabled. */
export async function updateWebhook(ctx: Context, id: string, changes: WebhookChanges): Promise<Webhook> {
  requireOperator(ctx)
  requireCallable(changes)
  const data = changesOf(ctx, changes)
  return transaction(ctx, async (tx) => {
    const before = await findForUpdate(ctx, tx, id)
    requireSameServer(before, changes)
    // Those before, too: what is still to be sent of them goes where the webhook leads by then.
    const { url, verifyTls, enabled, events } = changes
    // Another name, or an end, sends nothing anywhere.
    const isTurned = url != null || verifyTls != null || enabled === true || events != null
    if (isTurned) requireReadableEvents(ctx, [...before.events, ...(events ?? [])], 'A webhook')
    await requireReadableDeliveries(ctx, tx, id, changes)
    const webhook = await tx.db.webhook.update({ where: { id }, data })
    await emit(tx, webhookUpdated, { webhookId: id })
    return webhook
  })
}

/** Documents that wait, of events that it was for before, go to nobody whom somebody has chosen who may not read them. */
async function requireReadableDeliveries(
  ctx: Context,
  tx: DbContext,
  id: string,
  changes: WebhookChanges,
): Promise<void> {
  const { url, verifyTls } = changes
  if ((url == null && verifyTls == null) || seesDocuments(ctx)) return
  const where = { webhookId: id, status: 'PENDING', eventName: { contains: ofDocuments } } as const
  if (await tx.db.delivery.findFirst({ where, select: { id: true } }))
    throw new Forbidden('Deliveries of documents wait for this webhook: to turn it needs the scope documents.read.')
}

/** Gives a webhook a new secret. The one before it signs besides for a day, so that receivers can change over. */
export async function rotateWebhookSecret(ctx: Context, id: string): Promise<WebhookWithSecret> {
  requireOperator(ctx)
  const secret = newWebhookSecret()
  return transaction(ctx, async (tx) => {
    const { secrets } = await findForUpdate(ctx, tx, id)
    const rotated = rotateSecrets(ctx.env, secrets, secret, ctx.clock())
    const webhook = await tx.db.webhook.update({ where: { id }, data: { secrets: rotated } })
    await emit(tx, webhookUpdated, { webhookId: id })
    return { webhook, secret }
  })
}

/** Deletes a webhook: what was not yet delivered no longer is, and the deletes worker takes its deliveries away. */
export async function deleteWebhook(ctx: Context, id: string): Promise<string> {
  requireOperator(ctx)
  return transaction(ctx, async (tx) => {
    await findForUpdate(ctx, tx, id)
    await tx.db.webhook.update({ where: { id }, data: { deletedAt: ctx.clock(), enabled: false } })
    await emit(tx, webhookDeleted, { webhookId: id })
    return id
  })
}

/** Ends deliveries to a receiver that does not want them or is gone. */
export async function disableWebhook(
  tx: DbContext,
  { id, projectId }: Pick<Webhook, 'id' | 'projectId'>,
  reason: string,
): Promise<void> {
  const where = { id, enabled: true }
  const { count } = await tx.db.webhook.updateMany({ where, data: { enabled: false, disabledReason: reason } })
  if (count > 0) await emit(tx, webhookDisabled, { webhookId: id, reason }, projectId)
}

/** Locks the row, so that changes of one webhook and their events are in the same order. */
async function findForUpdate(ctx: Context, tx: DbContext, id: string): Promise<Webhook> {
  await tx.query('select 1 as locked from webhooks where id = $1 for update', [id])
  const webhook = await tx.db.webhook.findFirst({ where: { AND: [{ id }, visibleWebhooks(ctx)] } })
  if (!webhook) throw new NotFound('There is no such webhook.')
  return webhook
}

/** Headers that every delivery has: a user's own are not to stand for them. */
const ours = ['content-type', 'webhook-id', 'webhook-timestamp', 'webhook-signature']

function changesOf({ env }: Context, changes: WebhookChanges) {
  const { name, url, events, enabled, headers, basicAuth, verifyTls } = changes
  const hasAuthorization = headers?.some((header) => header.name.toLowerCase() === 'authorization')
  if (basicAuth && hasAuthorization)
    throw new Invalid('Basic authentication sets the header “authorization” itself.', ['input', 'headers'])
  return {
    ...(name != null && { name }),
    ...(url != null && { url }),
    ...(events != null && { events: [...new Set(events)] }),
    ...(enabled != null && { enabled, disabledReason: null, failingSince: null }),
    ...(headers != null && { headers: keepHeaders(env, headers, ours) }),
    ...(basicAuth !== undefined && { basicAuth: keepBasicAuth(env, basicAuth) }),
    ...(verifyTls != null && { verifyTls }),
  }
}

function requireCallable({ url, events }: WebhookChanges): void {
  const wrong = url == null ? null : whyNotCallable(url)
  if (wrong) throw new Invalid(wrong, ['input', 'url'])
  if (events == null) return
  if (events.length === 0) throw new Invalid('A webhook needs at least one pattern of events.', ['input', 'events'])
  requirePatterns(events, ['input', 'events'])
}
