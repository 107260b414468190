import assert from 'node:assert/strict'
import { randomUUID } from 'node:crypto'
import { test } from 'node:test'
import type { Actor } from '../src/context.ts'
import { newId } from '../src/lib/ids.ts'
import { operate } from '../src/testing/operation.ts'
import { createStage } from '../src/testing/stage.ts'

const { world, schemas, owner: ctx } = await createStage()

const create =
  'mutation ($input: CreateWebhookInput!) { createWebhook(input: $input) { secret webhook { id enabled events } } }'
const input = { name: 'w', url: 'https://example.org/hook', events: ['users.*'] }
const make = async (by = ctx) => (await operate(schemas, by, create, { input })).data?.createWebhook
const key = (...scopes: string[]) => world.context(ctx.projectId, { kind: 'key', id: 'key_1', scopes: new Set(scopes) })

test('a webhook is made, read, listed, changed and deleted; its secret is shown once', async () => {
  const { secret, webhook } = await make()
  assert.match(secret, /^whsec_[A-Za-z0-9+/]{43}=$/)
  assert.deepEqual([webhook.enabled, webhook.events], [true, ['users.*']])
  const { id } = webhook
  const list = await operate(schemas, ctx, '{ webhooks { totalCount nodes { id name url disabledReason } } }')
  assert.equal(list.data?.webhooks.totalCount, 1)
  const change = 'mutation ($input: UpdateWebhookInput!) { updateWebhook(input: $input) { name enabled url } }'
  const changed = await operate(schemas, ctx, change, { input: { id, name: 'x', enabled: false } })
  assert.deepEqual(changed.data?.updateWebhook, { name: 'x', enabled: false, url: input.url })
  const rotate = 'mutation ($id: ID!) { rotateWebhookSecret(id: $id) { secret webhook { id } } }'
  const rotated = await operate(schemas, ctx, rotate, { id })
  assert.notEqual(rotated.data?.rotateWebhookSecret.secret, secret)
  const gone = await operate(schemas, ctx, 'mutation ($id: ID!) { deleteWebhook(id: $id) }', { id })
  assert.deepEqual(gone.data, { deleteWebhook: id })
  const none = await operate(schemas, ctx, 'query ($id: ID!) { webhook(id: $id) { id } }', { id })
  assert.deepEqual(none.data, { webhook: null })
})

test('invalid input is said with its path', async () => {
  for (const [wrong, path] of [
    [{ url: 'file:///etc/passwd' }, 'input.url'],
    [{ events: ['no.such'] }, 'input.events.0'],
    [{ events: [] }, 'input.events'],
    [{ name: '' }, 'input.name'],
  ] as const) {
    const { errors } = await operate(schemas, ctx, create, { input: { ...input, ...wrong } })
    assert.match(errors[0] ?? '', new RegExp(`^INVALID .*\\(${path}\\)$`), JSON.stringify(wrong))
  }
})

