import assert from 'node:assert/strict'
import { test } from 'node:test'
import { closeAttempts, openAttempts } from '../../src/modules/deliveries/attempts.ts'
import { replayDelivery } from '../../src/modules/deliveries/replays.ts'
import { updateWebhook } from '../../src/modules/webhooks/webhooks.ts'
import {
  ctx,
  find,
  happened,
  make,
  now,
  pass,
  react,
  receiver,
  send,
  waitOf,
  world,
} from '../../src/testing/webhooks.ts'

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
