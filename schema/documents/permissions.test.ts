import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
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
  const make = async (ctx: Context, source: string) =>
    assert.deepEqual((await run(ctx, `mutation { ${source} { id } }`)).errors, [])
  await make(blog.owner, 'createAuthor(input: { id: "Ann", name: "Ann" })')
  await make(blog.as('ann'), 'createPost(input: { id: "anns", title: "Ann\'s", author: "Ann", views: 1 })')
  await make(blog.as('bob'), 'createPost(input: { id: "bobs", title: "Bob\'s", author: "Ann", views: 2 })')
  await make(
    blog.as('ann'),
    'createPost(input: { id: "open", title: "Open", author: "Ann", views: 3, permissions: [{ right: READ, role: "users" }, { right: UPDATE, role: "user:ann" }] })',
  )
  await make(
    blog.as('bob'),
    'createComment(input: { id: "c1", body: "on bobs", post: "bobs", permissions: [{ right: READ, role: "users" }] })',
  )
})

after(async () => {
  await schemas.close()
  await world.close()
})

const run = (ctx: Context, source: string, variables = {}) => operate(schemas, ctx, source, variables)
const ids = async (ctx: Context, where = '{}') =>
  (await run(ctx, `{ posts(where: ${where}) { nodes { id } } }`)).data?.posts.nodes.map(({ id }: { id: string }) => id)

test('who reads what', async () => {
  assert.deepEqual(await ids(blog.owner), ['anns', 'bobs', 'open'])
  assert.deepEqual(await ids(blog.key('documents.read')), ['anns', 'bobs', 'open'])
  assert.deepEqual(await ids(blog.as('ann')), ['anns', 'open'])
  assert.deepEqual(await ids(blog.as('bob')), ['bobs', 'open'])
  assert.deepEqual(await ids(blog.as('eve')), ['open'])
  assert.deepEqual(await ids(blog.as('eve', ['staff'])), ['anns', 'bobs', 'open'])
})

test('counts, relations and pages hold only what may be read', async () => {
  const { data } = await run(
    blog.as('ann'),
    '{ posts { totalCount pageInfo { endCursor } } author(id: "Ann") { posts(orderBy: [{ views: DESC }]) { totalCount nodes { id } } } comments { nodes { body post { title } } } post(id: "bobs") { id } }',
  )
  assert.equal(data?.posts.totalCount, 2)
  assert.deepEqual(data?.author.posts, { totalCount: 2, nodes: [{ id: 'open' }, { id: 'anns' }] })
  assert.deepEqual(data?.comments.nodes, [{ body: 'on bobs', post: null }])
  assert.equal(data?.post, null)
})

test('a filter through a relation sees only what may be read', async () => {
  const found = async (ctx: Context, where: string) =>
    (await run(ctx, `{ comments(where: ${where}) { totalCount } }`)).data?.comments.totalCount
  assert.equal(await found(blog.as('bob'), '{ post: { title: { startsWith: "Bob" } } }'), 1)
  assert.equal(await found(blog.as('ann'), '{ post: { title: { startsWith: "Bob" } } }'), 0)
  assert.equal(await found(blog.as('ann'), '{ post: { id: { eq: "bobs" } } }'), 0)
  assert.equal(await found(blog.as('ann'), '{ not: { post: {} } }'), 1)
})

type Right = 'read' | 'update' | 'delete'

test('each right by itself, through the collection and through the document', async () => {
  const change = {
    update: 'mutation { updatePost(input: { id: "m", views: 9 }) { id } }',
    delete: 'mutation { deletePost(id: "m") }',
  }
  const table = `"${blog.projectId}"."${blog.ids.posts}"`
  for (const held of [
    [],
    ['read'],
    ['update'],
    ['delete'],
    ['read', 'update'],
    ['read', 'delete'],
    ['read', 'update', 'delete'],
  ] as Right[][]) {
    for (const verb of ['update', 'delete'] as const) {
      await world.app.sql.query(`delete from ${table} where "_id" = 'm'`)
      await world.app.sql.query(
        `insert into ${table} ("_id", title, "_read", "_update", "_delete") values ('m', 'm', $1, $2, $3)`,
        (['read', 'update', 'delete'] as const).map((right) => (held.includes(right) ? ['user:eve'] : [])),
      )
      const { errors } = await run(blog.as('eve'), change[verb])
      const expected = !held.includes('read')
        ? [`NOT_FOUND There is no such document. (${verb === 'delete' ? 'id' : 'input.id'})`]
        : held.includes(verb)
          ? []
          : ['FORBIDDEN You may not change this document.']
      assert.deepEqual(errors, expected, `${verb} with ${held.join(' and ') || 'nothing'}`)
    }
  }
  await world.app.sql.query(`delete from ${table} where "_id" = 'm'`)
})

