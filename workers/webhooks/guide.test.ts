import assert from 'node:assert/strict'
import { once } from 'node:events'
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import type { Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { join } from 'node:path'
import { after, before, test } from 'node:test'
import { createSchemas, type Schemas } from '../../schema/schemas.ts'
import type { Context } from '../../src/context.ts'
import { closeAttempts, openAttempts } from '../../src/modules/deliveries/attempts.ts'
import { createDeliveries } from '../../src/modules/deliveries/deliveries.ts'
import { updateWebhook } from '../../src/modules/webhooks/webhooks.ts'
import { createEgress } from '../../src/platform/egress.ts'
import { operate } from '../../src/testing/operation.ts'
import { createWorld, type World } from '../../src/testing/world.ts'
import { sendDelivery } from './send.ts'

const root = join(import.meta.dirname, '../..')
const guide = readFileSync(join(root, 'docs/guides/webhooks.md'), 'utf8')
const blocksOf = (kind: string) =>
  [...guide.matchAll(/```(\w+)\n([\s\S]*?)```/g)].filter(([, of]) => of === kind).map(([, , text = '']) => text)

let world: World
let schemas: Schemas
let ctx: Context
let folder: string
const egress = createEgress(['127.0.0.0/8'])
before(async () => {
  world = await createWorld()
  schemas = createSchemas(world.app)
  ctx = (await world.createProject()).owner
  // Where the receiver's import finds its package.
  mkdirSync(join(root, 'node_modules/.cache'), { recursive: true })
  folder = mkdtempSync(join(root, 'node_modules/.cache/guide-'))
})
after(async () => {
  rmSync(folder, { recursive: true })
  await egress.close()
  await schemas.close()
  await world.close()
})

/** The guide's receiver, with a secret. */
async function receive(secret: string): Promise<{ server: Server; url: string }> {
  const path = join(folder, 'receiver.mjs')
  writeFileSync(path, blocksOf('js')[0] ?? '')
  process.env.WEBHOOK_SECRET = secret
  const { server } = (await import(path)) as { server: Server }
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  return { server, url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/` }
}

test('the guide: a webhook is made, its receiver verifies, and what is asked about it is answered', async () => {
  const [create = '', ...others] = blocksOf('graphql')
  const made = await operate(schemas, ctx, create)
  assert.deepEqual(made.errors, [])
  const { secret, webhook } = made.data?.createWebhook ?? {}
  assert.deepEqual([webhook.headerNames, webhook.username, webhook.verifyTls], [['x-tenant'], 'tendril', true])
  const { server, url } = await receive(secret)
  const headers = [{ name: 'x-tenant', value: 'blog' }]
  const basicAuth = { username: 'tendril', password: 'correct horse' }
  await updateWebhook(ctx, webhook.id, { url, headers, basicAuth })
  const body = JSON.parse(blocksOf('json')[0] ?? '')
  const { projectId } = ctx
  const event = { seq: 1n, prev: 0n, id: crypto.randomUUID(), projectId, aggregate: '', actorKind: '', actorId: null }
  const happened = { ...event, name: body.name, type: body.type, payload: body.data, at: new Date(body.timestamp) }
  assert.deepEqual(await createDeliveries(world.app, [happened]), [webhook.id])
  const [due] = await openAttempts(world.app, [{ webhookId: webhook.id, free: 1 }])
  assert.ok(due)
  assert.deepEqual(JSON.parse(due.body), body)
  const outcome = await sendDelivery(world.app, egress, due)
  await closeAttempts(world.app, [{ ...due, outcome }])
  assert.equal(outcome.status, 204)
  const forged = await fetch(url, { method: 'POST', headers: outcome.requestHeaders, body: '{}' })
  assert.equal(forged.status, 400)
  server.closeAllConnections()
  server.close()
  assert.equal(others.length, 4)
  for (const source of others) assert.deepEqual((await operate(schemas, ctx, source, { id: webhook.id })).errors, [])
})
