/** What tests of webhooks share. Importing it makes a world for the file that does. */
import { after, before, beforeEach } from 'node:test'
import { webhooks } from '../../workers/webhooks.ts'
import type { Context } from '../context.ts'
import type { LoggedEvent } from '../logged-event.ts'
import { createWebhook, type WebhookWithSecret } from '../modules/webhooks/webhooks.ts'
import '../modules/sessions/events.ts'
import '../modules/users/events.ts'
import { createEgress } from '../platform/egress.ts'
import { createMailer } from '../platform/mail.ts'
import { createReceiver } from './receiver.ts'
import { createWorld, type World } from './world.ts'

export let world: World
export let ctx: Context
export let receiver: Awaited<ReturnType<typeof createReceiver>>
export let now = new Date()
export const egress = createEgress(['127.0.0.0/8'])
const signal = new AbortController().signal

before(async () => {
  world = await createWorld()
})
after(async () => {
  await egress.close()
  await world.close()
})
beforeEach(async (t) => {
  now = new Date()
  receiver = await createReceiver()
  ;({ owner: ctx } = await world.createProject())
  ctx = { ...ctx, clock: () => now }
  if ('after' in t) t.after(receiver.close)
})

/** A webhook of the project that each test has for itself, as it has a receiver. */
export const make = (events: string[] = ['users.*']): Promise<WebhookWithSecret> =>
  createWebhook(ctx, { name: 'w', url: receiver.url, events })

let seq = 0n
export const happened = (type = 'users.created'): LoggedEvent => {
  seq += 1n
  const [noun, action] = type.split('.')
  return {
    seq,
    prev: 0n,
    id: crypto.randomUUID(),
    projectId: ctx.projectId,
    name: `${noun}.x.${action}`,
    type,
    aggregate: `${noun}.x`,
    payload: { userId: 'x', text: 'ä€😀' },
    actorKind: 'system',
    actorId: null,
    at: now,
  }
}
export const services = () => ({ ...world.app, clock: () => now, key: 'k', signal })
/** Reacts to an event as the bridge does, and answers the ids of its deliveries. */
export const react = async (event: LoggedEvent) => {
  await webhooks.reactions[0]?.(services(), [event])
  const found = await ctx.db.delivery.findMany({ where: { eventId: event.id } })
  return found.map(({ id }) => id)
}
/** What a worker of its own does of what is due to the receiver of a delivery. */
export const send = async (deliveryId: string, door = egress) => {
  const { webhookId } = await find(deliveryId)
  const ends: (() => Promise<void>)[] = []
  const outside = {
    egress: door,
    mailer: createMailer(world.env),
    atEnd: (wait: () => Promise<void>) => ends.push(wait),
  }
  const [job] = webhooks.outgoing?.(outside) ?? []
  await job?.run(services(), { webhookIds: [webhookId] })
  for (const wait of ends) await wait()
}
export const find = (id: string) =>
  ctx.db.delivery.findUniqueOrThrow({
    where: { id },
    include: { attempts: { orderBy: { number: 'asc' } }, webhook: true },
  })
/** In how many seconds it is tried again. */
export const waitOf = async (id: string) =>
  ((await find(id)).nextAttemptAt?.getTime() ?? Number.NaN) / 1_000 - Date.now() / 1_000
/** As if that much time had passed. */
export const pass = (seconds: number) =>
  world.app.sql.query(
    `with moved as (update deliveries set "nextAttemptAt" = "nextAttemptAt" - $1 * interval '1 s')
     update webhooks set "failingSince" = "failingSince" - $1 * interval '1 s'`,
    [seconds],
  )

export function setNow(time: Date): void {
  now = time
}
