import assert from 'node:assert/strict'
import { test } from 'node:test'
import { blog, payloads } from '../../src/testing/blog-stage.ts'

const bulk = (inputs: object[]) => ({
  source: 'mutation ($inputs: [CreatePostInput!]!) { createPosts(inputs: $inputs) { id title views author { name } } }',
  variables: { inputs },
})

test('createPosts: all in the order of the inputs, with an event each; or none', async () => {
  const { source, variables } = bulk([
    { id: 'b', title: 'x' },
    { id: 'a', title: 'y', views: 3, author: 'Ann' },
  ])
  const { createPosts } = (await blog.done(blog.owner, source, variables)) ?? {}
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
  await blog.refused(
    blog.owner,
    wrong.source,
    'INVALID This has at most 20 characters. (inputs.1.title)',
    wrong.variables,
  )
  const twice = bulk([{ title: 'x' }, { id: 'a', title: 'y' }])
  await blog.refused(blog.owner, twice.source, 'CONFLICT Another document has this id. (inputs.1.id)', twice.variables)
  const absent = bulk([{ title: 'x' }, { title: 'y', author: 'absent' }])
  await blog.refused(blog.owner, absent.source, /^INVALID There is no such document/, absent.variables)
  assert.deepEqual(await blog.done(blog.owner, source, { inputs: [] }), { createPosts: [] })
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
  await blog.done(blog.owner, source, variables)
  await blog.world.app.sql.query('truncate events.outbox')
  const bob = blog.as('bob')
  const change =
    'updatePosts(where: { title: { eq: "x" } }, set: { draft: true }, apply: { views: { increment: 2, max: 7 } }) { count ids }'
  assert.deepEqual(await blog.done(bob, `mutation { ${change} }`), { updatePosts: { count: 2, ids: ['p1', 'p2'] } })
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
  await blog.refused(bob, `mutation { ${change} }`, 'INVALID This would pass its bounds. (apply.views)')
  await blog.refused(
    bob,
    'mutation { updatePosts(where: {}, set: { draft: false }) { count } }',
    'FORBIDDEN You may not change this document.',
  )
  // Though two of them would have the same unique value before it came to the third.
  const twice = 'mutation { updatePosts(where: {}, set: { slug: "s", views: 1 }) { count } }'
  await blog.refused(bob, twice, 'FORBIDDEN You may not change this document.')
  await blog.refused(
    bob,
    'mutation { deletePosts(where: {}) { count } }',
    'FORBIDDEN You may not change this document.',
  )
  const gone = await blog.done(bob, 'mutation { deletePosts(where: { title: { eq: "x" } }) { count ids } }')
  assert.deepEqual(gone, { deletePosts: { count: 2, ids: ['p1', 'p2'] } })
  assert.deepEqual(await blog.done(blog.owner, '{ posts { nodes { id } } }'), {
    posts: { nodes: [{ id: 'p3' }, { id: 'p4' }] },
  })
})

test('a condition that says nothing, as one whose variable is not given, changes and deletes nothing', async () => {
  const nothing = (at: string) =>
    new RegExp(`^INVALID This says nothing: say what of it, or leave it out\\. \\(where\\.${at}\\)$`)
  for (const [where, at] of [
    ['{ id: { eq: $id } }', 'id'],
    ['{ or: [{ title: { eq: "x" } }, { id: { eq: $id } }] }', 'or\\.1\\.id'],
    ['{ not: { id: {} } }', 'not\\.id'],
    ['{ or: [{ title: { eq: "x" } }, {}] }', 'or\\.1'],
    ['{ and: [] }', 'and'],
    ['{ comments: { every: {} } }', 'comments\\.every'],
  ] as const) {
    const head = where.includes('$id') ? '($id: ID)' : ''
    await blog.refused(blog.owner, `mutation ${head} { deletePosts(where: ${where}) { count } }`, nothing(at))
  }
  await blog.refused(
    blog.owner,
    'mutation ($w: PostWhere!) { updatePosts(where: $w, set: { draft: true }) { count } }',
    nothing('id'),
    { w: { id: {} } },
  )
  // What only reads may leave its conditions to variables.
  const { posts, all } = await blog.done(
    blog.owner,
    'query ($id: ID) { posts(where: { id: { eq: $id } }) { totalCount } all: posts { totalCount } }',
  )
  assert.deepEqual(posts, all)
})

test('nor does one of which nothing is left without its variables', async () => {
  const head = 'mutation ($id: IDFilter)'
  for (const [where, at] of [
    ['{ id: $id }', 'where'],
    ['{ title: { ne: "x" }, author: { id: $id } }', 'where\\.author'],
    ['{ or: { comments: { some: { id: $id } } } }', 'where\\.or\\.0\\.comments\\.some'],
  ] as const) {
    const nothing = new RegExp(`^INVALID This says nothing: say what of it, or leave it out\\. \\(${at}\\)$`)
    await blog.refused(blog.owner, `${head} { deletePosts(where: ${where}) { count } }`, nothing)
    await blog.refused(blog.owner, `${head} { updatePosts(where: ${where}, set: { draft: true }) { count } }`, nothing)
  }
  const others = '{ or: [], author: {}, comments: { some: {} }, id: $id }'
  const answer = await blog.done(blog.owner, `${head} { deletePosts(where: ${others}) { count } }`)
  assert.deepEqual(answer, { deletePosts: { count: 0 } })
})

test('upsert: creates, then changes; each needs its right; what may not be read is a conflict', async () => {
  const upsert =
    'mutation { upsertPost(input: { id: "p1", title: "x" }, apply: { views: { increment: 1 } }) { version title views } }'
  const ann = blog.as('ann')
  assert.deepEqual(await blog.done(ann, upsert), { upsertPost: { version: 1, title: 'x', views: 0 } })
  assert.deepEqual(await blog.done(ann, upsert), { upsertPost: { version: 2, title: 'x', views: 1 } })
  const told = (await payloads()).map(({ type }) => type)
  assert.deepEqual(told.slice(-2), ['documents.created', 'documents.updated'])
  await blog.refused(blog.as('bob'), upsert, 'CONFLICT Another document has this id. (input.id)')
  await blog.refused(blog.as('bob', ['staff']), upsert, 'FORBIDDEN You may not change this document.')
  await blog.refused(ann, upsert.replace('apply', 'ifVersion: 1, apply'), /^CONFLICT .* version/)
})

test('8 upserts of one new document at once: one creates it, all others change it', async () => {
  const upsert = 'mutation { upsertPost(input: { id: "p9", title: "x" }) { id } }'
  await Promise.all(Array.from({ length: 8 }, () => blog.done(blog.owner, upsert)))
  assert.deepEqual(await blog.done(blog.owner, '{ post(id: "p9") { version } }'), { post: { version: 8 } })
})

test('50 changes of one document at once: each has its own event, in the order of the rows', async () => {
  await blog.done(blog.owner, 'mutation { createPost(input: { id: "p1", title: "x" }) { id } }')
  await Promise.all(
    Array.from({ length: 50 }, (_, i) =>
      blog.done(blog.owner, `mutation { updatePost(input: { id: "p1", views: ${i + 1} }) { id } }`),
    ),
  )
  const updates = (await payloads()).filter(({ type }) => type === 'documents.updated').map(({ payload }) => payload)
  assert.equal(updates.length, 50)
  updates.reduce((before, { before: seen, after }) => {
    assert.equal(seen.views, before)
    return after.views
  }, 0)
})