test('a key that may not read documents has no events of documents sent to itself, and reads none', async () => {
  const patterns = ['*', '*.created', 'documents.*', 'databases.*.collections.*.documents.*.updated']
  const [blind, sighted] = [key('webhooks.write', 'webhooks.read'), key('webhooks.write', 'documents.read')]
  for (const pattern of patterns) {
    const asked = { input: { ...input, events: ['users.*', pattern] } }
    assert.match((await operate(schemas, blind, create, asked)).errors[0] ?? '', /^FORBIDDEN/, pattern)
    assert.deepEqual((await operate(schemas, sighted, create, asked)).errors, [], pattern)
  }
  const all = { input: { ...input, events: ['*'] } }
  const { webhook } = (await operate(schemas, ctx, create, all)).data?.createWebhook ?? {}
  const change = 'mutation ($input: UpdateWebhookInput!) { updateWebhook(input: $input) { url } }'
  const turned = { input: { id: webhook.id, url: 'https://other.example' } }
  assert.match((await operate(schemas, blind, change, turned)).errors[0] ?? '', /^FORBIDDEN/)
  for (const harmless of [{ name: 'Documents' }, { enabled: false }])
    assert.deepEqual((await operate(schemas, blind, change, { input: { id: webhook.id, ...harmless } })).errors, [])
  const again = { input: { id: webhook.id, enabled: true } }
  assert.match((await operate(schemas, blind, change, again)).errors[0] ?? '', /^FORBIDDEN/)
  assert.deepEqual((await operate(schemas, ctx, change, again)).errors, [])
  const rows = ['databases.db_1.collections.posts.documents.p1.created', 'users.usr_1.created'].map((eventName) => ({
    ...{ id: newId('dlv'), projectId: ctx.projectId, webhookId: webhook.id, eventId: randomUUID(), eventName },
    body: '{}',
  }))
  await ctx.db.delivery.createMany({ data: rows })
  const list = 'query ($id: ID!) { webhook(id: $id) { deliveries { totalCount nodes { eventName } } } }'
  const { data } = await operate(schemas, blind, list, webhook)
  assert.deepEqual(data?.webhook.deliveries, { totalCount: 1, nodes: [{ eventName: 'users.usr_1.created' }] })
  const lessened = { input: { ...turned.input, events: ['users.*'] } }
  assert.match((await operate(schemas, blind, change, lessened)).errors[0] ?? '', /^FORBIDDEN/)
  await operate(schemas, ctx, change, { input: { id: webhook.id, events: ['users.*'] } })
  // Some still wait of what it was for before.
  const open = { input: { id: webhook.id, verifyTls: false } }
  for (const asked of [turned, open, { input: { ...turned.input, enabled: false } }])
    assert.match(
      (await operate(schemas, blind, change, asked)).errors[0] ?? '',
      /^FORBIDDEN Deliveries of documents wait/,
    )
  assert.deepEqual((await operate(schemas, blind, change, { input: { id: webhook.id, name: 'n' } })).errors, [])
  assert.deepEqual((await operate(schemas, sighted, change, { input: { id: webhook.id, url: input.url } })).errors, [])
  const waitingDocument = { webhookId: webhook.id, eventName: rows[0]?.eventName ?? '' }
  await ctx.db.delivery.updateMany({ where: waitingDocument, data: { status: 'FAILED' } })
  assert.deepEqual((await operate(schemas, blind, change, turned)).errors, [])
  await ctx.db.delivery.updateMany({ where: { webhookId: webhook.id }, data: { status: 'FAILED' } })
  const time = `from: "2000-01-01T00:00:00.000Z", to: "${new Date(Date.now() + 60_000).toISOString()}"`
  const replay = `mutation { replayDeliveries(input: { webhookId: "${webhook.id}", ${time} }) { count hasMore } }`
  assert.deepEqual((await operate(schemas, blind, replay)).data?.replayDeliveries, { count: 1, hasMore: false })
  const waiting = await ctx.db.delivery.findMany({ where: { webhookId: webhook.id, status: 'PENDING' } })
  assert.deepEqual(
    waiting.map(({ eventName }) => eventName),
    ['users.usr_1.created'],
  )
  await operate(schemas, ctx, 'mutation ($id: ID!) { deleteWebhook(id: $id) }', webhook)
})

test('headers and a login go in and do not come out; whether certificates are checked is told', async () => {
  const secrets = {
    headers: [{ name: 'X-Key', value: 'canary-1' }],
    basicAuth: { username: 'u', password: 'canary-2' },
  }
  const source = `mutation ($input: CreateWebhookInput!) { createWebhook(input: $input) {
    webhook { id headerNames username verifyTls } } }`
  const made = await operate(schemas, ctx, source, { input: { ...input, ...secrets, verifyTls: false } })
  const { id, ...shown } = made.data?.createWebhook.webhook ?? {}
  assert.deepEqual(shown, { headerNames: ['x-key'], username: 'u', verifyTls: false })
  const change = `mutation ($input: UpdateWebhookInput!) { updateWebhook(input: $input) { headerNames username } }`
  const same = await operate(schemas, ctx, change, { input: { id, name: 'n' } })
  assert.deepEqual(same.data?.updateWebhook, { headerNames: ['x-key'], username: 'u' })
  const gone = await operate(schemas, ctx, change, { input: { id, headers: [], basicAuth: null } })
  assert.deepEqual(gone.data?.updateWebhook, { headerNames: [], username: null })
  const taken = { input: { ...input, headers: [{ name: 'webhook-id', value: 'x' }] } }
  assert.match((await operate(schemas, ctx, create, taken)).errors[0] ?? '', /^INVALID .*\(input\.headers\.0\.name\)$/)
})

test('another project’s webhook is as one that is not', async () => {
  const { webhook } = await make()
  const { owner: stranger } = await world.createProject()
  const { id } = webhook
  for (const source of ['deleteWebhook(id: $id)', 'rotateWebhookSecret(id: $id) { secret }']) {
    const refused = await operate(schemas, stranger, `mutation ($id: ID!) { ${source} }`, { id })
    const missing = await operate(schemas, stranger, `mutation ($id: ID!) { ${source} }`, { id: 'whk_none' })
    assert.deepEqual(refused, missing)
    assert.match(refused.errors[0] ?? '', /^NOT_FOUND/)
  }
  const read = await operate(schemas, stranger, 'query ($id: ID!) { webhook(id: $id) { id } }', { id })
  assert.deepEqual(read.data, { webhook: null })
})

