import assert from 'node:assert/strict'
import { after, before, beforeEach, test } from 'node:test'
import type { Context } from '../../src/context.ts'
import { type Blog, createBlog } from '../../src/testing/blog.ts'
import { operate } from '../../src/testing/operation.ts'
import { createWorld, type World } from '../../src/testing/world.ts'
import { createSchemas, type Schemas } from '../schemas.ts'

let world: World
let blog: Blog
let schemas: Schemas

before(async () => {
  world = await createWorld()
  blog = await createBlog(world)
  schemas = createSchemas(world.app)
})

beforeEach(async () => {
  const { projectId, ids } = blog
  await world.app.sql.query(
    `truncate ${Object.values(ids)
      .map((id) => `"${projectId}"."${id}"`)
      .join(', ')}`,
  )
  await world.app.sql.query('truncate events.outbox')
  await done(blog.owner, 'mutation { createAuthor(input: { id: "Ann", name: "Ann" }) { id } }')
})

after(async () => {
  await schemas.close()
  await world.close()
})

const run = (ctx: Context, source: string, variables = {}) => operate(schemas, ctx, source, variables)

async function done(ctx: Context, source: string, variables = {}) {
  const { data, errors } = await run(ctx, source, variables)
  assert.deepEqual(errors, [])
  return data
}

/** All that a refused call could have changed. */
async function state(): Promise<string> {
  const tables = [...Object.values(blog.ids).map((id) => `"${blog.projectId}"."${id}"`), 'events.outbox']
  const texts = await Promise.all(
    tables.map(async (table) =>
      JSON.stringify((await world.app.sql.query(`select * from ${table} t order by t::text`)).rows),
    ),
  )
  return texts.join('\n')
}

async function refused(ctx: Context, source: string, error: string | RegExp, variables = {}) {
  const before = await state()
  const { errors } = await run(ctx, source, variables)
  assert.equal(errors.length, 1, errors.join('\n'))
  if (typeof error === 'string') assert.equal(errors[0], error)
  else assert.match(errors[0] ?? '', error)
  assert.equal(await state(), before, 'a refused call changed something')
}

async function payloads() {
  const { rows } = await world.app.sql.query('select name, type, payload from events.outbox order by position')
  return rows
}

test('create: what is given, the defaults, and the event with the whole row', async () => {
  const data = await done(
    blog.owner,
    'mutation { createPost(input: { id: "p1", title: "Hi", author: "Ann", published: "2026-01-01T00:00:00+02:00" }) { id title views draft published author { name } permissions { role } comments { totalCount } createdAt } }',
  )
  const { createdAt, ...post } = data?.createPost ?? {}
  assert.deepEqual(post, {
    id: 'p1',
    title: 'Hi',
    views: 0,
    draft: null,
    published: '2025-12-31T22:00:00.000Z',
    author: { name: 'Ann' },
    permissions: [],
    comments: { totalCount: 0 },
  })
  const event = (await payloads()).at(-1)
  const { databaseId } = event.payload
  assert.equal(event.type, 'documents.created')
  assert.equal(event.name, `databases.${databaseId}.collections.posts.documents.p1.created`)
  assert.deepEqual(event.payload.after, {
    _id: 'p1',
    _createdAt: createdAt,
    _updatedAt: createdAt,
    _version: 1,
    _read: [],
    _update: [],
    _delete: [],
    title: 'Hi',
    slug: null,
    views: 0,
    draft: null,
    published: '2025-12-31T22:00:00.000Z',
    author: 'Ann',
  })
  assert.equal(event.payload.before, null)
})

test('create: an id is made where none is given', async () => {
  const data = await done(blog.owner, 'mutation { createPost(input: { title: "Hi", views: null }) { id views } }')
  assert.match(data?.createPost.id, /^doc_[0-9a-f]{32}$/)
  assert.equal(data?.createPost.views, null)
})

