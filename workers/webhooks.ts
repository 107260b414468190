import type { Services } from '../src/context.ts'
import { endUndeliverable, webhooksDue } from '../src/modules/deliveries/attempts.ts'
import { createDeliveries } from '../src/modules/deliveries/deliveries.ts'
import { deliveryReplayed } from '../src/modules/deliveries/events.ts'
import { sendDeliveriesJob } from '../src/modules/deliveries/jobs.ts'
import type { Queue } from '../src/platform/queue/queue.ts'
import { type Implementation, implement, momentOf, type Outside, type Reaction, type Worker } from './implement.ts'
import { createLanes, type Lanes } from './webhooks/lanes.ts'
import { sendDelivery } from './webhooks/send.ts'

const duePerTick = 500

/** One job for what becomes due within so long; the process that has done it hears of the rest. */
const momentMs = 1_000
/** For how long it listens: through the moment, however late the job began in it. */
const listenMs = 3_000
/** What nobody has begun after so long, the clock finds. */
const forgottenMs = 2_000

/** A delivery for each event and webhook, and a job for all of a moment (docs/decisions/0016). */
const deliverEvents: Reaction = async (services, events) => {
  const replayed = events
    .filter(({ type }) => type === deliveryReplayed.name)
    .map(({ payload }) => deliveryReplayed.payload.parse(payload).webhookId)
  const webhookIds = [...new Set([...(await createDeliveries(services, events)), ...replayed])]
  if (webhookIds.length === 0) return []
  return [{ job: sendDeliveriesJob, key: momentOf(momentMs), data: { webhookIds }, isTold: true }]
}

/** What is to be tried again, and what a worker that died or a queue that came back empty has left. */
async function planDue(services: Services, queue: Queue, now: Date): Promise<boolean> {
  await endUndeliverable(services, duePerTick)
  const webhookIds = await webhooksDue(services, duePerTick, forgottenMs)
  // One job for each second, however often the clock asks.
  const key = `due.${Math.floor(now.getTime() / 1_000)}`
  if (webhookIds.length > 0) await queue.enqueue(sendDeliveriesJob, key, { webhookIds })
  return false
}

/** The lanes of this process, which are opened when there is something to send. */
function sender({ egress, atEnd }: Outside): Implementation {
  let lanes: Lanes | undefined
  let listensUntil = 0
  const open = (services: Services) => {
    lanes ??= createLanes(services, (due) => sendDelivery(services, egress, due))
    return lanes
  }
  atEnd(async () => lanes?.close())
  const send = implement(sendDeliveriesJob, async (run, { webhookIds }) => {
    listensUntil = performance.now() + listenMs
    // What was told before this process listened.
    const others = await webhooksDue(run, duePerTick)
    await open(run).serve([...new Set([...webhookIds, ...others])])
  })
  const heard = async (services: Services, data: unknown) => {
    if (performance.now() < listensUntil) await open(services).serve(sendDeliveriesJob.data.parse(data).webhookIds)
  }
  return { ...send, heard }
}

/** Tells the receivers of webhooks what happened, by Standard Webhooks 1.0.0. */
export const webhooks: Worker = {
  name: 'webhooks',
  jobs: [],
  outgoing: (outside) => [sender(outside)],
  reactions: [deliverEvents],
  due: planDue,
}
