import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import { type Relay, startRelay } from '../../workers/relay.ts'
import { type Api, startApi } from '../api.ts'
import { type Context, transaction } from '../context.ts'
import { updateFunction } from '../modules/functions/functions.ts'
import { createKey, deleteKey } from '../modules/keys/keys.ts'
import { createSession, deleteSession } from '../modules/sessions/sessions.ts'
import { createUser, updateUser } from '../modules/users/users.ts'
import { createGraphql } from '../server.ts'
import { makeFunction } from '../testing/functions.ts'
import { type Client, connect } from '../testing/server.ts'
import { createWorld, type World } from '../testing/world.ts'

let world: World
let api: Api
let relay: Relay
let owner: Context
let account: Context
let url: string

before(async () => {
  world = await createWorld({ PORT: '0' })
  const made = await world.createProject()
  owner = made.owner
  account = made.ownerAtConsole
  relay = startRelay(world.app)
  api = await startApi(world.app, createGraphql(world.app))
  url = `${api.url}/projects/${owner.projectId}/graphql`
})
after(async () => {
  await api.close()
  await relay.stop()
  await world.close()
})

async function signUp(name: string) {
  const user = await createUser(owner, { email: `${name}@example.org`, password: 'correct horse' })
  const signIn = () => transaction(owner, (tx) => createSession(tx, user))
  return { user, signIn }
}

const bearer = ({ secret }: { secret: string }) => `Bearer ${secret}`

async function listen(authorization: string): Promise<Client> {
  const client = await connect(url, { authorization })
  const query = 'subscription { events(names: ["users.*"]) { payload } }'
  client.send({ id: '1', type: 'subscribe', payload: { query } })
  return client
}

/** Answered once what was subscribed before it stands, or at least is under way. */
async function ping(client: Client, payload: object) {
  const pongs = () => client.messages.filter(({ type }) => type === 'pong')
  const before = pongs().length
  client.send({ type: 'ping', payload })
  // Events may come meanwhile.
  while (pongs().length === before) await client.received(client.messages.length + 1)
  return pongs()[before]?.payload as { accepted?: boolean; code?: string }
}

/** Does it again until the client is told. */
async function hears(client: Client, userId: string) {
  const before = client.messages.length
  for (let tries = 0; client.messages.length === before && tries < 100; tries += 1) {
    await updateUser(owner, userId, { name: `${tries}` })
    await new Promise((resolve) => setTimeout(resolve, 50))
  }
  assert.equal(client.messages[before]?.type, 'next')
}

test('a socket takes a fresh credential of the same user, and its subscriptions outlive the old one', async () => {
  const { user, signIn } = await signUp('ann')
  const [first, second] = [await signIn(), await signIn()]
  const client = await listen(bearer(first))
  await hears(client, user.id)
  assert.deepEqual(await ping(client, { authorization: bearer(second) }), { accepted: true })
  await deleteSession(owner, first.session.id)
  await hears(client, user.id)
  client.send({ id: '2', type: 'subscribe', payload: { query: '{ account { id } }' } })
  while (!client.messages.some(({ id, type }) => id === '2' && type === 'complete')) {
    await client.received(client.messages.length + 1)
  }
  await deleteSession(owner, second.session.id)
  const { code, reason } = await client.closed
  assert.deepEqual([code, reason], [4403, 'This credential is no longer valid.'])
})

test('a credential of somebody else, or of nobody, is refused, and the socket stays as it was', async () => {
  const { user, signIn } = await signUp('bob')
  const other = await signUp('carl')
  const client = await listen(bearer(await signIn()))
  await hears(client, user.id)
  for (const [authorization, code] of [
    [bearer(await other.signIn()), 'FORBIDDEN'],
    ['Bearer nonsense', 'UNAUTHENTICATED'],
  ]) {
    const answer = await ping(client, { authorization })
    assert.deepEqual([answer.accepted, answer.code], [false, code])
  }
  await hears(client, user.id)
  const last = client.messages.at(-1)?.payload as { data: { events: { payload: unknown } } }
  assert.deepEqual(last.data.events.payload, { userId: user.id })
  client.socket.terminate()
})

test('with a key that may less, what is selected with more ends where it was, and what needs no more begins', async () => {
  const { projectId } = owner
  const keyOf = (name: string, scopes: string[]) => createKey(account, { projectId, name, scopes })
  const both = ['functions.read', 'executions.read']
  const [wide, equal, narrow] = [
    await keyOf('wide', both),
    await keyOf('equal', both),
    await keyOf('narrow', ['functions.read']),
  ]
  const { id } = await makeFunction(owner)
  const client = await connect(url, { authorization: bearer(wide) })
  const subscribe = (name: string, node: string) => {
    const query = `subscription { functionChanged(id: "${id}") { cursor node { ${node} } } }`
    client.send({ id: name, type: 'subscribe', payload: { query } })
  }
  type Told = { data?: { functionChanged: { cursor: string; node: object } }; errors?: { extensions: object }[] }
  const toldOf = (name: string) =>
    client.messages.filter((one) => one.id === name).map(({ payload }) => payload as Told)
  const tellsOf = async (name: string) => {
    const before = toldOf(name).length
    for (let tries = 0; toldOf(name).length === before && tries < 100; tries += 1) {
      await updateFunction(owner, id, { name: `f${tries}` })
      await new Promise((resolve) => setTimeout(resolve, 50))
    }
    return toldOf(name)[before]
  }
  subscribe('all', 'id executions { totalCount }')
  await tellsOf('all')
  assert.deepEqual(await ping(client, { authorization: bearer(equal) }), { accepted: true })
  await deleteKey(account, wide.key.id)
  const node = { id, executions: { totalCount: 0 } }
  assert.deepEqual((await tellsOf('all'))?.data?.functionChanged.node, node)

  assert.deepEqual(await ping(client, { authorization: bearer(narrow) }), { accepted: true })
  await deleteKey(account, equal.key.id)
  while (!client.messages.some((one) => one.id === 'all' && one.type === 'complete'))
    await client.received(client.messages.length + 1)
  assert.partialDeepStrictEqual(toldOf('all').at(-2), { errors: [{ extensions: { code: 'SCHEMA_CHANGED' } }] })
  subscribe('less', 'id')
  assert.deepEqual((await tellsOf('less'))?.data?.functionChanged.node, { id })
  client.socket.terminate()
})

test('a guest does not become somebody by a ping', async () => {
  const client = await connect(url)
  const { signIn } = await signUp('dora')
  assert.equal((await ping(client, { authorization: bearer(await signIn()) })).accepted, false)
  client.socket.terminate()
})

test('any other ping is answered with what it says', async () => {
  const client = await connect(url)
  assert.deepEqual(await ping(client, { at: 1 }), { at: 1 })
  client.socket.terminate()
})