test('the creator may do everything with it, and grants only what they hold', async () => {
  const eve = blog.as('eve')
  const { data } = await run(
    eve,
    'mutation { createPost(input: { id: "eves", title: "x" }) { permissions { right role } } }',
  )
  assert.deepEqual(
    data?.createPost.permissions,
    ['READ', 'UPDATE', 'DELETE'].map((right) => ({ right, role: 'user:eve' })),
  )
  const grant = (role: string) =>
    `mutation { updatePost(input: { id: "eves", permissions: [{ right: READ, role: "user:eve" }, { right: WRITE, role: "user:eve" }, { right: READ, role: "${role}" }] }) { id } }`
  for (const role of ['user:bob', 'label:staff', 'team:t', 'guests', 'users/verified']) {
    assert.deepEqual((await run(eve, grant(role))).errors, [
      `FORBIDDEN You may not grant the role ${role}: you do not hold it.`,
    ])
  }
  for (const role of ['any', 'users', 'users/unverified', 'user:eve'])
    assert.deepEqual((await run(eve, grant(role))).errors, [])
  // What somebody else granted before may stay.
  assert.deepEqual((await run(blog.owner, grant('user:bob'))).errors, [])
  assert.deepEqual((await run(eve, grant('user:bob'))).errors, [])
  assert.deepEqual((await run(eve, 'mutation { deletePost(id: "eves") }')).errors, [])
})

test('a post that may not be read cannot be pointed at, in the words of one that is not there', async () => {
  const answers = await Promise.all(
    ['bobs', 'absent'].map((id) =>
      run(blog.as('ann'), `mutation { createComment(input: { body: "x", post: "${id}" }) { id } }`),
    ),
  )
  assert.deepEqual(answers[0], answers[1])
  assert.deepEqual(answers[0]?.errors, ['INVALID There is no such document. (input.post)'])
})

test('nor can one of the same collection, by any form of writing', async () => {
  const [ann, bob] = [blog.as('ann'), blog.as('bob')]
  await run(bob, 'mutation { createComment(input: { id: "hidden", body: "x" }) { id } }')
  await run(ann, 'mutation { createComment(input: { id: "own", body: "own" }) { id } }')
  const forms = {
    'createComment(input: { body: "x", replyTo: $to }) { id }': 'input.replyTo',
    'createComments(inputs: [{ body: "x" }, { body: "y", replyTo: $to }]) { id }': 'inputs.1.replyTo',
    'updateComment(input: { id: "own", replyTo: $to }) { id }': 'input.replyTo',
    'updateComments(where: { body: { eq: "own" } }, set: { replyTo: $to }) { count }': 'set.replyTo',
    'upsertComment(input: { id: "own", body: "x", replyTo: $to }) { id }': 'input.replyTo',
    'upsertComments(inputs: [{ id: "own", body: "x", replyTo: $to }]) { id }': 'inputs.0.replyTo',
  }
  for (const [form, path] of Object.entries(forms)) {
    for (const to of ['hidden', 'absent']) {
      const { errors } = await run(ann, `mutation ($to: ID!) { ${form} }`, { to })
      assert.deepEqual(errors, [`INVALID There is no such document. (${path})`], `${form} ${to}`)
    }
  }
  const itself = 'mutation { createComment(input: { id: "self", body: "x", replyTo: "self" }) { replyTo { id } } }'
  assert.deepEqual((await run(ann, itself)).data, { createComment: { replyTo: { id: 'self' } } })
  await run(blog.owner, 'mutation { deleteComments(where: { id: { in: ["hidden", "own", "self"] } }) { count } }')
})

test('the answer of a change reads its relations by the same rules', async () => {
  const ann = blog.as('ann')
  const { data } = await run(
    ann,
    'mutation { updatePost(input: { id: "anns", title: "Ann\'s" }) { author { posts { totalCount nodes { id } } } comments { totalCount } } }',
  )
  assert.deepEqual(data?.updatePost, {
    author: { posts: { totalCount: 2, nodes: [{ id: 'anns' }, { id: 'open' }] } },
    comments: { totalCount: 0 },
  })
})

