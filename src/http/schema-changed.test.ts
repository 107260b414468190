import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import { schema } from '../../schema/index.ts'
import { createSchemas } from '../../schema/schemas.ts'
import { applySchemaChanges } from '../../workers/databases/apply.ts'
import { type Relay, startRelay } from '../../workers/relay.ts'
import { type Api, startApi } from '../api.ts'
import { sqlTransaction } from '../context.ts'
import { hashSecret, newSecret } from '../lib/secrets.ts'
import { updateAttribute } from '../modules/attributes/update.ts'
import { deleteCollection } from '../modules/collections/collections.ts'
import { raiseRevision } from '../modules/databases/revision.ts'
import { createGraphql } from '../server.ts'
import { type Blog, createBlog } from '../testing/blog.ts'
import { oldUntil } from '../testing/outdated.ts'
import { eventually } from '../testing/receiver.ts'
import { connect, json } from '../testing/server.ts'
import { createWorld, type World } from '../testing/world.ts'
import type { Watching } from './tracked.ts'

let world: World
let api: Api
let relay: Relay
let blog: Blog
let url: string
let authorization: string

before(async () => {
  world = await createWorld({ PORT: '0' })
  blog = await createBlog(world)
  relay = startRelay(world.app)
  api = await startApi(world.app, createGraphql(world.app))
  url = `${api.url}/projects/${blog.projectId}/graphql`
  const secret = newSecret('key')
  const scopes = ['documents.read', 'documents.write']
  const data = { id: 'key_1', projectId: blog.projectId, name: 'k', hash: hashSecret(secret), scopes }
  await world.app.db.key.create({ data })
  authorization = `Bearer ${secret}`
})
after(async () => {
  await api.close()
  await relay.stop()
  await world.close()
})

async function subscribe(query: string) {
  const client = await connect(url, { authorization })
  client.send({ id: '1', type: 'subscribe', payload: { query } })
  return client
}

async function write(query: string): Promise<void> {
  const headers = { ...json, authorization }
  const response = await fetch(url, { method: 'POST', headers, body: JSON.stringify({ query }) })
  assert.equal(((await response.json()) as { errors?: unknown }).errors, undefined)
}

/** Writes until each is told: a subscription has no sign of having begun. */
async function writeUntil(query: string, isTold: () => boolean): Promise<void> {
  for (let tries = 0; !isTold() && tries < 100; tries += 1) {
    await write(query)
    await sleep(50)
  }
}

async function applyAll(): Promise<void> {
  const { signal } = new AbortController()
  while (!(await applySchemaChanges(blog.owner, { signal, graceMs: 0 }))) await sleep(20)
}

const attributeOf = (key: string) => ({ collectionId_key: { collectionId: blog.ids.posts ?? '', key } })

test('a subscription that selects a field which is renamed is told so, with where it had come to; others go on', async () => {
  const clients = await Promise.all([
    subscribe('subscription { postChanged { cursor node { title } } }'),
    subscribe('subscription ($w: PostWhere) { postChanged(where: $w) { cursor node { x: title } } }'),
    subscribe('subscription { postChanged { cursor id } }'),
  ])
  const [shown, , untouched] = clients
  await writeUntil('mutation { createPost(input: { title: "a" }) { id } }', () =>
    clients.every(({ messages }) => messages.length > 1),
  )
  const { id } = await world.app.db.attribute.findUniqueOrThrow({ where: attributeOf('title') })
  await updateAttribute(blog.owner, { id, key: 'headline' })
  const ended = () => shown?.messages.at(-1)?.type === 'complete'
  for (let tries = 0; !ended() && tries < 100; tries += 1) await sleep(50)
  const told = (shown?.messages ?? []).map(({ payload }) => payload) as {
    data?: { postChanged: { cursor: string } }
    errors?: { extensions: { code: string; cursor: string } }[]
  }[]
  const [error] = told.at(-2)?.errors ?? []
  assert.deepEqual(
    [error?.extensions.code, error?.extensions.cursor],
    ['SCHEMA_CHANGED', told.at(-3)?.data?.postChanged.cursor],
  )
  const before = untouched?.messages.length ?? 0
  await writeUntil('mutation { createPost(input: { headline: "b" }) { id } }', () => {
    return (untouched?.messages.length ?? 0) > before
  })
  assert.equal(untouched?.messages.at(-1)?.type, 'next')
  for (const client of clients) client.socket.terminate()
})

