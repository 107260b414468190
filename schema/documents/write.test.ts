import assert from 'node:assert/strict'
import { test } from 'node:test'
import { blog, payloads } from '../../src/testing/blog-stage.ts'

test('create: what is given, the defaults, and the event with the whole row', async () => {
  const data = await blog.done(
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
  const data = await blog.done(blog.owner, 'mutation { createPost(input: { title: "Hi", views: null }) { id views } }')
  assert.match(data?.createPost.id, /^doc_[0-9a-f]{32}$/)
  assert.equal(data?.createPost.views, null)
})

test('create: what is wrong is named', async () => {
  const create = (input: string) => `mutation { createPost(input: { ${input} }) { id } }`
  await blog.refused(blog.owner, create('title: "x", id: "a b"'), /^INVALID .* \(input\.id\)$/)
  await blog.refused(
    blog.owner,
    create(`title: "${'x'.repeat(21)}"`),
    'INVALID This has at most 20 characters. (input.title)',
  )
  await blog.refused(
    blog.owner,
    create('title: "\\u0000"'),
    'INVALID Text must not contain the character NUL. (input.title)',
  )
  await blog.refused(blog.owner, create('slug: "x"'), /title.*required/)
  await blog.refused(blog.owner, create('title: "x", views: 2147483648'), /32-bit/)
  await blog.refused(
    blog.owner,
    create('title: "x", author: "absent"'),
    'INVALID There is no such document. (input.author)',
  )
  await blog.refused(blog.owner, create('title: "x", permissions: null'), /^INVALID .* \(input\.permissions\)$/)
  await blog.refused(
    blog.owner,
    create('title: "x", permissions: [{ right: READ, role: "everyone" }]'),
    /^INVALID “everyone” is not a role: .* \(input\.permissions\.0\.role\)$/,
  )
  await blog.refused(
    blog.owner,
    create('title: "x", permissions: [{ right: CREATE, role: "any" }]'),
    /^INVALID .* \(input\.permissions\.0\.right\)$/,
  )
})

test('a string counts characters, not bytes', async () => {
  const title = '\u{1F600}'.repeat(20)
  const data = await blog.done(blog.owner, 'mutation ($t: String!) { createPost(input: { title: $t }) { title } }', {
    t: title,
  })
  assert.equal(data?.createPost.title, title)
})

test('conflicts name the field', async () => {
  await blog.done(blog.owner, 'mutation { createPost(input: { id: "p1", title: "x", slug: "s" }) { id } }')
  await blog.refused(
    blog.owner,
    'mutation { createPost(input: { id: "p1", title: "x" }) { id } }',
    'CONFLICT Another document has this id. (input.id)',
  )
  await blog.refused(
    blog.owner,
    'mutation { createPost(input: { title: "x", slug: "s" }) { id } }',
    'CONFLICT Another document has this slug, views. (input.slug)',
  )
})

test('update: what is left out stays; the event has both rows', async () => {
  await blog.done(
    blog.owner,
    'mutation { createPost(input: { id: "p1", title: "x", slug: "s", author: "Ann" }) { id } }',
  )
  const data = await blog.done(
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
  await blog.done(
    blog.owner,
    'mutation { updatePost(input: { id: "p1", title: "y", permissions: [{ right: WRITE, role: "user:ann" }] }) { id } }',
  )
  assert.deepEqual((await payloads()).at(-1).payload.changed, ['permissions'])
})

test('update: what is wrong is named', async () => {
  await blog.done(blog.owner, 'mutation { createPost(input: { id: "p1", title: "x" }) { id } }')
  await blog.refused(
    blog.owner,
    'mutation { updatePost(input: { id: "p1", title: null }) { id } }',
    'INVALID This is required. (input.title)',
  )
  await blog.refused(
    blog.owner,
    'mutation { updatePost(input: { id: "p1", author: "absent" }) { id } }',
    'INVALID There is no such document. (input.author)',
  )
  await blog.refused(
    blog.owner,
    'mutation { updatePost(input: { id: "absent", title: "x" }) { id } }',
    'NOT_FOUND There is no such document. (input.id)',
  )
  await blog.refused(
    blog.owner,
    'mutation ($id: ID!) { updatePost(input: { id: $id, title: "x" }) { id } }',
    'NOT_FOUND There is no such document. (input.id)',
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
    await blog.done(blog.owner, `mutation { ${source} { id } }`)
  }
  await blog.refused(
    blog.owner,
    'mutation { deleteAuthor(id: "Ann") }',
    'CONFLICT Documents of `posts` point at this one. (id)',
  )
  await blog.world.app.sql.query('truncate events.outbox')
  assert.deepEqual(await blog.done(blog.owner, 'mutation { deletePost(id: "p1") }'), { deletePost: 'p1' })
  const told = (await payloads()).map(({ type, payload }) => `${payload.collectionKey} ${payload.id} ${type}`)
  assert.deepEqual(told.sort(), [
    'comments c1 documents.deleted',
    'comments c2 documents.deleted',
    'comments c3 documents.updated',
    'notes n1 documents.deleted',
    'posts p1 documents.deleted',
  ])
  const left = await blog.done(blog.owner, '{ comments { nodes { id replyTo { id } } } notes { totalCount } }')
  assert.deepEqual(left, { comments: { nodes: [{ id: 'c3', replyTo: null }] }, notes: { totalCount: 0 } })
})

test('ifVersion: only what has been seen is changed', async () => {
  await blog.done(blog.owner, 'mutation { createPost(input: { id: "p1", title: "x" }) { id } }')
  const update = 'mutation { updatePost(input: { id: "p1", title: "y" }, ifVersion: 1) { version } }'
  assert.deepEqual(await blog.done(blog.owner, update), { updatePost: { version: 2 } })
  await blog.refused(blog.owner, update, /^CONFLICT .* version/)
  await blog.refused(blog.owner, 'mutation { deletePost(id: "p1", ifVersion: 1) }', /^CONFLICT .* version/)
  assert.deepEqual(await blog.done(blog.owner, 'mutation { deletePost(id: "p1", ifVersion: 2) }'), { deletePost: 'p1' })
})

test('moments are set by servers, not by end users', async () => {
  const source = 'mutation { createPost(input: { title: "x", createdAt: "2020-01-01T00:00:00Z" }) { createdAt } }'
  const key = blog.key('documents.read', 'documents.write')
  assert.deepEqual(await blog.done(key, source), { createPost: { createdAt: '2020-01-01T00:00:00.000Z' } })
  await blog.refused(blog.as('bob'), source, /createdAt/)
})

test('delete: more than it may take along is refused', async () => {
  await blog.done(blog.owner, 'mutation { createPost(input: { id: "p1", title: "x" }) { id } }')
  await blog.world.app.sql.query(
    `insert into "${blog.projectId}"."${blog.ids.comments}" ("_id", post) select 'c' || i, 'p1' from generate_series(1, 10001) i`,
  )
  await blog.refused(blog.owner, 'mutation { deletePost(id: "p1") }', /^LIMIT_EXCEEDED /)
})

test('a table that lost a column under us is a passing state, not a failure', async () => {
  const table = `"${blog.projectId}"."${blog.ids.notes}"`
  await blog.world.app.sql.query(`alter table ${table} rename column text to other`)
  const { errors } = await blog.run(blog.owner, '{ notes { nodes { text } } }')
  await blog.refused(blog.owner, 'mutation { createNote(input: { text: "x" }) { id } }', /^UNAVAILABLE /)
  await blog.world.app.sql.query(`alter table ${table} rename column other to text`)
  assert.match(errors[0] ?? '', /^UNAVAILABLE /)
})
