import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import { type Context, sqlTransaction } from '../../src/context.ts'
import { encodeCursor } from '../../src/cursor.ts'
import { ResyncRequired, Unauthenticated } from '../../src/errors.ts'
import { emit } from '../../src/event.ts'
import { raiseRevision } from '../../src/modules/databases/revision.ts'
import { sessionDeleted } from '../../src/modules/sessions/events.ts'
import { userUpdated } from '../../src/modules/users/events.ts'
import { createGraphql, type Graphql } from '../../src/server.ts'
import { TooSlow } from '../../src/tail.ts'
import { type Blog, createBlog } from '../../src/testing/blog.ts'
import { type Asked, type Fed, feed as feedOf, until } from '../../src/testing/feed.ts'
import { operate } from '../../src/testing/operation.ts'
import { statements } from '../../src/testing/statements.ts'
import { within } from '../../src/testing/stream.ts'
import { createWorld, type World } from '../../src/testing/world.ts'
import { type Relay, startRelay } from '../../workers/relay.ts'
import { createSchemas, type Schemas } from '../schemas.ts'

let world: World
let blog: Blog
let relay: Relay
let schemas: Schemas
let graphql: Graphql
let ann: Context

before(async () => {
  world = await createWorld()
  blog = await createBlog(world)
  ann = blog.as('ann')
  relay = startRelay(world.app)
  schemas = createSchemas(world.app)
  graphql = createGraphql(world.app, schemas)
  await run('createAuthor(input: { id: "Ann", name: "Ann" }) { id }')
})

after(async () => {
  await schemas.close()
  await relay.stop()
  await world.close()
})

const feed = (ctx: Context, asked: Asked) => feedOf(graphql, ctx, asked)

async function run(source: string, ctx: Context = blog.owner) {
  assert.deepEqual((await operate(schemas, ctx, `mutation { ${source} }`)).errors, [])
}

async function here(): Promise<string> {
  const { sql, tails } = world.app
  while ((await sql.query('select from events.outbox limit 1')).rows.length > 0) await sleep(5)
  const { projectId } = blog
  return encodeCursor(world.env.SECRET_KEYS, { epoch: tails.epoch, projectId }, await tails.head(projectId))
}

const own = (name: string) => `permissions: [{ right: READ, role: "user:${name}" }]`
const simple = (where: object | null = null, after: string | null | undefined = null): Asked => ({
  query:
    'subscription ($where: PostWhere, $after: String) { postChanged(where: $where, after: $after) { kind id node { title } } }',
  variables: { where, after },
})
const idsOf = ({ texts }: Fed) => texts.map((text) => JSON.parse(text).data.postChanged.id)

test('equal subscriptions of whoever may read the row share one payload, and nobody else gets one', async () => {
  const begin = await here()
  const feeds = await Promise.all(
    [ann, ann, blog.as('bob'), blog.as('cid')].map((ctx) => feed(ctx, simple(null, begin))),
  )
  const [first, second, bob, cid] = feeds
  await run('createPost(input: { id: "g0", title: "x", permissions: [{ right: READ, role: "any" }] }) { id }')
  for (const fed of feeds) await fed.until(({ length }) => length === 1)
  for (const fed of feeds) assert.equal([fed.texts.splice(0), fed.payloads.splice(0)].length, 2)
  await run(`createPost(input: { id: "g1", title: "x", ${own('ann')} }) { id }`)
  await run('createPost(input: { id: "g2", title: "x", permissions: [{ right: READ, role: "users" }] }) { id }')
  await run(`updatePost(input: { id: "g2", ${own('bob')} }) { id }`)
  await run('createPost(input: { id: "g3", title: "x", permissions: [{ right: READ, role: "any" }] }) { id }')
  for (const fed of feeds) await fed.until(() => idsOf(fed).includes('g3'))
  assert.deepEqual(
    [first, second, bob, cid].map((fed) => fed && idsOf(fed)),
    [
      ['g1', 'g2', 'g2', 'g3'],
      ['g1', 'g2', 'g2', 'g3'],
      ['g2', 'g2', 'g3'],
      ['g2', 'g2', 'g3'],
    ],
  )
  assert.equal(first?.payloads[0], second?.payloads[0])
  assert.equal(first?.payloads[1], bob?.payloads[0])
  assert.notEqual(first?.payloads[2], bob?.payloads[1])
  assert.deepEqual(
    [cid?.texts[1], bob?.texts[1]].map((text) => JSON.parse(text ?? '').data.postChanged.kind),
    ['LEFT', 'UPDATED'],
  )
  for (const fed of feeds) fed.leave()
})

test('relations of many events for many subscribers take few statements', async () => {
  const asked = (ctx: Context) =>
    feed(ctx, { query: 'subscription { postChanged { id node { author { name } } } }', variables: {} })
  const names = Array.from({ length: 30 }, (_, i) => `reader${i}`)
  const feeds = await Promise.all(names.flatMap((name) => [asked(blog.as(name)), asked(blog.as(name))]))
  await sleep(100)
  const inputs = Array.from(
    { length: 20 },
    (_, i) => `{ id: "r${i}", title: "x", author: "Ann", permissions: [{ right: READ, role: "users" }] }`,
  )
  const { texts } = await statements(async () => {
    await run(`createPosts(inputs: [${inputs.join()}]) { id }`)
    for (const fed of feeds) await fed.until(({ length }) => length === 20)
  })
  const read = texts.filter((text) => text.includes('asked.image'))
  assert.ok(read.length >= 1 && read.length <= 20, `${read.length} statements`)
  assert.equal(new Set(feeds.map(({ texts }) => texts.join())).size, 1)
  for (const fed of feeds) fed.leave()
})

