import assert from 'node:assert/strict'
import { after, before, beforeEach, test } from 'node:test'
import type { Context } from '../../context.ts'
import { newId } from '../../lib/ids.ts'
import { createWorld, type World } from '../../testing/world.ts'
import '../users/events.ts'
import { createWebhook, updateWebhook } from '../webhooks/webhooks.ts'
import { createDeliveries } from './deliveries.ts'
import { pingWebhook } from './pings.ts'
import { replayDeliveries, replayLimit } from './replays.ts'

let world: World
let ctx: Context
let webhookId: string

before(async () => {
  world = await createWorld()
})
after(() => world.close())
beforeEach(async () => {
  ;({ owner: ctx } = await world.createProject())
  const input = { name: 'w', url: 'https://example.org/', events: ['users.*'] }
  webhookId = (await createWebhook(ctx, input)).webhook.id
})

const at = (minute: number) => new Date(Date.UTC(2026, 10, 1, 12, minute))

/** Deliveries of that status, one at the beginning of each of the minutes. */
async function deliver(status: 'FAILED' | 'SUCCEEDED', minutes: readonly number[]) {
  const data = minutes.map((minute) => ({
    id: newId('dlv'),
    projectId: ctx.projectId,
    webhookId,
    eventId: crypto.randomUUID(),
    eventName: 'users.u.created',
    body: '{}',
    status,
    createdAt: at(minute),
  }))
  await ctx.db.delivery.createMany({ data })
  return data.map(({ id }) => id)
}

const pending = async () =>
  (await ctx.db.delivery.findMany({ where: { webhookId, status: 'PENDING' } })).map(({ id }) => id)
const told = async () =>
  (
    await world.app.sql.query(
      `select payload from events.outbox where type = 'deliveries.replayed' and "projectId" = $1`,
      [ctx.projectId],
    )
  ).rows

test('what failed in that time is sent again, its end excluded; the rest stays', async () => {
  const [, first = '', second = ''] = await deliver('FAILED', [0, 1, 2, 3])
  await deliver('SUCCEEDED', [1, 2])
  await ctx.db.deliveryAttempt.create({
    data: { id: newId('att'), deliveryId: first, number: 1, durationMs: 1, error: 'x' },
  })
  const answer = await replayDeliveries(ctx, { webhookId, from: at(1), to: at(3) })
  assert.deepEqual(answer, { count: 2, hasMore: false })
  assert.deepEqual((await pending()).sort(), [first, second].sort())
  assert.deepEqual(
    (await told()).map(({ payload }) => payload).sort((a, b) => b.attempts - a.attempts),
    [
      { webhookId, deliveryId: first, attempts: 1 },
      { webhookId, deliveryId: second, attempts: 0 },
    ],
  )
  assert.deepEqual(await replayDeliveries(ctx, { webhookId, from: at(1), to: at(3) }), { count: 0, hasMore: false })
})

test('a call is bounded, takes the oldest, and says that there are more', async () => {
  const ids = await deliver(
    'FAILED',
    Array.from({ length: replayLimit + 2 }, (_, i) => Math.floor(i / 60)),
  )
  const span = { webhookId, from: at(0), to: at(59) }
  assert.deepEqual(await replayDeliveries(ctx, span), { count: replayLimit, hasMore: true })
  assert.deepEqual((await pending()).sort(), ids.slice(0, replayLimit).sort())
  assert.deepEqual(await replayDeliveries(ctx, span), { count: 2, hasMore: false })
})

test('refused: another’s, a disabled one’s, a time that ends before it begins, and by whom it is not for', async () => {
  await deliver('FAILED', [1])
  const span = { webhookId, from: at(0), to: at(2) }
  const { owner: stranger } = await world.createProject()
  await assert.rejects(replayDeliveries(stranger, span), { code: 'NOT_FOUND' })
  await assert.rejects(pingWebhook(stranger, webhookId), { code: 'NOT_FOUND' })
  await assert.rejects(replayDeliveries(ctx, { ...span, to: at(0) }), { code: 'INVALID', at: ['input', 'to'] })
  const guest = world.context(ctx.projectId)
  await assert.rejects(replayDeliveries(guest, span), { code: 'FORBIDDEN' })
  await assert.rejects(pingWebhook(guest, webhookId), { code: 'FORBIDDEN' })
  await updateWebhook(ctx, webhookId, { enabled: false })
  await assert.rejects(replayDeliveries(ctx, span), { code: 'CONFLICT' })
  await assert.rejects(pingWebhook(ctx, webhookId), { code: 'CONFLICT' })
  assert.deepEqual([await pending(), await told()], [[], []])
})

test('a ping is one delivery, to that webhook alone, whatever its patterns and those of others', async () => {
  await createWebhook(ctx, { name: 'all', url: 'https://example.org/', events: ['*', 'webhooks.pinged'] })
  const delivery = await pingWebhook(ctx, webhookId)
  const { rows } = await world.app.sql.query(
    `select * from events.outbox where type = 'webhooks.pinged' and "projectId" = $1`,
    [ctx.projectId],
  )
  const [event] = rows
  assert.deepEqual([event.id, event.name], [delivery.eventId, delivery.eventName])
  const told = await createDeliveries(world.app, [{ ...event, seq: 1n, prev: 0n, at: new Date() }])
  assert.deepEqual(told, [webhookId])
  assert.deepEqual(await ctx.db.delivery.findMany({ where: { projectId: ctx.projectId } }), [delivery])
  assert.deepEqual(JSON.parse(delivery.body).data, { webhookId })
})
