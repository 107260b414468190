import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import { type Api, startApi } from '../../src/api.ts'
import { sqlTransaction } from '../../src/context.ts'
import { emit } from '../../src/event.ts'
import { hashSecret, newSecret } from '../../src/lib/secrets.ts'
import { keyDeleted } from '../../src/modules/keys/events.ts'
import { createGraphql } from '../../src/server.ts'
import { type Blog, createBlog } from '../../src/testing/blog.ts'
import { operate } from '../../src/testing/operation.ts'
import { connect } from '../../src/testing/server.ts'
import { within } from '../../src/testing/stream.ts'
import { createWorld, type World } from '../../src/testing/world.ts'
import { type Relay, startRelay } from '../../workers/relay.ts'
import { createSchemas, type Schemas } from '../schemas.ts'

let world: World
let blog: Blog
let relay: Relay
let schemas: Schemas
let api: Api
let url: string

before(async () => {
  world = await createWorld({ PORT: '0' })
  blog = await createBlog(world)
  relay = startRelay(world.app)
  schemas = createSchemas(world.app)
  api = await startApi(world.app, createGraphql(world.app, schemas))
  url = `${api.url}/projects/${blog.projectId}/graphql`
})

after(async () => {
  await api.close()
  await relay.stop()
  await world.close()
})

async function createKey(id: string): Promise<string> {
  const secret = newSecret('key')
  const data = { id, projectId: blog.projectId, name: id, hash: hashSecret(secret), scopes: ['documents.read'] }
  await world.app.db.key.create({ data })
  return `Bearer ${secret}`
}

async function create(id: string) {
  const { errors } = await operate(
    schemas,
    blog.owner,
    `mutation { createPost(input: { id: "${id}", title: "x" }) { id } }`,
  )
  assert.deepEqual(errors, [])
}

const query = 'subscription ($after: String) { postChanged(after: $after) { cursor kind node { id title } } }'

async function open(at: string, headers: Record<string, string>, signal: AbortSignal | null = null) {
  return fetch(at, {
    method: 'POST',
    headers: { 'content-type': 'application/json', accept: 'text/event-stream', ...headers },
    body: JSON.stringify({ query }),
    signal,
  })
}

/** Reads events of a stream until so many have come. */
async function readEvents(headers: Record<string, string>, count: number, begun = async () => {}) {
  const stop = new AbortController()
  const response = await open(url, headers, stop.signal)
  assert.equal(response.headers.get('content-type'), 'text/event-stream; charset=utf-8')
  const reader = response.body?.pipeThrough(new TextDecoderStream()).getReader()
  let text = ''
  const read = async () => {
    while (text.split('event: next').length <= count) text += (await reader?.read())?.value ?? ''
  }
  text += (await reader?.read())?.value ?? ''
  await begun()
  await within(read(), 5_000, `only ${JSON.stringify(text)} came`)
  stop.abort()
  return [...text.matchAll(/id: (.*)\nevent: next\ndata: (.*)\n\n/g)].slice(0, count).map(([, id, data]) => ({
    id,
    ...JSON.parse(data ?? ''),
  }))
}

test('a socket and a stream of events get the same, and go on from where they were', async () => {
  const authorization = await createKey('key_both')
  const client = await connect(url, { authorization })
  client.send({ id: '__proto__', type: 'subscribe', payload: { query } })
  // The first that comes says that both listen.
  const events = await readEvents({ authorization }, 3, async () => {
    for (let i = 0; client.messages.length < 3; i += 1) {
      await create(`t${i}`)
      await new Promise((resolve) => setTimeout(resolve, 20))
    }
    await create('last')
  })
  const messages = await client.received(4)
  const sent = messages
    .slice(1)
    .map(({ id, type, payload }) => ({ id, type, payload }) as never as { payload: { data: object } })
  assert.ok(sent.every((one) => 'id' in one && one.id === '__proto__'))
  const shared = sent.filter(({ payload }) =>
    events.some(({ data }) => JSON.stringify(data) === JSON.stringify(payload.data)),
  )
  assert.ok(shared.length >= 2, JSON.stringify([sent, events]))
  for (const { id, data } of events) assert.equal(id, data.postChanged.cursor)
  const again = await readEvents({ authorization, 'last-event-id': events[0]?.id }, 2)
  assert.deepEqual(again, events.slice(1, 3))
  client.socket.terminate()
})

test('a credential that is revoked closes the socket; a cursor that is none ends the subscription alone', async () => {
  const authorization = await createKey('key_gone')
  const client = await connect(url, { authorization })
  client.send({ id: '1', type: 'subscribe', payload: { query, variables: { after: 'nonsense' } } })
  const refused = await client.received(3)
  assert.deepEqual(
    refused.slice(1).map(({ type }) => type),
    ['next', 'complete'],
  )
  assert.match(JSON.stringify(refused[1]), /"code":"INVALID"/)
  client.send({ id: '2', type: 'subscribe', payload: { query } })
  await create('g1')
  await world.app.db.key.delete({ where: { id: 'key_gone' } })
  await sqlTransaction(blog.owner, (tx) => emit(tx, keyDeleted, { keyId: 'key_gone' } as never))
  const { code } = await within(client.closed, 3_000, 'the socket was not closed')
  assert.equal(code, 4403)
})

test('events that are refused are JSON with a status, after which no browser asks again', async () => {
  const authorization = await createKey('key_refused')
  const refused = await open(url, { authorization, 'last-event-id': 'nonsense' })
  assert.deepEqual([refused.status, refused.headers.get('content-type')], [400, 'application/json; charset=utf-8'])
  const { errors } = (await refused.json()) as { errors: { extensions: { code: string } }[] }
  assert.equal(errors[0]?.extensions.code, 'INVALID')
})

test('events of a server that leaves end without a word, so that whoever listens comes back', async () => {
  const authorization = await createKey('key_left')
  const leaving = await startApi(world.app, createGraphql(world.app, createSchemas(world.app)))
  const { status, body } = await open(`${leaving.url}/projects/${blog.projectId}/graphql`, { authorization })
  const said = new Response(body).text()
  await leaving.close()
  assert.deepEqual([status, await within(said, 3_000, 'it did not end')], [200, ':\n\n'])
})
