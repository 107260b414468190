import { type Delivery, Prisma, type Webhook } from '../../../prisma/client/client.ts'
import { type Context, type DbContext, transaction } from '../../context.ts'
import { emit } from '../../event.ts'
import { newId } from '../../lib/ids.ts'
import { disableWebhook } from '../webhooks/webhooks.ts'
import { deliveryFinished } from './events.ts'
import { maxAttempts, nextAttemptAt } from './schedule.ts'

/** A receiver that has failed for so long is disabled. */
const patienceMs = 5 * 86_400_000
/** An attempt that is open for longer was cut off with its worker. */
const abandonedMs = 60_000

export type Due = { delivery: Delivery; webhook: Webhook; number: number }

/** What there is to do for a delivery: an attempt of that number, nothing more, or to look again later. */
export type Turn = { kind: 'send'; due: Due } | { kind: 'done' } | { kind: 'wait'; until: Date }

/**
 * Opens the next attempt. Its row is written before anything is sent, and one number exists once: of two workers that
 * have the same delivery, one sends.
 */
export async function openAttempt(ctx: Context, deliveryId: string): Promise<Turn> {
  const delivery = await ctx.db.delivery.findUnique({
    where: { id: deliveryId },
    include: { webhook: true, attempts: { orderBy: { number: 'desc' }, take: 1 } },
  })
  if (delivery?.status !== 'PENDING') return { kind: 'done' }
  if (!delivery.webhook.enabled) {
    await endDelivery(ctx, deliveryId)
    return { kind: 'done' }
  }
  const now = ctx.clock()
  const { nextAttemptAt: due, webhook } = delivery
  if (due && due.getTime() > now.getTime() + 500) return { kind: 'wait', until: due }
  const [last] = delivery.attempts
  const isOpen = last && last.responseStatus === null && last.error === null
  if (isOpen && now.getTime() - last.at.getTime() < abandonedMs) return { kind: 'wait', until: soon(now) }
  if (isOpen) await markAbandoned(ctx, last.id)
  const number = (last?.number ?? 0) + 1
  const data = { id: newId('att'), deliveryId, number, durationMs: 0, at: now }
  const isOurs = await ctx.db.deliveryAttempt.create({ data }).then(() => true, isTaken)
  return isOurs ? { kind: 'send', due: { delivery, webhook, number } } : { kind: 'wait', until: soon(now) }
}

/** Ends what was not delivered and no longer will be. */
export async function endDelivery(ctx: Context, id: string): Promise<void> {
  await transaction(ctx, async (tx) => {
    const [ended] = await tx.db.delivery.updateManyAndReturn({
      where: { id, status: 'PENDING' },
      data: { status: 'FAILED', nextAttemptAt: null },
    })
    if (ended) await tellFinished(tx, ended, 'FAILED')
  })
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

/** Writes down what came of an attempt, and answers when the next one is due. Null: there is none. */
export async function closeAttempt(ctx: Context, due: Due, outcome: Outcome, from: number): Promise<Date | null> {
  const { delivery, webhook, number } = due
  const isDelivered = outcome.status !== null && outcome.status >= 200 && outcome.status < 300
  const now = ctx.clock()
  const next =
    isDelivered || outcome.status === 410 ? null : nextAttemptAt(seriesLength(number, from), now, outcome.retryAfterMs)
  await transaction(ctx, async (tx) => {
    const { status: responseStatus, body: responseBody, error, durationMs, requestHeaders } = outcome
    const responseHeaders = outcome.responseHeaders ?? Prisma.DbNull
    const where = { deliveryId_number: { deliveryId: delivery.id, number } }
    const data = { requestHeaders, responseStatus, responseHeaders, responseBody, error, durationMs }
    await tx.db.deliveryAttempt.update({ where, data })
    const status = isDelivered ? 'SUCCEEDED' : next ? 'PENDING' : 'FAILED'
    await tx.db.delivery.update({ where: { id: delivery.id }, data: { status, nextAttemptAt: next } })
    if (status !== 'PENDING') await tellFinished(tx, delivery, status)
    if (isDelivered) {
      await tx.db.webhook.updateMany({
        where: { id: webhook.id, failingSince: { not: null } },
        data: { failingSince: null },
      })
      return
    }
    await tx.db.webhook.updateMany({ where: { id: webhook.id, failingSince: null }, data: { failingSince: now } })
    if (outcome.status === 410) return disableWebhook(tx, webhook, 'the receiver answered 410 Gone.')
    const since = webhook.failingSince
    if (since && now.getTime() - since.getTime() > patienceMs) {
      await disableWebhook(tx, webhook, 'no delivery has succeeded for five days.')
    }
  })
  return next
}

async function tellFinished(tx: DbContext, { id, webhookId, projectId }: Delivery, status: 'SUCCEEDED' | 'FAILED') {
  await emit(tx, deliveryFinished, { webhookId, deliveryId: id, status }, projectId)
}

/** How many attempts of this series were made. A series whose beginning is not known any more is at its end. */
function seriesLength(number: number, from: number): number {
  return Math.min(Math.max(number - from, 1), maxAttempts)
}

async function markAbandoned(ctx: Context, id: string): Promise<void> {
  const error = 'The server stopped before an answer came.'
  await ctx.db.deliveryAttempt.update({ where: { id }, data: { error } })
}

function isTaken(error: unknown): false {
  const isUnique = error instanceof Prisma.PrismaClientKnownRequestError && error.code === 'P2002'
  // P2003: the delivery has been deleted meanwhile; the next look finds nothing to do.
  const isGone = error instanceof Prisma.PrismaClientKnownRequestError && error.code === 'P2003'
  if (isUnique || isGone) return false
  throw error
}

function soon(now: Date): Date {
  return new Date(now.getTime() + 20_000)
}
