import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import { type Api, startApi } from '../src/api.ts'
import { type App, createApp } from '../src/app.ts'
import { type Context, transaction } from '../src/context.ts'
import { createSession } from '../src/modules/sessions/sessions.ts'
import { createUser } from '../src/modules/users/users.ts'
import { createGraphql } from '../src/server.ts'
import { operate } from '../src/testing/operation.ts'
import { connect } from '../src/testing/server.ts'
import { createWorld, type World } from '../src/testing/world.ts'
import { createSchemas, type Schemas } from './schemas.ts'

let world: World
let schemas: Schemas
let owner: Context
let other: App
let apis: Api[]

before(async () => {
  world = await createWorld({ PORT: '0' })
  owner = (await world.createProject()).owner
  schemas = createSchemas(world.app)
  other = await createApp(world.env, 'other')
  apis = await Promise.all([world.app, other].map((app) => startApi(app, createGraphql(app))))
})
after(async () => {
  for (const api of apis) await api.close()
  await other.close()
  await schemas.close()
  await world.close()
})

const urlOf = (node: number) => `${apis[node]?.url}/projects/${owner.projectId}/graphql`
const query = 'subscription Watch { events(names: ["users.*"]) { id } }'

async function signIn(name: string) {
  const user = await createUser(owner, { email: `${name}@example.org`, password: 'correct horse' })
  const { secret, session } = await transaction(owner, (tx) => createSession(tx, user))
  return { user, session, authorization: `Bearer ${secret}` }
}

async function subscribe(node: number, authorization: string) {
  const client = await connect(urlOf(node), { authorization })
  client.send({ id: '1', type: 'subscribe', payload: { query } })
  return client
}

const list = `{ activeSubscriptions(first: 100) { totalCount nodes {
  id operationName transport actorKind actorId sessionId ip node startedAt } } }`

// biome-ignore lint/suspicious/noExplicitAny: what is answered is checked by what follows
async function activeOf(actorId: string, count: number): Promise<any[]> {
  for (let tries = 0; tries < 200; tries += 1) {
    const { data, errors } = await operate(schemas, owner, list)
    assert.deepEqual(errors, [])
    const theirs = data?.activeSubscriptions.nodes.filter((one: { actorId: string }) => one.actorId === actorId)
    if (theirs.length === count) return theirs
    await sleep(20)
  }
  return assert.fail(`${actorId} never had ${count}`)
}

const terminate = (ctx: Context, input: object) =>
  operate(schemas, ctx, 'mutation ($input: TerminateSubscriptionsInput!) { terminateSubscriptions(input: $input) }', {
    input,
  })

test('who listens is listed, on whichever node, as long as they do', async () => {
  const { user, session, authorization } = await signIn('ann')
  const client = await subscribe(1, authorization)
  const [one] = await activeOf(user.id, 1)
  assert.deepEqual(
    [one.operationName, one.transport, one.actorKind, one.sessionId, one.ip, one.node],
    ['Watch', 'WEBSOCKET', 'USER', session.id, '127.0.0.1', other.peers.node],
  )
  client.socket.terminate()
  await activeOf(user.id, 0)
})

test('subscriptions are ended on every node and transport within a second, and told so; the socket stays', async () => {
  const { user, authorization } = await signIn('bob')
  const clients = [await subscribe(0, authorization), await subscribe(1, authorization)]
  const headers = { authorization, accept: 'text/event-stream', 'content-type': 'application/json' }
  const events = await fetch(urlOf(1), { method: 'POST', headers, body: JSON.stringify({ query }) })
  const active = await activeOf(user.id, 3)
  const started = performance.now()
  const { data, errors } = await terminate(owner, { actorId: user.id })
  assert.deepEqual([errors, data?.terminateSubscriptions.sort()], [[], active.map(({ id }) => id).sort()])
  for (const client of clients) {
    const [, next, complete] = await client.received(3)
    assert.match(JSON.stringify(next?.payload), /"code":"TERMINATED"/)
    assert.equal(complete?.type, 'complete')
    client.send({ id: '2', type: 'subscribe', payload: { query: '{ account { id } }' } })
    await client.received(5)
    client.socket.terminate()
  }
  assert.match(await events.text(), /"code":"TERMINATED".*event: complete/s)
  assert.ok(performance.now() - started < 1_000, 'later than a second')
  await activeOf(user.id, 0)
})

test('one of them, or those of a session', async () => {
  const { user, session, authorization } = await signIn('carl')
  const clients = [await subscribe(0, authorization), await subscribe(0, authorization)]
  const [first] = await activeOf(user.id, 2)
  await terminate(owner, { ids: [first.id, 'sub_none'] })
  await activeOf(user.id, 1)
  await terminate(owner, { sessionId: session.id })
  await activeOf(user.id, 0)
  for (const client of clients) client.socket.terminate()
})

test('they are none of a user’s business, nor of another project’s, and one has to say which', async () => {
  const { user, authorization } = await signIn('dora')
  const client = await subscribe(0, authorization)
  const [one] = await activeOf(user.id, 1)
  const key = world.context(owner.projectId, { kind: 'key', id: 'key_1', scopes: new Set(['users.read']) })
  for (const ctx of [world.context(owner.projectId), key]) {
    assert.match((await terminate(ctx, { ids: [one.id] })).errors.join(), /./)
    assert.match((await operate(schemas, ctx, list)).errors.join(), /./)
  }
  const elsewhere = (await world.createProject()).owner
  assert.deepEqual((await terminate(elsewhere, { ids: [one.id] })).data, { terminateSubscriptions: [] })
  assert.match((await terminate(owner, {})).errors.join(), /INVALID Say which/)
  await activeOf(user.id, 1)
  client.socket.terminate()
})