test('create: what is wrong is named', async () => {
  const create = (input: string) => `mutation { createPost(input: { ${input} }) { id } }`
  await refused(blog.owner, create('title: "x", id: "a b"'), /^INVALID .* \(input\.id\)$/)
  await refused(
    blog.owner,
    create(`title: "${'x'.repeat(21)}"`),
    'INVALID This has at most 20 characters. (input.title)',
  )
  await refused(
    blog.owner,
    create('title: "\\u0000"'),
    'INVALID Text must not contain the character NUL. (input.title)',
  )
  await refused(blog.owner, create('slug: "x"'), /title.*required/)
  await refused(blog.owner, create('title: "x", views: 2147483648'), /32-bit/)
  await refused(blog.owner, create('title: "x", author: "absent"'), 'INVALID There is no such document. (input.author)')
  await refused(blog.owner, create('title: "x", permissions: null'), /^INVALID .* \(input\.permissions\)$/)
  await refused(
    blog.owner,
    create('title: "x", permissions: [{ right: READ, role: "everyone" }]'),
    'INVALID This is not a role. (input.permissions.0.role)',
  )
  await refused(
    blog.owner,
    create('title: "x", permissions: [{ right: CREATE, role: "any" }]'),
    /^INVALID .* \(input\.permissions\.0\.right\)$/,
  )
})

test('a string counts characters, not bytes', async () => {
  const title = '\u{1F600}'.repeat(20)
  const data = await done(blog.owner, 'mutation ($t: String!) { createPost(input: { title: $t }) { title } }', {
    t: title,
  })
  assert.equal(data?.createPost.title, title)
})

test('conflicts name the field', async () => {
  await done(blog.owner, 'mutation { createPost(input: { id: "p1", title: "x", slug: "s" }) { id } }')
  await refused(
    blog.owner,
    'mutation { createPost(input: { id: "p1", title: "x" }) { id } }',
    'CONFLICT Another document has this id. (input.id)',
  )
  await refused(
    blog.owner,
    'mutation { createPost(input: { title: "x", slug: "s" }) { id } }',
    'CONFLICT Another document has this slug, views. (input.slug)',
  )
})

test('update: what is left out stays; the event has both rows', async () => {
  await done(blog.owner, 'mutation { createPost(input: { id: "p1", title: "x", slug: "s", author: "Ann" }) { id } }')
  const data = await done(
    blog.owner,
    'mutation { updatePost(input: { id: "p1", title: "y", author: null }) { title slug author { name } updatedAt createdAt } }',
  )
  const { updatedAt, createdAt, ...post } = data?.updatePost ?? {}
  assert.deepEqual(post, { title: 'y', slug: 's', author: null })
  assert.ok(updatedAt >= createdAt)
  const { payload, type } = (await payloads()).at(-1)
  assert.deepEqual(
    [type, payload.before.title, payload.after.title, payload.changed],
    ['documents.updated', 'x', 'y', ['title', 'author']],
  )
  await done(
    blog.owner,
    'mutation { updatePost(input: { id: "p1", title: "y", permissions: [{ right: WRITE, role: "user:ann" }] }) { id } }',
  )
  assert.deepEqual((await payloads()).at(-1).payload.changed, ['permissions'])
})

test('update: what is wrong is named', async () => {
  await done(blog.owner, 'mutation { createPost(input: { id: "p1", title: "x" }) { id } }')
  await refused(
    blog.owner,
    'mutation { updatePost(input: { id: "p1", title: null }) { id } }',
    'INVALID This is required. (input.title)',
  )
  await refused(
    blog.owner,
    'mutation { updatePost(input: { id: "p1", author: "absent" }) { id } }',
    'INVALID There is no such document. (input.author)',
  )
  await refused(
    blog.owner,
    'mutation { updatePost(input: { id: "absent", title: "x" }) { id } }',
    'NOT_FOUND There is no such document.',
  )
  await refused(
    blog.owner,
    'mutation ($id: ID!) { updatePost(input: { id: $id, title: "x" }) { id } }',
    'NOT_FOUND There is no such document.',
    { id: '\0' },
  )
})

test('delete: what points at it goes along, is released, or forbids it, each with its event', async () => {
  for (const source of [
    'createPost(input: { id: "p1", title: "x", author: "Ann" })',
    'createComment(input: { id: "c1", post: "p1" })',
    'createComment(input: { id: "c2", post: "p1", replyTo: "c1" })',
    'createComment(input: { id: "c3", replyTo: "c1" })',
    'createNote(input: { id: "n1", post: "p1" })',
  ]) {
    await done(blog.owner, `mutation { ${source} { id } }`)
  }
  await refused(blog.owner, 'mutation { deleteAuthor(id: "Ann") }', 'CONFLICT Other documents point at this one. (id)')
  await world.app.sql.query('truncate events.outbox')
  assert.deepEqual(await done(blog.owner, 'mutation { deletePost(id: "p1") }'), { deletePost: 'p1' })
  const told = (await payloads()).map(({ type, payload }) => `${payload.collectionKey} ${payload.id} ${type}`)
  assert.deepEqual(told.sort(), [
    'comments c1 documents.deleted',
    'comments c2 documents.deleted',
    'comments c3 documents.updated',
    'notes n1 documents.deleted',
    'posts p1 documents.deleted',
  ])
  const left = await done(blog.owner, '{ comments { nodes { id replyTo { id } } } notes { totalCount } }')
  assert.deepEqual(left, { comments: { nodes: [{ id: 'c3', replyTo: null }] }, notes: { totalCount: 0 } })
})

