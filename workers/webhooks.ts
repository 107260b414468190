import type { Services } from '../src/context.ts'
import { endUndeliverable, webhooksDue } from '../src/modules/deliveries/attempts.ts'
import { createDeliveries } from '../src/modules/deliveries/deliveries.ts'
import { deliveryReplayed } from '../src/modules/deliveries/events.ts'
import { sendDeliveriesJob } from '../src/modules/deliveries/jobs.ts'
import type { Queue } from '../src/platform/queue/queue.ts'
import { implement, type Reaction, type Worker } from './implement.ts'
import { createLanes, type Lanes } from './webhooks/lanes.ts'
import { sendDelivery } from './webhooks/send.ts'

const duePerTick = 500

/** A delivery for each event and webhook, and one job for all that a batch of events makes due (docs/decisions/0016). */
const deliverEvents: Reaction = async (services, events) => {
  const replayed = events
    .filter(({ type }) => type === deliveryReplayed.name)
    .map(({ payload }) => deliveryReplayed.payload.parse(payload).webhookId)
  const webhookIds = [...new Set([...(await createDeliveries(services, events)), ...replayed])]
  const last = events.at(-1)
  if (webhookIds.length === 0 || !last) return []
  return [{ job: sendDeliveriesJob, key: String(last.seq), data: { webhookIds } }]
}

/** What is to be tried again, and what a worker that died or a queue that came back empty has left. */
async function planDue(services: Services, queue: Queue, now: Date): Promise<boolean> {
  await endUndeliverable(services, duePerTick)
  const webhookIds = await webhooksDue(services, duePerTick)
  // One job for each second, however often the clock asks.
  const key = `due.${Math.floor(now.getTime() / 1_000)}`
  if (webhookIds.length > 0) await queue.enqueue(sendDeliveriesJob, key, { webhookIds })
  return false
}

/** Tells the receivers of webhooks what happened, by Standard Webhooks 1.0.0. */
export const webhooks: Worker = {
  name: 'webhooks',
  jobs: [],
  outgoing: ({ egress, atEnd }) => {
    let lanes: Lanes | undefined
    const open = (services: Services) => {
      lanes ??= createLanes(services, (due) => sendDelivery(services, egress, due))
      return lanes
    }
    atEnd(async () => lanes?.close())
    return [implement(sendDeliveriesJob, (run, { webhookIds }) => open(run).serve(webhookIds))]
  },
  reactions: [deliverEvents],
  due: planDue,
}
