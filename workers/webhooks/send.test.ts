import assert from 'node:assert/strict'
import { once } from 'node:events'
import { createServer } from 'node:https'
import type { AddressInfo } from 'node:net'
import { after, before, test } from 'node:test'
import type { Context } from '../../src/context.ts'
import '../../src/modules/users/events.ts'
import { createWebhook, type NewWebhook, updateWebhook } from '../../src/modules/webhooks/webhooks.ts'
import { createEgress } from '../../src/platform/egress.ts'
import { createReceiver } from '../../src/testing/receiver.ts'
import { selfSigned } from '../../src/testing/tls.ts'
import { createWorld, type World } from '../../src/testing/world.ts'
import { sendDelivery } from './send.ts'

let world: World
let ctx: Context
let receiver: Awaited<ReturnType<typeof createReceiver>>
const egress = createEgress(['127.0.0.0/8'])

before(async () => {
  world = await createWorld()
  ;({ owner: ctx } = await world.createProject())
  receiver = await createReceiver()
})
after(async () => {
  receiver.close()
  await egress.close()
  await world.close()
})

const canary = 'canary-4711'
const make = async (changes: Partial<NewWebhook> = {}) =>
  (await createWebhook(ctx, { name: 'w', url: receiver.url, events: ['users.*'], ...changes })).webhook

async function send(webhookId: string) {
  const webhook = await ctx.db.webhook.findUniqueOrThrow({ where: { id: webhookId } })
  return sendDelivery(ctx, egress, { eventId: crypto.randomUUID(), body: '{"a":"ä"}', webhook, trace: null })
}

test('headers and a login are sent, kept encrypted, and shown to nobody', async () => {
  const headers = [{ name: 'X-Api-Key', value: canary }]
  const { id } = await make({ headers, basicAuth: { username: 'jörg', password: `${canary}:ü` } })
  receiver.answer = { status: 201, headers: { 'x-answer': 'a', 'set-cookie': 'b' }, body: 'thanks' }
  const outcome = await send(id)
  const sent: Record<string, unknown> = receiver.received.at(-1)?.headers ?? {}
  assert.equal(sent['x-api-key'], canary)
  assert.equal(sent.authorization, `Basic ${Buffer.from(`jörg:${canary}:ü`).toString('base64')}`)
  assert.deepEqual([outcome.requestHeaders['x-api-key'], outcome.requestHeaders.authorization], ['***', '***'])
  assert.equal(outcome.requestHeaders['webhook-signature'], sent['webhook-signature'])
  assert.deepEqual([outcome.responseHeaders?.['x-answer'], outcome.responseHeaders?.['set-cookie']], ['a', 'b'])
  assert.deepEqual([outcome.status, outcome.body], [201, 'thanks'])
  const row = await ctx.db.webhook.findUniqueOrThrow({ where: { id } })
  assert.ok(!JSON.stringify([row, outcome]).includes(canary))
})

test('they are replaced and taken away', async () => {
  const { id } = await make({
    headers: [{ name: 'x-a', value: '1' }],
    basicAuth: { username: 'u', password: 'p' },
  })
  await updateWebhook(ctx, id, { headers: [{ name: 'x-b', value: '2' }] })
  await send(id)
  const first = receiver.received.at(-1)?.headers ?? {}
  assert.deepEqual([first['x-a'], first['x-b'], first.authorization], [undefined, '2', 'Basic dTpw'])
  await updateWebhook(ctx, id, { headers: [], basicAuth: null })
  await send(id)
  const second = receiver.received.at(-1)?.headers ?? {}
  assert.deepEqual([second['x-b'], second.authorization], [undefined, undefined])
})

test('what would break the request or stand for its signature is refused', async () => {
  const count = await ctx.db.webhook.count()
  const named = (name: string, value = 'x') => make({ headers: [{ name, value }] })
  const names = [
    'Host',
    'content-length',
    'Transfer-Encoding',
    'webhook-signature',
    'Webhook-Id',
    'content-type',
    'a b',
    '',
  ]
  for (const name of names)
    await assert.rejects(named(name), { code: 'INVALID', at: ['input', 'headers', '0', 'name'] }, name)
  for (const value of ['a\r\nb: c', 'a\0', '💥', 'x'.repeat(4_097)])
    await assert.rejects(named('x-a', value), { code: 'INVALID', at: ['input', 'headers', '0', 'value'] })
  const many = Array.from({ length: 33 }, (_, i) => ({ name: `x-${i}`, value: '' }))
  await assert.rejects(make({ headers: many }), { code: 'INVALID' })
  for (const login of [
    { username: 'a:b', password: '' },
    { username: '', password: '' },
    { username: 'a', password: 'a\n' },
  ])
    await assert.rejects(make({ basicAuth: login }), { code: 'INVALID' })
  const both = { headers: [{ name: 'Authorization', value: 'x' }], basicAuth: { username: 'a', password: 'b' } }
  await assert.rejects(make(both), { code: 'INVALID', at: ['input', 'headers'] })
  assert.equal(await ctx.db.webhook.count(), count)
})

test('a certificate is checked unless the webhook says otherwise', async () => {
  let requests = 0
  const server = createServer(selfSigned(), (req, res) => {
    requests += 1
    req.resume().on('end', () => res.end('ok'))
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  const url = `https://localhost:${(server.address() as AddressInfo).port}/`
  const { id, verifyTls } = await make({ url })
  const refused = await send(id)
  assert.deepEqual(
    [verifyTls, refused.status, refused.error, requests],
    [true, null, 'The certificate is self-signed.', 0],
  )
  await updateWebhook(ctx, id, { verifyTls: false })
  assert.deepEqual([(await send(id)).status, requests], [200, 1])
  await updateWebhook(ctx, id, { verifyTls: true })
  // The connection that was not checked is open still.
  assert.deepEqual([(await send(id)).status, requests], [null, 1])
  server.closeAllConnections()
  server.close()
})

test('a long answer is cut', async () => {
  const { id } = await make()
  const many = Object.fromEntries(Array.from({ length: 90 }, (_, i) => [`x-${i}`, 'y']))
  receiver.answer = { status: 200, headers: { ...many, 'x-0': 'z'.repeat(5_000) }, body: 'b'.repeat(100_000) }
  const outcome = await send(id)
  assert.equal(Object.keys(outcome.responseHeaders ?? {}).length, 64)
  assert.equal(outcome.responseHeaders?.['x-0']?.length, 1_024)
  assert.equal(outcome.body?.length, 65_536)
})