const bulk = (inputs: object[]) => ({
  source: 'mutation ($inputs: [CreatePostInput!]!) { createPosts(inputs: $inputs) { id title views author { name } } }',
  variables: { inputs },
})

test('createPosts: all in the order of the inputs, with an event each; or none', async () => {
  const { source, variables } = bulk([
    { id: 'b', title: 'x' },
    { id: 'a', title: 'y', views: 3, author: 'Ann' },
  ])
  const { createPosts } = (await done(blog.owner, source, variables)) ?? {}
  assert.deepEqual(createPosts, [
    { id: 'b', title: 'x', views: 0, author: null },
    { id: 'a', title: 'y', views: 3, author: { name: 'Ann' } },
  ])
  const told = (await payloads()).slice(-2).map(({ type, payload }) => [type, payload.id, payload.after._version])
  assert.deepEqual(told, [
    ['documents.created', 'b', 1],
    ['documents.created', 'a', 1],
  ])
  const wrong = bulk([{ title: 'x' }, { title: 'y'.repeat(21) }])
  await refused(blog.owner, wrong.source, 'INVALID This has at most 20 characters. (inputs.1.title)', wrong.variables)
  const twice = bulk([{ title: 'x' }, { id: 'a', title: 'y' }])
  await refused(blog.owner, twice.source, 'CONFLICT Another document has this id. (inputs.1.id)', twice.variables)
  const absent = bulk([{ title: 'x' }, { title: 'y', author: 'absent' }])
  await refused(blog.owner, absent.source, /^INVALID There is no such document/, absent.variables)
  assert.deepEqual(await done(blog.owner, source, { inputs: [] }), { createPosts: [] })
})

test('updatePosts and deletePosts: all that match, each with its event; refused where one may not be changed', async () => {
  const own = [
    { right: 'READ', role: 'user:bob' },
    { right: 'WRITE', role: 'user:bob' },
  ]
  const seen = [{ right: 'READ', role: 'user:bob' }]
  const { source, variables } = bulk([
    { id: 'p1', title: 'x', permissions: own },
    { id: 'p2', title: 'x', views: 5, permissions: own },
    { id: 'p3', title: 'z', permissions: seen },
    { id: 'p4', title: 'x' },
  ])
  await done(blog.owner, source, variables)
  await world.app.sql.query('truncate events.outbox')
  const bob = blog.as('bob')
  const change =
    'updatePosts(where: { title: { eq: "x" } }, set: { draft: true }, apply: { views: { increment: 2, max: 7 } }) { count ids }'
  assert.deepEqual(await done(bob, `mutation { ${change} }`), { updatePosts: { count: 2, ids: ['p1', 'p2'] } })
  const told = (await payloads()).map(({ payload: { id, before, after, changed } }) => [
    id,
    before.views,
    after.views,
    after._version,
    changed,
  ])
  assert.deepEqual(told, [
    ['p1', 0, 2, 2, ['draft', 'views']],
    ['p2', 5, 7, 2, ['draft', 'views']],
  ])
  await refused(bob, `mutation { ${change} }`, 'INVALID This would pass its bounds. (apply.views)')
  await refused(
    bob,
    'mutation { updatePosts(where: {}, set: { draft: false }) { count } }',
    'FORBIDDEN You may not change this document.',
  )
  // Though two of them would have the same unique value before it came to the third.
  const twice = 'mutation { updatePosts(where: {}, set: { slug: "s", views: 1 }) { count } }'
  await refused(bob, twice, 'FORBIDDEN You may not change this document.')
  await refused(bob, 'mutation { deletePosts(where: {}) { count } }', 'FORBIDDEN You may not change this document.')
  const gone = await done(bob, 'mutation { deletePosts(where: { title: { eq: "x" } }) { count ids } }')
  assert.deepEqual(gone, { deletePosts: { count: 2, ids: ['p1', 'p2'] } })
  assert.deepEqual(await done(blog.owner, '{ posts { nodes { id } } }'), {
    posts: { nodes: [{ id: 'p3' }, { id: 'p4' }] },
  })
})

