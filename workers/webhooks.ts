import { asSystem } from '../src/context.ts'
import { closeAttempt, endDelivery, openAttempt } from '../src/modules/deliveries/attempts.ts'
import { createDeliveries } from '../src/modules/deliveries/deliveries.ts'
import { sendDeliveryJob } from '../src/modules/deliveries/jobs.ts'
import { implement, onEvent, type Reaction, type Worker } from './implement.ts'
import { sendDelivery } from './webhooks/send.ts'

/** A delivery for each event and webhook, and a job for each delivery: each has retries of its own. */
const deliverEvents: Reaction = async (services, events) => {
  const deliveries = await createDeliveries(services, events)
  const traces = new Map(events.map(({ id, trace }) => [id, trace]))
  return deliveries.map(({ id, eventId }) => ({
    job: sendDeliveryJob,
    key: id,
    data: { deliveryId: id, from: 0 },
    trace: traces.get(eventId) ?? null,
  }))
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
        const next = await closeAttempt(ctx, turn.due, await sendDelivery(ctx, egress, turn.due, signal), from)
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
