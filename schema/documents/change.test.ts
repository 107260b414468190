import assert from 'node:assert/strict'
import { after, afterEach, before, test } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import fc from 'fast-check'
import pg from 'pg'
import { type Context, sqlTransaction } from '../../src/context.ts'
import { encodeCursor } from '../../src/cursor.ts'
import { raiseRevision } from '../../src/modules/databases/revision.ts'
import { type Blog, createBlog } from '../../src/testing/blog.ts'
import { listen, type Outcome, operate, type Payloads } from '../../src/testing/operation.ts'
import { within } from '../../src/testing/stream.ts'
import { createWorld, type World } from '../../src/testing/world.ts'
import { type Relay, startRelay } from '../../workers/relay.ts'
import { createSchemas, type Schemas } from '../schemas.ts'

let world: World
let blog: Blog
let relay: Relay
let schemas: Schemas

before(async () => {
  world = await createWorld()
  blog = await createBlog(world)
  relay = startRelay(world.app)
  schemas = createSchemas(world.app)
  await run('createAuthor(input: { id: "Ann", name: "Ann" }) { id }')
})

after(async () => {
  await schemas.close()
  await relay.stop()
  await world.close()
})

async function run(source: string, ctx: Context = blog.owner) {
  assert.deepEqual((await operate(schemas, ctx, `mutation { ${source} }`)).errors, [])
}

const streams: Payloads[] = []

afterEach(async () => {
  for (const stream of streams.splice(0)) await stream.return()
})

/** The cursor of what has happened so far: what was committed before may still be on its way to the node. */
async function here(): Promise<string> {
  const { sql, tails } = world.app
  while ((await sql.query('select from events.outbox limit 1')).rows.length > 0) await sleep(5)
  const { projectId } = blog
  return encodeCursor(world.env.SECRET_KEYS, { epoch: tails.epoch, projectId }, await tails.head(projectId))
}

async function open(ctx: Context, fields: string, where: object | null = null, after?: string): Promise<Payloads> {
  const source = `subscription ($where: PostWhere, $after: String) { postChanged(where: $where, after: $after) { ${fields} } }`
  const stream = await listen(schemas, ctx, source, { where, after: after ?? (await here()) })
  streams.push(stream)
  return stream
}

async function next(stream: Payloads): Promise<Outcome['data']> {
  const { value } = await within(stream.next(), 5_000, 'no change came')
  assert.deepEqual(value?.errors, [])
  return value?.data?.postChanged
}

const kinds = 'kind id changedFields node { title views } cursor at'

test('a change is what it means to the subscriber', async () => {
  const ann = blog.as('ann')
  const stream = await open(ann, kinds, { views: { gt: 5 } })
  const readable = 'permissions: [{ right: READ, role: "user:ann" }]'
  await run(`createPost(input: { id: "hidden", title: "x", views: 9 }) { id }`)
  await run(`createPost(input: { id: "a", title: "x", views: 9, ${readable} }) { id }`)
  await run(`createPost(input: { id: "low", title: "x", views: 1, ${readable} }) { id }`)
  await run('updatePost(input: { id: "a", title: "y" }) { id }')
  await run('updatePost(input: { id: "a", views: 0 }) { id }')
  await run('updatePost(input: { id: "a", title: "z" }) { id }')
  await run('updatePost(input: { id: "a", views: 7 }) { id }')
  await run('updatePost(input: { id: "a", permissions: [] }) { id }')
  await run(`updatePost(input: { id: "a", ${readable} }) { id }`)
  await run('deletePost(id: "low")')
  await run('deletePost(id: "hidden")')
  await run('deletePost(id: "a")')
  const seen = []
  for (let i = 0; i < 7; i++) {
    const change = await next(stream)
    assert.match(change?.at, /Z$/)
    seen.push([change?.kind, change?.id, change?.node?.title ?? null, change?.changedFields.join()])
  }
  assert.deepEqual(seen, [
    ['CREATED', 'a', 'x', ''],
    ['UPDATED', 'a', 'y', 'title'],
    ['LEFT', 'a', null, 'views'],
    ['ENTERED', 'a', 'z', 'views'],
    ['LEFT', 'a', null, 'permissions'],
    ['ENTERED', 'a', 'z', 'permissions'],
    ['DELETED', 'a', null, ''],
  ])
})

test('a stream goes on from a cursor', async () => {
  const stream = await open(blog.owner, kinds)
  for (const i of [0, 1, 2]) await run(`createPost(input: { id: "r${i}", title: "x" }) { id }`)
  const first = await next(stream)
  const resumed = await open(blog.owner, kinds, null, first?.cursor)
  assert.deepEqual([(await next(resumed))?.id, (await next(resumed))?.id], ['r1', 'r2'])
})

