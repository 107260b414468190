import assert from 'node:assert/strict'
import { after, before, beforeEach, test } from 'node:test'
import { Webhook as Verifier } from 'standardwebhooks'
import type { Context } from '../src/context.ts'
import type { LoggedEvent } from '../src/logged-event.ts'
import { closeAttempts, openAttempts } from '../src/modules/deliveries/attempts.ts'
import { replayDelivery } from '../src/modules/deliveries/replays.ts'
import {
  createWebhook,
  rotateWebhookSecret,
  updateWebhook,
  type WebhookWithSecret,
} from '../src/modules/webhooks/webhooks.ts'
import type { Queue } from '../src/platform/queue/queue.ts'
import '../src/modules/sessions/events.ts'
import '../src/modules/users/events.ts'
import { createEgress } from '../src/platform/egress.ts'
import { createMailer } from '../src/platform/mail.ts'
import { createReceiver, eventually } from '../src/testing/receiver.ts'
import { createWorld, type World } from '../src/testing/world.ts'
import { createLanes } from './webhooks/lanes.ts'
import { sendDelivery } from './webhooks/send.ts'
import { webhooks } from './webhooks.ts'

let world: World
let ctx: Context
let receiver: Awaited<ReturnType<typeof createReceiver>>
let now = new Date('2026-11-23T12:00:00Z')
const egress = createEgress(['127.0.0.0/8'])
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

const make = (events: string[] = ['users.*']): Promise<WebhookWithSecret> =>
  createWebhook(ctx, { name: 'w', url: receiver.url, events })

