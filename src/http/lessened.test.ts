import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import { type Relay, startRelay } from '../../workers/relay.ts'
import { type Api, startApi } from '../api.ts'
import type { Context } from '../context.ts'
import { createKey } from '../modules/keys/keys.ts'
import { updateUser } from '../modules/users/users.ts'
import { createGraphql } from '../server.ts'
import { createCollections } from '../testing/collections.ts'
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
  ;({ owner, ownerAtConsole: account } = await world.createProject())
  await createCollections(owner, { notes: { attributes: { text: { type: 'STRING' } } } })
  relay = startRelay(world.app)
  api = await startApi(world.app, createGraphql(world.app))
  url = `${api.url}/projects/${owner.projectId}/graphql`
})
after(async () => {
  await api.close()
  await relay.stop()
  await world.close()
})

const keyOf = async (...scopes: string[]) => {
  const { secret } = await createKey(account, { projectId: owner.projectId, name: crypto.randomUUID(), scopes })
  return `Bearer ${secret}`
}

type Told = { data?: object; errors?: { extensions: { code: string; cursor?: string } }[] }

const toldOf = ({ messages }: Client, id: string) =>
  messages.filter((one) => one.id === id && one.type === 'next').map(({ payload }) => payload as Told)

/** Does it again until all of these are told of something more. */
async function hear(client: Client, ids: readonly string[], act: (time: number) => Promise<unknown>) {
  const before = new Map(ids.map((id) => [id, toldOf(client, id).length]))
  const missing = () => ids.filter((id) => toldOf(client, id).length === before.get(id))
  for (let time = 0; missing().length > 0 && time < 60; time += 1) {
    await act(time)
    await new Promise((resolve) => setTimeout(resolve, 50))
  }
  assert.deepEqual(missing(), [])
  return ids.map((id) => toldOf(client, id).at(-1))
}

const documents = {
  compiled: 'noteChanged { cursor id }',
  executed: 'noteChanged @skip(if: false) { cursor id }',
  live: 'notesLive { cursor changes { id } }',
  events: 'events(names: ["documents.*"]) { cursor name }',
}
const subscriptions: Record<string, string> = { ...documents, users: 'events(names: ["users.*"]) { cursor name }' }

test('what is told of documents ends when the right to read them is lost, and when no other is', async () => {
  const writer = await keyOf('documents.read', 'documents.write')
  const write = async (text: number) => {
    const query = `mutation { createNote(input: { text: "${text}" }) { id } }`
    const headers = { 'content-type': 'application/json', authorization: writer }
    const answer = await fetch(url, { method: 'POST', headers, body: JSON.stringify({ query }) })
    assert.ok(((await answer.json()) as { data?: object }).data)
  }
  const user = await world.app.db.user.create({
    data: { id: 'usr_1', projectId: owner.projectId, email: 'ann@example.org', passwordHash: '', name: 'Ann' },
  })
  const change = (time: number) => updateUser(owner, user.id, { name: `${time}` })
  const client = await connect(url, { authorization: await keyOf('documents.read', 'events.read', 'users.read') })
  for (const [id, field] of Object.entries(subscriptions))
    client.send({ id, type: 'subscribe', payload: { query: `subscription { ${field} }` } })
  const both = async (time: number) => Promise.all([write(time), change(time)])
  await hear(client, Object.keys(subscriptions), both)

  const become = async (...scopes: string[]) =>
    client.send({ type: 'ping', payload: { authorization: await keyOf(...scopes) } })
  await become('documents.read', 'events.read')
  for (const told of await hear(client, Object.keys(subscriptions), both)) assert.ok(told?.data)

  await become('events.read', 'users.read')
  for (const told of await hear(client, Object.keys(documents), async () => {}))
    assert.equal(told?.errors?.[0]?.extensions.code, 'SCHEMA_CHANGED')
  for (const id of ['compiled', 'executed', 'events']) {
    const { cursor } = toldOf(client, id).at(-1)?.errors?.[0]?.extensions ?? {}
    assert.equal(typeof cursor, 'string', id)
  }
  for (const told of await hear(client, ['users'], both)) assert.ok(told?.data)
  client.socket.terminate()
})