test('a subscription that selects a field which becomes one of another type is told so; others go on', async () => {
  const clients = await Promise.all([
    subscribe('subscription { postChanged { cursor node { draft } } }'),
    subscribe('subscription { postsLive { cursor nodes { ...on Post { slug x: draft } } } }'),
    subscribe('subscription { postChanged { cursor node { ...of } } } fragment of on Post { slug views }'),
  ])
  const untouched = clients.pop()
  await writeUntil('mutation { createPost(input: { headline: "a", draft: true }) { id } }', () =>
    [...clients, untouched].every((client) => (client?.messages.length ?? 0) > 1),
  )
  const { id } = await world.app.db.attribute.findUniqueOrThrow({ where: attributeOf('draft') })
  await updateAttribute(blog.owner, { id, type: 'STRING', size: 20 })
  await applyAll()
  for (const client of clients) {
    await eventually(() => assert.equal(client.messages.at(-1)?.type, 'complete'), 5_000)
    assert.match(JSON.stringify(client.messages.at(-2)), /"code":"SCHEMA_CHANGED"/)
  }
  const before = untouched?.messages.length ?? 0
  await writeUntil('mutation { createPost(input: { headline: "b", draft: "yes" }) { id } }', () => {
    return (untouched?.messages.length ?? 0) > before
  })
  assert.equal(untouched?.messages.at(-1)?.type, 'next')
  for (const client of [...clients, untouched]) client?.socket.terminate()
})

test('what changes after a subscription was looked at, and before it is watched, is told of too', async () => {
  const operation = { query: 'subscription { postChanged { node { views } } }' }
  const schemas = createSchemas(world.app, schema)
  const compiled = createGraphql(world.app, schemas)
  const executed = createGraphql(world.app, schemas, { plans: false })
  const fed = await compiled.feed(blog.owner, operation)
  const watches: Watching[] = fed ? [fed.watch] : []
  const streams: AsyncIterableIterator<unknown>[] = []
  const ran = await executed.run(blog.owner, operation, ['subscription'], (results, watch) => {
    watches.push(watch)
    streams.push(results)
    return results
  })
  assert.ok(!('errors' in ran), JSON.stringify(ran))
  assert.equal(watches.length, 2)
  const earlier = await schemas.for(blog.owner)
  const heard: number[] = []
  // Watched while it is as it was begun: nothing is told before it changes.
  const stop = watches.map((watch) => watch(() => heard.push(0)))
  await sleep(50)
  for (const end of stop) end()
  const { id } = await world.app.db.attribute.findUniqueOrThrow({ where: attributeOf('views') })
  await updateAttribute(blog.owner, { id, type: 'BIGINT' })
  await applyAll()
  // To have schemas compared by an assertion would print them, which takes seconds.
  assert.ok(
    Number.isFinite(
      await oldUntil(
        () => schemas.for(blog.owner),
        (shown) => shown === earlier,
      ),
    ),
  )
  watches.forEach((watch, i) => void watch(() => heard.push(i + 1)))
  // A second change may be heard of in the meantime, and either is looked at first.
  await eventually(() => assert.deepEqual([...new Set(heard)].sort(), [1, 2]), 5_000)
  for (const results of streams) await results.return?.()
  await compiled.close()
})

test('a subscription that could not be looked at when its schema changed is looked at again', async () => {
  const client = await subscribe('subscription { postChanged { cursor node { slug } } }')
  await writeUntil('mutation { createPost(input: { headline: "a" }) { id } }', () => client.messages.length > 1)
  await sqlTransaction(blog.owner, async (tx) => {
    await tx.query('update attributes set key = $1 where "collectionId" = $2 and key = $3', [
      'path',
      blog.ids.posts,
      'slug',
    ])
    await raiseRevision(tx)
    // Until it is called so again, no schema can be read.
    await tx.query('alter table indexes rename to hidden')
  })
  await sleep(1_000)
  assert.equal(client.messages.at(-1)?.type, 'next')
  await world.app.sql.query('alter table hidden rename to indexes')
  await eventually(() => assert.equal(client.messages.at(-1)?.type, 'complete'), 10_000)
  assert.match(JSON.stringify(client.messages.at(-2)), /"code":"SCHEMA_CHANGED"/)
  client.socket.terminate()
})