let seq = 0n
const happened = (type = 'users.created'): LoggedEvent => {
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
const services = () => ({ ...world.app, clock: () => now, key: 'k', signal })
/** Reacts to an event as the bridge does, and answers the ids of its deliveries. */
const react = async (event: LoggedEvent) => {
  await webhooks.reactions[0]?.(services(), [event])
  const found = await ctx.db.delivery.findMany({ where: { eventId: event.id } })
  return found.map(({ id }) => id)
}
/** What a worker of its own does of what is due to the receiver of a delivery. */
const send = async (deliveryId: string, door = egress) => {
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
const find = (id: string) =>
  ctx.db.delivery.findUniqueOrThrow({
    where: { id },
    include: { attempts: { orderBy: { number: 'asc' } }, webhook: true },
  })
/** In how many seconds it is tried again. */
const waitOf = async (id: string) =>
  ((await find(id)).nextAttemptAt?.getTime() ?? Number.NaN) / 1_000 - Date.now() / 1_000
/** As if that much time had passed. */
const pass = (seconds: number) =>
  world.app.sql.query(
    `with moved as (update deliveries set "nextAttemptAt" = "nextAttemptAt" - $1 * interval '1 s')
     update webhooks set "failingSince" = "failingSince" - $1 * interval '1 s'`,
    [seconds],
  )

test('an event that a pattern names is delivered, and verifies with the package standardwebhooks', async () => {
  const { secret } = await make()
  const event = happened()
  const [id = ''] = await react(event)
  await send(id)
  const [request] = receiver.received
  assert.ok(request)
  const headers = request.headers as Record<string, string>
  assert.deepEqual(new Verifier(secret).verify(request.body, headers), {
    type: 'users.created',
    name: event.name,
    timestamp: event.at.toISOString(),
    data: event.payload,
  })
  assert.equal(headers['webhook-id'], event.id)
  const delivery = await find(id)
  assert.deepEqual(
    [delivery.status, delivery.nextAttemptAt, delivery.attempts[0]?.responseStatus],
    ['SUCCEEDED', null, 200],
  )
  await assert.rejects(async () => new Verifier(secret).verify(`${request.body} `, headers))
})

test('what no pattern names, another project’s events and a disabled webhook’s are not delivered', async () => {
  const { webhook } = await make(['webhooks.*'])
  assert.deepEqual(await react(happened()), [])
  await updateWebhook(ctx, webhook.id, { events: ['users.x.created'] })
  assert.equal((await react(happened())).length, 1)
  assert.deepEqual(await react({ ...happened(), projectId: 'prj_other' }), [])
  await updateWebhook(ctx, webhook.id, { enabled: false })
  assert.deepEqual(await react(happened()), [])
})

test('the same event twice is one delivery, and two workers at once send once', async () => {
  await make()
  const event = happened()
  const [id = ''] = await react(event)
  assert.deepEqual(await react(event), [id])
  receiver.answer = { status: 200, afterMs: 100 }
  await Promise.all([send(id), send(id), send(id)])
  assert.equal(receiver.received.length, 1)
})

test('while a secret rotates both sign, a day later the new one alone', async () => {
  const { secret: old, webhook } = await make()
  const { secret } = await rotateWebhookSecret(ctx, webhook.id)
  const first = (await react(happened()))[0] ?? ''
  await send(first)
  const headers = () => receiver.received.at(-1)?.headers as Record<string, string>
  const body = () => receiver.received.at(-1)?.body ?? ''
  for (const each of [old, secret]) new Verifier(each).verify(body(), headers())
  assert.equal(headers()['webhook-signature']?.split(' ').length, 2)
  now = new Date(now.getTime() + 25 * 3_600_000)
  await send((await react(happened()))[0] ?? '')
  assert.equal(headers()['webhook-signature']?.split(' ').length, 1)
  const stored = await ctx.db.webhook.findUniqueOrThrow({ where: { id: webhook.id } })
  assert.ok(!JSON.stringify(stored).includes(secret.slice(6)))
})

test('the schedule: ten attempts over more than three days, then given up', async () => {
  await make()
  receiver.answer = { status: 500, body: 'x'.repeat(100_000) }
  const [id = ''] = await react(happened())
  const waits: number[] = []
  for (;;) {
    await send(id)
    const wait = await waitOf(id)
    if (Number.isNaN(wait)) break
    waits.push(wait)
    await pass(wait + 1)
  }
  const planned = [5, 300, 1_800, 7_200, 18_000, 36_000, 50_400, 72_000, 86_400]
  assert.equal(waits.length, planned.length)
  for (const [i, wait] of planned.entries())
    assert.ok((waits[i] ?? 0) >= wait - 3 && (waits[i] ?? 0) <= wait * 1.2 + 1, `${waits}`)
  const delivery = await find(id)
  assert.deepEqual([delivery.status, delivery.attempts.length, receiver.received.length], ['FAILED', 10, 10])
  assert.ok((delivery.attempts[0]?.responseBody?.length ?? Infinity) <= 65_536)
  assert.equal(new Set(receiver.received.map(({ headers }) => headers['webhook-id'])).size, 1)
  assert.equal(new Set(receiver.received.map(({ body }) => body)).size, 1)
})

test('Retry-After makes the next attempt later, in seconds or as a date', async () => {
  await make()
  receiver.answer = { status: 503, headers: { 'retry-after': '120' } }
  const [first = ''] = await react(happened())
  await send(first)
  assert.ok(Math.abs((await waitOf(first)) - 120) < 3)
  receiver.answer = { status: 429, headers: { 'retry-after': new Date(now.getTime() + 600_000).toUTCString() } }
  const [second = ''] = await react(happened())
  await send(second)
  assert.ok((await waitOf(second)) > 590)
})

test('410 disables the webhook, and says so in an event', async () => {
  const { webhook } = await make()
  receiver.answer = { status: 410 }
  const [id = ''] = await react(happened())
  await send(id)
  const delivery = await find(id)
  assert.deepEqual([delivery.status, delivery.webhook.enabled], ['FAILED', false])
  assert.match(delivery.webhook.disabledReason ?? '', /410/)
  const { rows } = await world.app.sql.query(
    `select "projectId", payload from events.outbox where type = 'webhooks.disabled'`,
  )
  const told = rows.find(({ payload }) => payload.webhookId === webhook.id)
  assert.equal(told?.projectId, ctx.projectId)
})

test('a redirect is not followed and not a success', async () => {
  await make()
  const other = await createReceiver()
  receiver.answer = { status: 307, headers: { location: other.url } }
  const [id = ''] = await react(happened())
  await send(id)
  assert.ok((await waitOf(id)) > 0)
  assert.equal(other.received.length, 0)
  assert.match((await find(id)).attempts[0]?.error ?? '', /redirect/)
  other.close()
})

test('five days of failures disable the webhook; a success before that forgets them', async () => {
  const { webhook } = await make()
  receiver.answer = { status: 500 }
  await send((await react(happened()))[0] ?? '')
  const failingSince = async () => (await ctx.db.webhook.findUniqueOrThrow({ where: { id: webhook.id } })).failingSince
  assert.ok(await failingSince())
  receiver.answer = { status: 204 }
  await send((await react(happened()))[0] ?? '')
  assert.equal(await failingSince(), null)
  receiver.answer = { status: 500 }
  await send((await react(happened()))[0] ?? '')
  await pass(5 * 86_400 + 1)
  await send((await react(happened()))[0] ?? '')
  const { enabled, disabledReason } = await ctx.db.webhook.findUniqueOrThrow({ where: { id: webhook.id } })
  assert.equal(enabled, false)
  assert.match(disabledReason ?? '', /five days/)
})

test('a delivery that failed can be replayed: same id, same body, a schedule from the beginning', async () => {
  await make()
  receiver.answer = { status: 410 }
  const [id = ''] = await react(happened())
  await send(id)
  await assert.rejects(replayDelivery(ctx, id), { code: 'CONFLICT' })
  const { webhookId } = await find(id)
  await updateWebhook(ctx, webhookId, { enabled: true })
  await replayDelivery(ctx, id)
  await assert.rejects(replayDelivery(ctx, id), { code: 'CONFLICT' })
  receiver.answer = { status: 500 }
  await send(id)
  assert.ok((await waitOf(id)) <= 6)
  assert.equal(receiver.received[0]?.body, receiver.received[1]?.body)
  await assert.rejects(replayDelivery(world.context(ctx.projectId), id), { code: 'FORBIDDEN' })
  const { owner: stranger } = await world.createProject()
  await assert.rejects(replayDelivery(stranger, id), { code: 'NOT_FOUND' })
})

test('an attempt that was cut off is made again under the next number', async () => {
  await make()
  const [id = ''] = await react(happened())
  const { webhookId } = await find(id)
  const [cut] = await openAttempts(world.app, [{ webhookId, free: 1 }])
  assert.ok(cut)
  await send(id)
  assert.equal(receiver.received.length, 0)
  await pass(61)
  await send(id)
  // Who was taken for dead may still say that it failed: that plans nothing.
  const outcome = {
    requestHeaders: {},
    status: 500,
    responseHeaders: {},
    body: '',
    error: null,
    durationMs: 1,
    retryAfterMs: null,
  }
  await closeAttempts(world.app, [{ ...cut, attemptId: 'att_zombie', outcome }])
  assert.equal((await find(id)).status, 'SUCCEEDED')
  assert.deepEqual(
    (await find(id)).attempts.map(({ number, error }) => [number, error === null]),
    [
      [1, false],
      [2, true],
    ],
  )
})

test('a private address is refused where the operator has not allowed it', async () => {
  await make()
  const [id = ''] = await react(happened())
  const guarded = createEgress([])
  await send(id, guarded)
  await guarded.close()
  assert.equal(receiver.received.length, 0)
  assert.match((await find(id)).attempts[0]?.error ?? '', /not a public address/)
})

test('a receiver that hangs holds up nobody but itself', async () => {
  const slow = await createReceiver({ status: 200, afterMs: 60_000 })
  const { webhook: hanging } = await createWebhook(ctx, { name: 'slow', url: slow.url, events: ['users.*'] })
  const { webhook: other } = await make()
  const lanes = createLanes(world.app, (due) =>
    due.webhook.id === hanging.id ? new Promise(() => {}) : sendDelivery(world.app, egress, due),
  )
  for (let i = 0; i < 15; i++) await react(happened())
  await lanes.serve([hanging.id, other.id])
  await eventually(() => assert.equal(receiver.received.length, 15))
  const attempts = { where: { delivery: { webhookId: hanging.id } } }
  assert.equal(await ctx.db.deliveryAttempt.count(attempts), 10)
  await lanes.serve([hanging.id])
  assert.equal(await ctx.db.deliveryAttempt.count(attempts), 10)
  slow.close()
})

test('the clock finds what is due when nobody says it, and ends what is due to a webhook that is disabled', async () => {
  const { webhook } = await make()
  const [id = ''] = await react(happened())
  const { webhook: disabled } = await make(['sessions.*'])
  const [ended = ''] = await react(happened('sessions.created'))
  await updateWebhook(ctx, disabled.id, { enabled: false })
  const asked: string[] = []
  const enqueue: Queue['enqueue'] = async (_job, _key, data) => void asked.push(JSON.stringify(data))
  const ask = () => webhooks.due?.(services(), { enqueue } as Queue, now)
  await ask()
  assert.ok(!asked.join().includes(webhook.id))
  await world.app.sql.query(`update deliveries set "createdAt" = now() - interval '1 min'`)
  await ask()
  assert.ok(asked.join().includes(webhook.id) && !asked.join().includes(disabled.id))
  assert.deepEqual([(await find(id)).status, (await find(ended)).status], ['PENDING', 'FAILED'])
})

test('bad input', async () => {
  const create = (input: object) => createWebhook(ctx, { name: 'w', url: receiver.url, events: ['users.*'], ...input })
  for (const url of ['nonsense', 'ftp://example.org', 'http://a:b@example.org']) {
    await assert.rejects(create({ url }), { code: 'INVALID', at: ['input', 'url'] }, url)
  }
  for (const events of [
    [],
    ['nothing.happened'],
    ['users'],
    ['a.b.c.d'],
    ['users.created; drop'],
    ['users..created'],
  ]) {
    await assert.rejects(create({ events }), { code: 'INVALID', at: ['input', 'events'] }, events.join())
  }
  for (const events of [
    ['*'],
    ['users.created'],
    ['*.created'],
    ['users.*.created'],
    ['databases.*.collections.posts.*.*.*'],
  ]) {
    if (events[0] !== 'databases.*.collections.posts.*.*.*') await create({ events })
  }
  await assert.rejects(createWebhook(world.context(ctx.projectId), { name: 'w', url: receiver.url, events: ['*'] }), {
    code: 'FORBIDDEN',
  })
})
