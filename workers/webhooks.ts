import { asSystem, type Context } from '../src/context.ts'
import { closeAttempt, type Due, endDelivery, type Outcome, openAttempt } from '../src/modules/deliveries/attempts.ts'
import { createDeliveries } from '../src/modules/deliveries/deliveries.ts'
import { sendDeliveryJob } from '../src/modules/deliveries/jobs.ts'
import { parseRetryAfter } from '../src/modules/deliveries/schedule.ts'
import { liveSecrets, signedHeaders } from '../src/modules/webhooks/secrets.ts'
import { type Egress, EgressFailed, EgressRefused } from '../src/platform/egress.ts'
import { implement, onEvent, type Reaction, type Worker } from './implement.ts'

/** A delivery for each event and webhook, and a job for each delivery: each has retries of its own. */
const deliverEvents: Reaction = async (services, events) => {
  const ids = await createDeliveries(services, events)
  return ids.map((deliveryId) => ({ job: sendDeliveryJob, key: deliveryId, data: { deliveryId, from: 0 } }))
}

type Replayed = { deliveryId: string; attempts: number }

/** Tells the receivers of webhooks what happened, by Standard Webhooks 1.0.0. */
export const webhooks: Worker = {
  name: 'webhooks',
  jobs: [],
  outgoing: ({ egress }) => [
    implement(
      sendDeliveryJob,
      async ({ signal, ...services }, { deliveryId, from }) => {
        const ctx = asSystem(services, 'webhooks', '')
        const turn = await openAttempt(ctx, deliveryId)
        if (turn.kind === 'done') return undefined
        if (turn.kind === 'wait') return { again: turn.until }
        const next = await closeAttempt(ctx, turn.due, await send(ctx, egress, turn.due, signal), from)
        return next ? { again: next } : undefined
      },
      (services, { deliveryId }) => endDelivery(asSystem(services, 'webhooks', ''), deliveryId),
    ),
  ],
  reactions: [
    deliverEvents,
    onEvent(['deliveries.replayed'], sendDeliveryJob, {
      key: ({ id, payload }) => `${(payload as Replayed).deliveryId}.${id}`,
      data: ({ payload }) => {
        const { deliveryId, attempts } = payload as Replayed
        return { deliveryId, from: attempts }
      },
    }),
  ],
  owed: async ({ sql, clock }) => {
    const overdue = new Date(clock().getTime() - 60_000)
    const { rows } = await sql.query<{ id: string }>(
      `select id from deliveries where status = 'PENDING' and "nextAttemptAt" < $1 order by "nextAttemptAt" limit 1000`,
      [overdue],
    )
    return rows.map(({ id }) => ({ job: sendDeliveryJob, key: id, data: { deliveryId: id, from: 0 } }))
  },
}

async function send(ctx: Context, egress: Egress, { delivery, webhook }: Due, signal: AbortSignal): Promise<Outcome> {
  const started = performance.now()
  const durationMs = () => Math.round(performance.now() - started)
  const { body, eventId } = delivery
  const signed = signedHeaders(liveSecrets(ctx.env, webhook.secrets, ctx.clock()), {
    id: eventId,
    at: ctx.clock(),
    body,
  })
  const headers = { 'content-type': 'application/json', 'user-agent': 'Tendril-Webhooks/1.0', ...signed }
  try {
    const reply = await egress.send({ method: 'POST', url: webhook.url, headers, body, signal })
    const retryAfterMs = parseRetryAfter(reply.headers['retry-after'], ctx.clock())
    const error = reply.status >= 300 && reply.status < 400 ? 'A redirect is not followed.' : null
    return { status: reply.status, body: reply.body, error, durationMs: durationMs(), retryAfterMs }
  } catch (error) {
    if (!(error instanceof EgressRefused || error instanceof EgressFailed)) throw error
    return { status: null, body: null, error: error.message, durationMs: durationMs(), retryAfterMs: null }
  }
}