test("a node's own fields are the logged row; its relations are read by the subscriber's rights", async () => {
  const ann = blog.as('ann')
  await run(
    'createPost(input: { id: "n", title: "x", author: "Ann", permissions: [{ right: READ, role: "user:ann" }] }) { id }',
  )
  await run('createComment(input: { body: "hidden", post: "n" }) { id }')
  const stream = await open(
    ann,
    'node { title author { name posts(where: { id: { eq: "n" } }) { nodes { title } } } comments { totalCount } } a: node { t: title }',
  )
  await run('updatePost(input: { id: "n", title: "y" }) { id }')
  await run('updatePost(input: { id: "n", title: "z" }) { id }')
  await here()
  const change = await next(stream)
  assert.deepEqual(change, {
    node: { title: 'y', author: { name: 'Ann', posts: { nodes: [{ title: 'z' }] } }, comments: { totalCount: 0 } },
    a: { t: 'y' },
  })
})

test('without relations nothing is read from PostgreSQL for a delivery', async () => {
  const texts: string[] = []
  const { query } = pg.Client.prototype
  const stream = await open(blog.owner, kinds)
  await run('createPost(input: { id: "q", title: "x" }) { id }')
  pg.Client.prototype.query = function (this: pg.Client, ...args: unknown[]) {
    const text = String((args[0] as { text?: string }).text ?? args[0])
    if (text.includes(`"${blog.projectId}"`)) texts.push(text)
    return Reflect.apply(query, this, args)
  } as typeof query
  try {
    assert.equal((await next(stream))?.id, 'q')
  } finally {
    pg.Client.prototype.query = query
  }
  assert.deepEqual(texts, [])
})

test('a filter on related rows is refused, and so is a cursor of nothing', async () => {
  await assert.rejects(
    open(blog.owner, kinds, { author: { name: { eq: 'Ann' } } }),
    /A live filter looks at the document alone/,
  )
  const stream = await open(blog.owner, kinds, null, 'x').catch((error) => error)
  const refused = stream instanceof Error ? stream : await stream.next().catch((error: Error) => error)
  assert.match(String(refused.message ?? refused), /cursor/)
})

test('a collection that is no longer readable delivers nothing more', async () => {
  const staff = blog.as('sam', ['staff'])
  const stream = await open(staff, kinds)
  await run('createPost(input: { id: "s1", title: "x" }) { id }')
  assert.equal((await next(stream))?.id, 's1')
  const set = async (permissions: string[]) => {
    await world.app.db.collection.update({ where: { id: blog.ids.posts ?? '' }, data: { permissions } })
    await sqlTransaction(blog.owner, raiseRevision)
    await sleep(1_000)
  }
  await set(['create:users'])
  await run('createPost(input: { id: "s2", title: "x" }) { id }')
  await run('createPost(input: { id: "s3", title: "x", permissions: [{ right: READ, role: "label:staff" }] }) { id }')
  assert.equal((await next(stream))?.id, 's3')
  await set(['create:users', 'read:label:staff'])
})

const step = fc.record({
  id: fc.constantFrom('x1', 'x2', 'x3'),
  readable: fc.boolean(),
  views: fc.integer({ min: 0, max: 3 }),
  remove: fc.nat(4).map((n) => n === 0),
})

test('the changes put together are what the query answers', async () => {
  const ann = blog.as('ann')
  let times = 0
  await fc.assert(
    fc.asyncProperty(fc.array(step, { minLength: 5, maxLength: 25 }), async (steps) => {
      times += 1
      const name = (id: string) => `${id}-${times}`
      const where = { views: { gte: 1, ne: 2 }, id: { in: ['x1', 'x2', 'x3', 'end'].map(name) } }
      const stream = await open(ann, kinds, where)
      const present = new Set<string>()
      for (const { id: short, readable, views, remove } of steps) {
        const id = name(short)
        const fields = `views: ${views}, permissions: [${readable ? '{ right: READ, role: "user:ann" }' : ''}]`
        if (!present.has(id)) await run(`createPost(input: { id: "${id}", title: "x", ${fields} }) { id }`)
        else if (remove) await run(`deletePost(id: "${id}")`)
        else await run(`updatePost(input: { id: "${id}", ${fields} }) { id }`)
        if (present.has(id) && remove) present.delete(id)
        else present.add(id)
      }
      await run(
        `createPost(input: { id: "${name('end')}", title: "x", views: 3, permissions: [{ right: READ, role: "user:ann" }] }) { id }`,
      )
      const rows = new Map<string, { id: string; views: number }>()
      for (let change = await next(stream); change?.id !== name('end'); change = await next(stream)) {
        const had = rows.has(change?.id)
        assert.equal(had, ['UPDATED', 'DELETED', 'LEFT'].includes(change?.kind), change?.kind)
        if (change?.node) rows.set(change.id, { id: change.id, views: change.node.views })
        else rows.delete(change?.id)
      }
      await run(`deletePost(id: "${name('end')}")`)
      const { data } = await operate(
        schemas,
        ann,
        'query ($where: PostWhere) { posts(where: $where) { nodes { id views } } }',
        { where },
      )
      assert.deepEqual(
        [...rows.values()].sort((a, b) => (a.id < b.id ? -1 : 1)),
        data?.posts.nodes,
      )
      await stream.return()
      for (const id of present) await run(`deletePost(id: "${id}")`)
    }),
    { numRuns: 6, endOnFailure: true },
  )
})
