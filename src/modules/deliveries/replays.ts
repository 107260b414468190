import type { Delivery } from '../../../prisma/client/client.ts'
import { type Context, type DbContext, transaction } from '../../context.ts'
import { Conflict, Invalid, NotFound } from '../../errors.ts'
import { emit } from '../../event.ts'
import { requireOperator } from '../operators/operators.ts'
import { visibleWebhooks } from '../webhooks/webhooks.ts'
import { seesDocuments, visibleDeliveries } from './deliveries.ts'
import { deliveryReplayed } from './events.ts'

/** How many deliveries one call replays. */
export const replayLimit = 100

/** Delivers once more, with the same id and body, whatever came of it before. */
export async function replayDelivery(ctx: Context, id: string): Promise<Delivery> {
  requireOperator(ctx)
  return transaction(ctx, async (tx) => {
    await tx.query('select 1 as locked from deliveries where id = $1 for update', [id])
    const delivery = await tx.db.delivery.findFirst({
      where: { AND: [{ id }, visibleDeliveries(ctx)] },
      include: { webhook: true, _count: { select: { attempts: true } } },
    })
    if (!delivery) throw new NotFound('There is no such delivery.')
    if (!delivery.webhook.enabled) throw new Conflict('The webhook is disabled. Enable it first.')
    if (delivery.status === 'PENDING') throw new Conflict('The delivery is still under way.')
    const attempts = delivery._count.attempts
    await reopen(tx, [id])
    const replayed = await tx.db.delivery.findUniqueOrThrow({ where: { id } })
    await emit(tx, deliveryReplayed, { webhookId: delivery.webhookId, deliveryId: id, attempts })
    return replayed
  })
}

export type Span = { webhookId: string; from: Date; to: Date }

/** How many are sent again, and whether others of that time are still to be asked for. */
export type Replayed = { count: number; hasMore: boolean }

/** Delivers once more what was given up and happened from one moment to before another, the oldest first. */
export async function replayDeliveries(ctx: Context, { webhookId, from, to }: Span): Promise<Replayed> {
  requireOperator(ctx)
  if (from >= to) throw new Invalid('The end must come after the beginning.', ['input', 'to'])
  return transaction(ctx, async (tx) => {
    const webhook = await tx.db.webhook.findFirst({ where: { AND: [{ id: webhookId }, visibleWebhooks(ctx)] } })
    if (!webhook) throw new NotFound('There is no such webhook.')
    if (!webhook.enabled) throw new Conflict('The webhook is disabled. Enable it first.')
    const failed = await failedFor(tx, { webhookId, from, to }, seesDocuments(ctx))
    const replayed = failed.slice(0, replayLimit)
    await reopen(
      tx,
      replayed.map(({ id }) => id),
    )
    for (const { id, attempts } of replayed)
      await emit(tx, deliveryReplayed, { webhookId, deliveryId: id, attempts: Number(attempts) })
    return { count: replayed.length, hasMore: failed.length > replayLimit }
  })
}

/** They are due now, by PostgreSQL's clock, and a new series of attempts begins. */
async function reopen(tx: DbContext, ids: readonly string[]): Promise<void> {
  await tx.query(
    `update deliveries d set status = 'PENDING', "nextAttemptAt" = clock_timestamp(), "updatedAt" = clock_timestamp(),
       "seriesFrom" = (select count(*) from delivery_attempts a where a."deliveryId" = d.id)
     where id = any($1)`,
    [ids],
  )
}

/** One more than may be replayed, locked; what another call replays at this moment is left to it. */
function failedFor(tx: DbContext, { webhookId, from, to }: Span, withDocuments: boolean) {
  return tx.query<{ id: string; attempts: bigint }>(
    `select d.id, (select count(*) from delivery_attempts a where a."deliveryId" = d.id) as attempts
     from deliveries d
     where d."webhookId" = $1 and d.status = 'FAILED' and d."createdAt" >= $2 and d."createdAt" < $3
       and ($5 or d."eventName" not like '%.documents.%')
     order by d.id limit $4 for update of d skip locked`,
    [webhookId, from, to, replayLimit + 1, withDocuments],
  )
}