test('a live query that filters or orders by a field of another collection is told when that is renamed; others go on', async () => {
  const clients = await Promise.all([
    subscribe('subscription { postsLive(where: { author: { name: { ne: "none" } } }) { cursor nodes { id } } }'),
    subscribe('subscription { postsLive(orderBy: { author: { name: ASC } }) { cursor nodes { id } } }'),
    subscribe('subscription { postsLive(where: { author: { id: { ne: "none" } } }) { cursor nodes { id } } }'),
  ])
  await eventually(() => assert.ok(clients.every(({ messages }) => messages.length > 1)))
  const { id } = await world.app.db.attribute.findUniqueOrThrow({
    where: { collectionId_key: { collectionId: blog.ids.authors ?? '', key: 'name' } },
  })
  await updateAttribute(blog.owner, { id, key: 'called' })
  const untouched = clients.pop()
  for (const client of clients) {
    await eventually(() => assert.equal(client.messages.at(-1)?.type, 'complete'), 5_000)
    assert.match(
      JSON.stringify(client.messages.at(-2)),
      /"code":"SCHEMA_CHANGED","cursor":"|"cursor":"[^"]+","code":"SCHEMA_CHANGED"/,
    )
  }
  await sleep(300)
  assert.equal(untouched?.messages.at(-1)?.type, 'next')
  untouched?.socket.terminate()
  await updateAttribute(blog.owner, { id, key: 'name' })
  await applyAll()
  for (const client of clients) client.socket.terminate()
  // Whoever writes next is to find it so.
  await eventually(() => write('{ authors(first: 1) { nodes { name } } }'), 5_000)
})

test('who comes back from before a field became one of another type hears which documents changed, and to read them anew', async () => {
  const client = await subscribe('subscription { authorChanged { cursor } }')
  await writeUntil('mutation { createAuthor(input: { name: "none" }) { id } }', () => client.messages.length > 1)
  const [first] = JSON.stringify(client.messages[1]).match(/(?<="cursor":")[^"]+/) ?? []
  client.socket.terminate()
  await write('mutation { createAuthor(input: { id: "Bob", name: "ten" }) { id } }')
  await write('mutation { updateAuthors(where: { name: { ne: "10" } }, set: { name: "10" }) { count } }')
  const { id } = await world.app.db.attribute.findFirstOrThrow({
    where: { collectionId: blog.ids.authors ?? '', key: 'name' },
  })
  await updateAttribute(blog.owner, { id, type: 'BIGINT' })
  await applyAll()
  await write('mutation { updateAuthor(input: { id: "Bob", name: "11" }) { id } }')
  for (const more of ['', 'other: node { posts { totalCount } name }']) {
    const again = await subscribe(
      `subscription { authorChanged(after: "${first}", where: { id: { eq: "Bob" }, or: [{ name: { gt: "9" } }, { name: { lt: "9" } }, { name: { isNull: false } }] }) { kind id node { name } ${more} } }`,
    )
    await eventually(() => assert.equal(again.messages.length, 4), 5_000)
    const told = again.messages.slice(1).map(({ payload }) => payload) as {
      data: unknown
      errors?: { message: string; extensions: { code: string } }[]
    }[]
    const codes = told.map(({ errors }) => [...new Set(errors?.map(({ extensions }) => extensions.code))])
    assert.deepEqual(codes, [['RESYNC_REQUIRED'], [], []])
    again.socket.terminate()
  }
})

test('a subscription whose collection is deleted is told so, by WebSocket and by SSE', async () => {
  const query = 'subscription { noteChanged { id } }'
  const clients = [await subscribe(query), await subscribe('subscription { notesLive { cursor nodes { id } } }')]
  const headers = { ...json, authorization, accept: 'text/event-stream' }
  const events = await fetch(url, { method: 'POST', headers, body: JSON.stringify({ query }) })
  await writeUntil('mutation { createNote(input: { text: "a" }) { id } }', () =>
    clients.every(({ messages }) => messages.length > 1),
  )
  await deleteCollection(blog.owner, blog.ids.notes ?? '')
  assert.match(await events.text(), /"code":"SCHEMA_CHANGED"/)
  for (const client of clients) {
    while (client.messages.at(-1)?.type !== 'complete') await client.received(client.messages.length + 1)
    assert.match(JSON.stringify(client.messages.at(-2)), /"code":"SCHEMA_CHANGED"/)
    client.socket.terminate()
  }
})
