import assert from 'node:assert/strict'
import { test } from 'node:test'
import { Webhook as Verifier } from 'standardwebhooks'
import { createWebhook, rotateWebhookSecret, updateWebhook } from '../src/modules/webhooks/webhooks.ts'
import { createEgress } from '../src/platform/egress.ts'
import type { Queue } from '../src/platform/queue/queue.ts'
import { createReceiver, eventually } from '../src/testing/receiver.ts'
import {
  ctx,
  egress,
  find,
  happened,
  make,
  now,
  react,
  receiver,
  send,
  services,
  setNow,
  waitOf,
  world,
} from '../src/testing/webhooks.ts'
import { createLanes } from './webhooks/lanes.ts'
import { sendDelivery } from './webhooks/send.ts'
import { webhooks } from './webhooks.ts'

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
  setNow(new Date(now.getTime() + 25 * 3_600_000))
  await send((await react(happened()))[0] ?? '')
  assert.equal(headers()['webhook-signature']?.split(' ').length, 1)
  const stored = await ctx.db.webhook.findUniqueOrThrow({ where: { id: webhook.id } })
  assert.ok(!JSON.stringify(stored).includes(secret.slice(6)))
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
  for (const events of [['nothing.happened'], ['users'], ['a.b.c.d'], ['users.created; drop'], ['users..created']]) {
    await assert.rejects(create({ events }), { code: 'INVALID', at: ['input', 'events', '0'] }, events.join())
  }
  await assert.rejects(create({ events: [] }), { code: 'INVALID', at: ['input', 'events'] })
  for (const event of ['*', 'users.created', '*.created', 'users.*.created']) await create({ events: [event] })
  await assert.rejects(createWebhook(world.context(ctx.projectId), { name: 'w', url: receiver.url, events: ['*'] }), {
    code: 'FORBIDDEN',
  })
})
