import type { Delivery } from '../../../prisma/client/client.ts'
import { type Context, transaction } from '../../context.ts'
import { Conflict, NotFound } from '../../errors.ts'
import { emit } from '../../event.ts'
import { requireOperator } from '../operators/operators.ts'
import { webhookPinged } from '../webhooks/events.ts'
import { visibleWebhooks } from '../webhooks/webhooks.ts'
import { deliveryOf } from './deliveries.ts'

/** Sends one webhook an event of no consequence. Its delivery is there at once, and tells how it goes. */
export async function pingWebhook(ctx: Context, id: string): Promise<Delivery> {
  requireOperator(ctx)
  return transaction(ctx, async (tx) => {
    const webhook = await tx.db.webhook.findFirst({ where: { AND: [{ id }, visibleWebhooks(ctx)] } })
    if (!webhook) throw new NotFound('There is no such webhook.')
    if (!webhook.enabled) throw new Conflict('The webhook is disabled. Enable it first.')
    const payload = { webhookId: id }
    const eventId = await emit(tx, webhookPinged, payload)
    const { projectId } = ctx
    const name = `webhooks.${id}.pinged`
    const event = { id: eventId, projectId, name, type: webhookPinged.name, payload, at: ctx.clock() }
    // The worker, when it comes to the event, finds this one.
    return tx.db.delivery.create({ data: { ...deliveryOf(webhook, event), nextAttemptAt: event.at } })
  })
}