test('a key needs the scope; end users and guests see no trace of it', async () => {
  assert.ok(await make(key('webhooks.write')))
  const user: Actor = { kind: 'user', id: 'usr_1', sessionId: 's', verified: true, labels: [] }
  for (const other of [key('users.read'), world.context(ctx.projectId), world.context(ctx.projectId, user)]) {
    const { data } = await operate(schemas, other, '{ __schema { types { name fields { name } } } }')
    assert.ok(!/webhook|deliver/i.test(JSON.stringify(data)))
    assert.ok((await operate(schemas, other, '{ webhooks { totalCount } }')).errors.length > 0)
  }
})

test('deliveries and their attempts are read, and one is replayed', async () => {
  const { webhook } = await make()
  const { id: webhookId } = webhook
  const id = newId('dlv')
  await ctx.db.delivery.create({
    data: {
      id,
      projectId: ctx.projectId,
      webhookId,
      eventId: crypto.randomUUID(),
      eventName: 'users.usr_1.created',
      body: '{}',
      status: 'FAILED',
      attempts: { create: { id: newId('att'), number: 1, responseStatus: 500, responseBody: 'no', durationMs: 3 } },
    },
  })
  const source = `query ($id: ID!) { webhook(id: $id) { deliveries { totalCount nodes {
    id status eventName attempts { number responseStatus responseBody error durationMs } } } } }`
  const { data, errors } = await operate(schemas, ctx, source, { id: webhookId })
  assert.deepEqual(errors, [])
  assert.deepEqual(data?.webhook.deliveries.nodes, [
    {
      id,
      status: 'FAILED',
      eventName: 'users.usr_1.created',
      attempts: [{ number: 1, responseStatus: 500, responseBody: 'no', error: null, durationMs: 3 }],
    },
  ])
  const replay = 'mutation ($id: ID!) { replayDelivery(id: $id) { id status } }'
  assert.deepEqual((await operate(schemas, ctx, replay, { id })).data, { replayDelivery: { id, status: 'PENDING' } })
  assert.match((await operate(schemas, ctx, replay, { id })).errors[0] ?? '', /^CONFLICT/)
  const one = 'query ($id: ID!) { delivery(id: $id) { status attempts { requestHeaders { name } } } }'
  const read = { status: 'PENDING', attempts: [{ requestHeaders: [] }] }
  assert.deepEqual((await operate(schemas, ctx, one, { id })).data, { delivery: read })
  assert.deepEqual((await operate(schemas, (await world.createProject()).owner, one, { id })).data, { delivery: null })
  assert.match((await operate(schemas, ctx, replay, { id: 'dlv_none' })).errors[0] ?? '', /^NOT_FOUND/)
})

test('a webhook is pinged, and what failed in a time is replayed', async () => {
  const { webhook } = await make()
  const ping = 'mutation ($id: ID!) { pingWebhook(id: $id) { id status eventName } }'
  const pinged = await operate(schemas, ctx, ping, { id: webhook.id })
  const { id, ...rest } = pinged.data?.pingWebhook ?? {}
  assert.deepEqual(rest, { status: 'PENDING', eventName: `webhooks.${webhook.id}.pinged` })
  await ctx.db.delivery.update({ where: { id }, data: { status: 'FAILED' } })
  const failed = `query ($id: ID!) { webhook(id: $id) { deliveries(where: { status: FAILED }) { totalCount nodes { id } } } }`
  assert.deepEqual((await operate(schemas, ctx, failed, { id: webhook.id })).data?.webhook.deliveries.nodes, [{ id }])
  const replay = 'mutation ($input: ReplayDeliveriesInput!) { replayDeliveries(input: $input) { count hasMore } }'
  const span = { webhookId: webhook.id, from: '2020-01-01T00:00:00Z', to: '2100-01-01T00:00:00Z' }
  const { data } = await operate(schemas, key('webhooks.write'), replay, { input: span })
  assert.deepEqual(data, { replayDeliveries: { count: 1, hasMore: false } })
  const backwards = { input: { ...span, to: span.from } }
  assert.match((await operate(schemas, ctx, replay, backwards)).errors[0] ?? '', /^INVALID .*\(input\.to\)$/)
  assert.match((await operate(schemas, ctx, ping, { id: 'whk_none' })).errors[0] ?? '', /^NOT_FOUND/)
})