test('a key may do what its scopes say, and its answers hold no more', async () => {
  const [reader, writer, none] = [blog.key('documents.read'), blog.key('documents.write'), blog.key('users.read')]
  assert.match(
    (await run(reader, 'mutation { deletePost(id: "open") }')).errors[0] ?? '',
    /not configured to execute mutation|Cannot query field/,
  )
  assert.match((await run(writer, '{ posts { totalCount } }')).errors[0] ?? '', /Cannot query field/)
  assert.match((await run(none, '{ posts { totalCount } }')).errors[0] ?? '', /Cannot query field/)
  assert.match(
    (await run(writer, 'mutation { updatePost(input: { id: "open", views: 3 }) { author { name } } }')).errors[0] ?? '',
    /Cannot query field/,
  )
  assert.deepEqual(await run(writer, 'mutation { updatePost(input: { id: "open", views: 3 }) { id views } }'), {
    data: { updatePost: { id: 'open', views: 3 } },
    errors: [],
  })
})

test('a guest is told nothing of what guests cannot use', async () => {
  const guest = blog.as(null)
  assert.deepEqual((await run(guest, '{ authors { nodes { name } } }')).data, { authors: { nodes: [{ name: 'Ann' }] } })
  for (const field of ['posts { totalCount }', 'notes { totalCount }', 'nonsense { totalCount }']) {
    assert.match((await run(guest, `{ ${field} }`)).errors[0] ?? '', /^Cannot query field "\w+" on type "Query"\./)
  }
})

/** Two projects that differ only in what Ann may not read. */
test('what may not be read changes no byte of any answer', async () => {
  const operations = [
    '{ posts { totalCount pageInfo { hasNextPage hasPreviousPage startCursor endCursor } edges { cursor node { id title views author { name posts { totalCount nodes { id } } } comments { totalCount nodes { body post { title } replyTo { body } } } } } } }',
    '{ posts(orderBy: [{ views: DESC }, { slug: ASC }], first: 1) { nodes { id } pageInfo { hasNextPage } } }',
    '{ posts(last: 1) { nodes { id } pageInfo { hasPreviousPage } } a: posts(offset: 1) { nodes { id } pageInfo { hasPreviousPage hasNextPage } } }',
    '{ posts(where: { not: { title: { eq: "Open" } } }) { totalCount } comments(where: { not: { post: { title: { contains: "o" } } } }) { nodes { id } totalCount } }',
    '{ author(id: "Ann") { posts(where: { views: { gte: 0 } }) { totalCount pageInfo { hasNextPage } nodes { id comments { totalCount } } } } post(id: "hidden") { id } }',
    'mutation { updatePost(input: { id: "hidden", title: "x" }) { id } }',
    'mutation { deletePost(id: "hidden") }',
    'mutation { createComment(input: { id: "mine", post: "hidden" }) { id } }',
    'mutation { updatePost(input: { id: "anns", title: "A" }) { title author { posts { totalCount } } comments { totalCount } } }',
    'mutation { deleteAuthor(id: "Ann") }',
  ]
  const answers = await Promise.all(
    [false, true].map(async (hidden) => {
      const other = await createBlog(world)
      const make = (source: string) => run(other.owner, `mutation { ${source} { id } }`)
      await make('createAuthor(input: { id: "Ann", name: "Ann" })')
      await make(
        'createPost(input: { id: "anns", title: "Mine", author: "Ann", permissions: [{ right: READ, role: "user:ann" }, { right: WRITE, role: "user:ann" }] })',
      )
      await make(
        'createPost(input: { id: "open", title: "Open", author: "Ann", permissions: [{ right: READ, role: "any" }] })',
      )
      if (hidden)
        await make('createPost(input: { id: "hidden", title: "Secret", views: 99, author: "Ann", slug: "s" })')
      if (hidden) await make('createComment(input: { id: "chidden", body: "Secret", post: "anns" })')
      await make(
        `createComment(input: { id: "c1", body: "x", ${hidden ? 'post: "hidden", replyTo: "chidden", ' : ''}permissions: [{ right: READ, role: "any" }] })`,
      )
      await make('createNote(input: { text: "x" })')
      const told = []
      for (const operation of operations) told.push(JSON.stringify(await run(other.as('ann'), operation)))
      return told
    }),
  )
  assert.deepEqual(answers[0], answers[1])
})
