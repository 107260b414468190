import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import { type Api, startApi } from '../src/api.ts'
import { type App, createApp } from '../src/app.ts'
import { createKey } from '../src/modules/keys/keys.ts'
import { scopes } from '../src/modules/keys/scopes.ts'
import { createWorld, type World } from '../src/testing/world.ts'
import { startWorkers } from '../workers/start.ts'
import { type Change, follow } from './client/live.ts'
import { type Endpoint, request } from './client/request.ts'
import { graphql } from './generated/gql.ts'

let world: World
let second: App
let workers: Awaited<ReturnType<typeof startWorkers>>
let nodes: [Api, Api]
let to: [Endpoint, Endpoint]
before(async () => {
  world = await createWorld({ PORT: '0' })
  second = await createApp(world.env, 'second')
  // Agenda keeps a timer of half a lock for each job that it has run.
  workers = await startWorkers(world.app, { queue: { lockMs: 4_000, touchEveryMs: 1_000 } })
  nodes = [await startApi(world.app), await startApi(second)]
  const { projectId, ownerAtConsole } = await world.createProject()
  const { secret } = await createKey(ownerAtConsole, { projectId, name: 'test', scopes: Object.keys(scopes) })
  const endpoint = ({ url }: Api) => ({
    url: `${url}/projects/${projectId}/graphql`,
    authorization: `Bearer ${secret}`,
  })
  to = [endpoint(nodes[0]), endpoint(nodes[1])]
})
after(async () => {
  await Promise.all(nodes.map((node) => node.close()))
  await workers.stop()
  await second.close()
  await world.close()
})

const statusOf = graphql(`query StatusOf($id: ID!) { collection(id: $id) { status attributes { nodes { status } } } }`)
const newCollection = graphql(
  `mutation NewNotes($input: CreateCollectionInput!) { createCollection(input: $input) { id } }`,
)

async function made(id: string): Promise<void> {
  for (;;) {
    const { collection } = await request(to[0], statusOf, { id })
    const parts = [collection?.status, ...(collection?.attributes.nodes ?? []).map(({ status }) => status)]
    if (parts.every((status) => status === 'AVAILABLE')) return
    assert.ok(!parts.includes('FAILED'))
    await sleep(5)
  }
}

test('a collection made through one node is queryable, typed, on the other within a second', async () => {
  // The other node has built the project's types already, and must replace them.
  await request(to[1], '{ __typename }')
  const { createDatabase } = await request(
    to[0],
    graphql(`mutation Db { createDatabase(input: { key: "main" }) { id } }`),
  )
  const input = {
    databaseId: createDatabase.id,
    key: 'notes',
    permissions: [],
    attributes: [{ key: 'text', type: 'STRING' as const, size: 100 }],
  }
  const { createCollection } = await request(to[0], newCollection, { input })
  await made(createCollection.id)
  const start = performance.now()
  let answer: unknown
  while (!answer && performance.now() - start < 5_000) {
    answer = await request(to[1], '{ notes(where: { text: { eq: "x" } }) { nodes { text } totalCount } }').catch(() =>
      sleep(10),
    )
  }
  assert.deepEqual(answer, { notes: { nodes: [], totalCount: 0 } })
  assert.ok(performance.now() - start < 1_000)
})

test('a subscription on one node receives what is written through the other', async () => {
  const seen: Change<{ text: string }>[] = []
  const query = 'subscription ($after: String) { noteChanged(after: $after) { cursor kind id node { text } } }'
  let before = 0
  const live = follow<{ text: string }>(to[1], query, 'noteChanged', (change) => seen.push(change))
  const write = (text: string) =>
    request(to[0], 'mutation ($text: String) { createNote(input: { text: $text }) { id } }', { text })
  try {
    for (let i = 0; seen.length === 0 && i < 100; i++) {
      await write('first')
      await sleep(50)
    }
    before = seen.length
    for (const text of ['a', 'b', 'c']) await write(text)
    for (let i = 0; seen.length < before + 3 && i < 100; i++) await sleep(20)
  } finally {
    live.stop()
  }
  assert.deepEqual(
    seen.slice(before).map(({ kind, node }) => [kind, node?.text]),
    [
      ['CREATED', 'a'],
      ['CREATED', 'b'],
      ['CREATED', 'c'],
    ],
  )
})