test('ifVersion: only what has been seen is changed', async () => {
  await done(blog.owner, 'mutation { createPost(input: { id: "p1", title: "x" }) { id } }')
  const update = 'mutation { updatePost(input: { id: "p1", title: "y" }, ifVersion: 1) { version } }'
  assert.deepEqual(await done(blog.owner, update), { updatePost: { version: 2 } })
  await refused(blog.owner, update, /^CONFLICT .* version/)
  await refused(blog.owner, 'mutation { deletePost(id: "p1", ifVersion: 1) }', /^CONFLICT .* version/)
  assert.deepEqual(await done(blog.owner, 'mutation { deletePost(id: "p1", ifVersion: 2) }'), { deletePost: 'p1' })
})

test('upsert: creates, then changes; each needs its right; what may not be read is a conflict', async () => {
  const upsert =
    'mutation { upsertPost(input: { id: "p1", title: "x" }, apply: { views: { increment: 1 } }) { version title views } }'
  const ann = blog.as('ann')
  assert.deepEqual(await done(ann, upsert), { upsertPost: { version: 1, title: 'x', views: 0 } })
  assert.deepEqual(await done(ann, upsert), { upsertPost: { version: 2, title: 'x', views: 1 } })
  const told = (await payloads()).map(({ type }) => type)
  assert.deepEqual(told.slice(-2), ['documents.created', 'documents.updated'])
  await refused(blog.as('bob'), upsert, 'CONFLICT Another document has this id. (input.id)')
  await refused(blog.as('bob', ['staff']), upsert, 'FORBIDDEN You may not change this document.')
  await refused(ann, upsert.replace('apply', 'ifVersion: 1, apply'), /^CONFLICT .* version/)
})

test('8 upserts of one new document at once: one creates it, all others change it', async () => {
  const upsert = 'mutation { upsertPost(input: { id: "p9", title: "x" }) { id } }'
  await Promise.all(Array.from({ length: 8 }, () => done(blog.owner, upsert)))
  assert.deepEqual(await done(blog.owner, '{ post(id: "p9") { version } }'), { post: { version: 8 } })
})

test('moments are set by servers, not by end users', async () => {
  const source = 'mutation { createPost(input: { title: "x", createdAt: "2020-01-01T00:00:00Z" }) { createdAt } }'
  const key = blog.key('documents.read', 'documents.write')
  assert.deepEqual(await done(key, source), { createPost: { createdAt: '2020-01-01T00:00:00.000Z' } })
  await refused(blog.as('bob'), source, /createdAt/)
})

test('delete: more than it may take along is refused', async () => {
  await done(blog.owner, 'mutation { createPost(input: { id: "p1", title: "x" }) { id } }')
  await world.app.sql.query(
    `insert into "${blog.projectId}"."${blog.ids.comments}" ("_id", post) select 'c' || i, 'p1' from generate_series(1, 10001) i`,
  )
  await refused(blog.owner, 'mutation { deletePost(id: "p1") }', /^LIMIT_EXCEEDED /)
})

test('50 changes of one document at once: each has its own event, in the order of the rows', async () => {
  await done(blog.owner, 'mutation { createPost(input: { id: "p1", title: "x" }) { id } }')
  await Promise.all(
    Array.from({ length: 50 }, (_, i) =>
      done(blog.owner, `mutation { updatePost(input: { id: "p1", views: ${i + 1} }) { id } }`),
    ),
  )
  const updates = (await payloads()).filter(({ type }) => type === 'documents.updated').map(({ payload }) => payload)
  assert.equal(updates.length, 50)
  updates.reduce((before, { before: seen, after }) => {
    assert.equal(seen.views, before)
    return after.views
  }, 0)
})

test('a table that lost a column under us is a passing state, not a failure', async () => {
  const table = `"${blog.projectId}"."${blog.ids.notes}"`
  await world.app.sql.query(`alter table ${table} rename column text to other`)
  const { errors } = await run(blog.owner, '{ notes { nodes { text } } }')
  await refused(blog.owner, 'mutation { createNote(input: { text: "x" }) { id } }', /^UNAVAILABLE /)
  await world.app.sql.query(`alter table ${table} rename column other to text`)
  assert.match(errors[0] ?? '', /^UNAVAILABLE /)
})