test('whoever is read again as somebody else gets what that one may read; whoever is nobody any more gets nothing', async () => {
  let actor = ann.actor
  const changing: Context = { ...ann, reauthenticate: async () => actor && { ...ann, actor } }
  const fed = await feed(changing, simple(null, await here()))
  const told = async (type: typeof userUpdated | typeof sessionDeleted) => {
    const payload = { userId: 'ann', sessionId: 'ses_ann' }
    await sqlTransaction(blog.owner, (tx) => emit(tx, type as typeof sessionDeleted, payload))
  }
  await run('createPost(input: { id: "c1", title: "x" }) { id }')
  await run(`createPost(input: { id: "c2", title: "x", ${own('ann')} }) { id }`)
  await fed.until(({ length }) => length === 1)
  actor = blog.as('ann', ['staff']).actor
  await told(userUpdated)
  await run('createPost(input: { id: "c3", title: "x" }) { id }')
  await fed.until(({ length }) => length === 2)
  actor = null
  await told(sessionDeleted)
  await run('createPost(input: { id: "c4", title: "x" }) { id }')
  await within(fed.ended, 2_000, 'it did not end')
  assert.deepEqual(idsOf(fed), ['c2', 'c3'])
  assert.ok((await fed.ended) instanceof Unauthenticated)
})

test('a filter and a permission are those of the schema of this moment', async () => {
  const staff = blog.as('sam', ['staff'])
  const fed = await feed(staff, simple({ title: { eq: 'x' } }, await here()))
  const set = async (permissions: string[]) => {
    await world.app.db.collection.update({ where: { id: blog.ids.posts ?? '' }, data: { permissions } })
    const former = await schemas.for(staff)
    await sqlTransaction(blog.owner, raiseRevision)
    await until(
      async () => (await schemas.for(staff)) !== former,
      () => 'the schema did not change',
    )
  }
  await run('createPost(input: { id: "s1", title: "x" }) { id }')
  await fed.until(({ length }) => length === 1)
  await set(['create:users'])
  await run('createPost(input: { id: "s2", title: "x" }) { id }')
  await run('createPost(input: { id: "s3", title: "x", permissions: [{ right: READ, role: "label:staff" }] }) { id }')
  await run('updatePost(input: { id: "s3", title: "y" }) { id }')
  await fed.until(({ length }) => length === 3)
  await set(['create:users', 'read:label:staff'])
  assert.deepEqual(idsOf(fed), ['s1', 's3', 's3'])
  fed.leave()
})

test('one who does not take is left behind, reads on, and is cut after a while; the others never notice', async () => {
  const begin = await here()
  const slow = await feed(ann, simple(null, begin))
  const quick = await feed(ann, simple(null, begin))
  const create = (id: string) => run(`createPost(input: { id: "${id}", title: "x", ${own('ann')} }) { id }`)
  await create('w1')
  await slow.until(({ length }) => length === 1)
  slow.isFull = true
  for (const id of ['w2', 'w3', 'w4']) await create(id)
  await quick.until(({ length }) => length === 4)
  slow.isFull = false
  await slow.until(({ length }) => length === 4)
  assert.deepEqual(slow.texts, quick.texts)
  slow.isFull = true
  await create('w5')
  const error = await within(slow.ended, 5_000, 'it was not cut')
  assert.ok(error instanceof TooSlow)
  await create('w6')
  const again = await feed(ann, simple(null, error.cursor))
  await again.until(({ length }) => length === 2)
  assert.deepEqual(idsOf(again), ['w5', 'w6'])
  for (const fed of [quick, again]) fed.leave()
})

test('goes on after a cursor; one that is ahead, or whose filter is not theirs, is told so', async () => {
  const begin = await here()
  for (let i = 0; i < 5; i++) await run(`createPost(input: { id: "z${i}", title: "x", ${own('ann')} }) { id }`)
  const first = await feed(ann, simple(null, begin))
  await first.until(({ length }) => length === 5)
  const resumed = await feed(ann, simple(null, first.payloads[2]?.cursor))
  await resumed.until(({ length }) => length === 2)
  assert.deepEqual(resumed.texts, first.texts.slice(3))
  const { tails, env } = world.app
  const stream = { epoch: tails.epoch, projectId: blog.projectId }
  const ahead = encodeCursor(env.SECRET_KEYS, stream, (await tails.head(blog.projectId)) + 1_000n)
  const refused = await feed(ann, simple(null, ahead))
  assert.ok((await within(refused.ended, 5_000, 'it was not refused')) instanceof ResyncRequired)
  assert.equal(await graphql.feed(ann, simple({ author: { name: { eq: 'Ann' } } })), null)
  for (const fed of [first, resumed]) fed.leave()
})
