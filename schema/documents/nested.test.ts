import assert from 'node:assert/strict'
import { after, before, beforeEach, test } from 'node:test'
import type { Actor, Context } from '../../src/context.ts'
import { isRaw, isStream, jsonOf } from '../../src/http/stream.ts'
import { createGraphql } from '../../src/server.ts'
import { createCollections } from '../../src/testing/collections.ts'
import { operate } from '../../src/testing/operation.ts'
import { statements } from '../../src/testing/statements.ts'
import { createWorld, type World } from '../../src/testing/world.ts'
import { createSchemas, type Schemas } from '../schemas.ts'

let world: World
let schemas: Schemas
let owner: Context
let projectId: string
let ids: Record<string, string>

const relation = (to: string, reverseKey: string, more = {}) => ({ type: 'RELATION' as const, to, reverseKey, ...more })
const own = { documentPermissions: true, permissions: ['create:users'] }

before(async () => {
  world = await createWorld()
  const project = await world.createProject()
  owner = project.owner
  projectId = project.projectId
  ids = await createCollections(owner, {
    authors: { permissions: ['read:any', 'create:users'], attributes: { name: { type: 'STRING', required: true } } },
    profiles: {
      ...own,
      attributes: { text: { type: 'STRING' }, author: relation('authors', 'profile', { relation: 'ONE_TO_ONE' }) },
    },
    tags: { ...own, attributes: { name: { type: 'STRING', unique: true } } },
    posts: {
      ...own,
      attributes: {
        title: { type: 'STRING', required: true },
        author: relation('authors', 'posts'),
        tags: relation('tags', 'posts', { relation: 'MANY_TO_MANY' }),
        secret: relation('tags', 'secrets', { relation: 'MANY_TO_MANY', restricted: true, permissions: ['read:any'] }),
      },
    },
    comments: {
      ...own,
      attributes: {
        body: { type: 'STRING' },
        post: relation('posts', 'comments', { required: true, onDelete: 'CASCADE' }),
        replyTo: relation('comments', 'replies'),
      },
    },
    nodes: { attributes: { parent: relation('nodes', 'children') } },
  })
  schemas = createSchemas(world.app)
})

beforeEach(async () => {
  const tables = Object.values(ids).map((id) => `"${projectId}"."${id}"`)
  await world.app.sql.query(`truncate ${tables.join(', ')} cascade`)
  await world.app.sql.query('truncate events.outbox')
})

after(async () => {
  await schemas.close()
  await world.close()
})

const as = (id: string | null) => {
  const actor: Actor | null =
    id === null ? null : { kind: 'user', id, sessionId: `ses_${id}`, verified: false, labels: [] }
  return world.context(projectId, actor)
}
const key = (...scopes: string[]) => world.context(projectId, { kind: 'key', id: 'key_1', scopes: new Set(scopes) })
const run = (ctx: Context, source: string, variables = {}) => operate(schemas, ctx, source, variables)

async function done(ctx: Context, source: string, variables = {}) {
  const { data, errors } = await run(ctx, source, variables)
  assert.deepEqual(errors, [])
  return data ?? {}
}

async function state(): Promise<string> {
  const { rows } = await world.app.sql.query<{ text: string }>(
    `select format('%I.%I', schemaname, tablename) as text from pg_tables where schemaname = $1 order by 1`,
    [projectId],
  )
  const tables = [...rows.map(({ text }) => text), 'events.outbox']
  const found = await Promise.all(tables.map((name) => world.app.sql.query(`select t::text from ${name} t order by 1`)))
  return JSON.stringify(found.map((one) => one.rows))
}

async function refused(ctx: Context, source: string, error: string | RegExp, variables = {}) {
  const earlier = await state()
  const { errors } = await run(ctx, source, variables)
  assert.equal(errors.length, 1, errors.join('\n'))
  if (typeof error === 'string') assert.equal(errors[0], error)
  else assert.match(errors[0] ?? '', error)
  assert.equal(await state(), earlier, 'a refused call changed something')
}

async function events(): Promise<string[]> {
  const { rows } = await world.app.sql.query('select type, payload from events.outbox order by position')
  return rows.map(({ type, payload }) => `${payload.collectionKey} ${type.slice(10)} ${payload.changed.join()}`.trim())
}

test('create: what is pointed at, what points back, and links, in one input', async () => {
  const data = await done(
    as('ann'),
    `mutation { createPost(input: { title: "Hi", newAuthor: { name: "Ann", newProfile: { text: "me" } },
      comments: { create: [{ body: "a", replies: { create: [{ id: "r", body: "b", newPost: { title: "Other" } }] } }, { body: "c" }] },
      tags: { create: [{ name: "x" }, { name: "y" }] } }) {
      version author { name profile { text } } tags(orderBy: [{ name: ASC }]) { nodes { name } } comments { totalCount } } }`,
  )
  assert.deepEqual(data.createPost, {
    version: 1,
    author: { name: 'Ann', profile: { text: 'me' } },
    tags: { nodes: [{ name: 'x' }, { name: 'y' }] },
    comments: { totalCount: 2 },
  })
  const { comment } = await done(as('ann'), '{ comment(id: "r") { post { title } replyTo { body } } }')
  assert.deepEqual(comment, { post: { title: 'Other' }, replyTo: { body: 'a' } })
  assert.deepEqual((await events()).toSorted(), [
    'authors created',
    'comments created',
    'comments created',
    'comments created',
    'posts created',
    'posts created',
    'profiles created',
    'tags created',
    'tags created',
  ])
})

test('many at once take a fixed number of statements', async () => {
  const make = (posts: number) =>
    statements(() =>
      done(as('ann'), 'mutation ($i: [CreatePostInput!]!) { createPosts(inputs: $i) { id comments { totalCount } } }', {
        i: Array.from({ length: posts }, (_, i) => ({
          title: `${i}`,
          newAuthor: { name: `${i}` },
          comments: { create: Array.from({ length: 5 }, () => ({ body: 'x' })) },
          tags: { create: [{ name: `${posts} ${i}` }] },
        })),
      }),
    )
  const few = await make(2)
  const many = await make(100)
  assert.equal(many.result.createPosts.length, 100)
  assert.deepEqual(many.result.createPosts[99].comments, { totalCount: 5 })
  const writes = (texts: string[]) => texts.filter((text) => text.startsWith('with given')).length
  // Authors, posts, tags, comments, links.
  assert.deepEqual([writes(few.texts), writes(many.texts)], [5, 5])
})

test('links: connect, disconnect and set change the document that they are written in', async () => {
  await done(as('ann'), 'mutation { createTags(inputs: [{ id: "t1" }, { id: "t2" }, { id: "t3" }]) { id } }')
  await done(
    as('ann'),
    'mutation { createPost(input: { id: "p", title: "x", tags: { connect: ["t1", "t1"] } }) { id } }',
  )
  await world.app.sql.query('truncate events.outbox')
  const change = async (tags: string) => {
    const { updatePost } = await done(
      as('ann'),
      `mutation { updatePost(input: { id: "p", tags: { ${tags} } }) { version tags { nodes { id } } } }`,
    )
    return [updatePost.version, updatePost.tags.nodes.map(({ id }: { id: string }) => id).join()]
  }
  assert.deepEqual(await change('connect: ["t2", "t1"]'), [2, 't1,t2'])
  assert.deepEqual(await change('connect: ["t2"]'), [3, 't1,t2'])
  assert.deepEqual(await change('disconnect: ["t1", "absent"], connect: ["t3"]'), [4, 't2,t3'])
  assert.deepEqual(await change('set: ["t1", "t3"]'), [5, 't1,t3'])
  assert.deepEqual(await change('set: []'), [6, ''])
  assert.deepEqual(await events(), [
    'posts updated tags',
    'posts updated',
    'posts updated tags',
    'posts updated tags',
    'posts updated tags',
  ])
  const { updateTag } = await done(
    as('ann'),
    'mutation { updateTag(input: { id: "t1", posts: { connect: ["p"] } }) { version posts { totalCount } } }',
  )
  assert.deepEqual(updateTag, { version: 2, posts: { totalCount: 1 } })
  assert.equal((await events()).at(-1), 'tags updated posts')
})

test('what cannot be read cannot be linked, and stays linked', async () => {
  await done(as('bob'), 'mutation { createTags(inputs: [{ id: "b" }]) { id } }')
  await done(as('ann'), 'mutation { createTag(input: { id: "a" }) { id } }')
  await done(
    owner,
    'mutation { createPost(input: { id: "p", title: "x", tags: { connect: ["b"] }, permissions: [{ right: READ, role: "users" }, { right: UPDATE, role: "user:ann" }] }) { id } }',
  )
  const change = (tags: string) =>
    `mutation { updatePost(input: { id: "p", tags: { ${tags} } }) { tags { nodes { id } } } }`
  await refused(as('ann'), change('connect: ["a", "b"]'), 'INVALID There is no such document. (input.tags.connect.1)')
  await refused(as('ann'), change('connect: ["none"]'), 'INVALID There is no such document. (input.tags.connect.0)')
  await refused(owner, change('connect: ["none"]'), 'INVALID There is no such document. (input.tags.connect.0)')
  await refused(as('bob'), change('connect: ["b"]'), 'FORBIDDEN You may not change this document.')
  await refused(key('documents.read'), change('connect: ["b"]'), /Cannot|Unknown|not/)
  await refused(as('ann'), change('connect: ["\\u0000"]'), /^INVALID There is no such document/)
  await done(as('ann'), change('set: ["a"], create: []'))
  await done(as('ann'), change('disconnect: ["b"]'))
  const { post } = await done(key('documents.read'), '{ post(id: "p") { tags { nodes { id } } } }')
  assert.deepEqual(post.tags.nodes, [{ id: 'a' }, { id: 'b' }])
  await refused(
    as('eve'),
    'mutation { updateTag(input: { id: "a", posts: { connect: ["p"] } }) { id } }',
    'NOT_FOUND There is no such document.',
  )
})

test('field rights hold for links', async () => {
  await done(owner, 'mutation { createTag(input: { id: "t", secrets: { create: [{ title: "x" }] } }) { id } }')
  await refused(as('ann'), 'mutation { createPost(input: { title: "x", secret: { connect: [] } }) { id } }', /secret/)
})

test('what points here: created, connected, let go', async () => {
  await done(as('ann'), 'mutation { createPosts(inputs: [{ id: "p", title: "x" }, { id: "q", title: "y" }]) { id } }')
  await done(
    as('bob'),
    'mutation { createPost(input: { id: "bobs", title: "z", permissions: [{ right: READ, role: "users" }] }) { id } }',
  )
  const { createAuthor } = await done(
    as('ann'),
    'mutation { createAuthor(input: { id: "a", name: "A", posts: { connect: ["p"], create: [{ title: "new" }] } }) { posts { totalCount } } }',
  )
  assert.equal(createAuthor.posts.totalCount, 2)
  assert.deepEqual((await events()).slice(-3), ['authors created', 'posts created', 'posts updated author'])
  const change = (posts: string) =>
    `mutation { updateAuthor(input: { id: "a", posts: { ${posts} } }) { version posts(where: { id: { in: ["p", "q", "bobs"] } }) { nodes { id } } } }`
  await done(owner, change('set: ["q"]'))
  const { author } = await done(owner, '{ author(id: "a") { posts { nodes { id } } } }')
  assert.deepEqual(author.posts.nodes, [{ id: 'q' }])
  await done(owner, change('disconnect: ["q", "p"]'))
  await refused(
    as('ann'),
    'mutation { createAuthor(input: { name: "B", posts: { connect: ["p", "bobs"] } }) { id } }',
    'FORBIDDEN You may not change this document.',
  )
  await refused(
    as('ann'),
    'mutation { createAuthor(input: { name: "B", posts: { connect: ["p", "none"] } }) { id } }',
    'INVALID There is no such document. (input.posts.connect.1)',
  )
  await done(owner, 'mutation { createComment(input: { id: "c", post: "p" }) { id } }')
  for (const part of ['disconnect: ["c"]', 'set: []']) {
    await refused(
      owner,
      `mutation { updatePost(input: { id: "p", comments: { ${part} } }) { id } }`,
      new RegExp(`^INVALID .*post.* \\(input\\.comments\\.${part.split(':')[0]}\\)$`),
    )
  }
})

test('one-to-one from its other end: the former one is let go, a taken one is a conflict', async () => {
  await done(owner, 'mutation { createAuthor(input: { id: "a", name: "A", newProfile: { id: "p1" } }) { id } }')
  await done(owner, 'mutation { createProfile(input: { id: "p2" }) { id } }')
  const change = async (profile: string) =>
    (await done(owner, `mutation { updateAuthor(input: { id: "a", ${profile} }) { profile { id } } }`)).updateAuthor
      .profile
  assert.deepEqual(await change('profile: "p2"'), { id: 'p2' })
  assert.deepEqual(await change('newProfile: { id: "p3" }'), { id: 'p3' })
  assert.deepEqual(await change('name: "B"'), { id: 'p3' })
  assert.equal(await change('profile: null'), null)
  await done(as('bob'), 'mutation { createProfile(input: { id: "bobs", author: "a" }) { id } }')
  await done(as('ann'), 'mutation { createProfile(input: { id: "anns" }) { id } }')
  await refused(
    as('ann'),
    'mutation { updateProfile(input: { id: "anns", author: "a" }) { id } }',
    'CONFLICT Another document has this author. (input.author)',
  )
  await refused(
    owner,
    'mutation { createProfiles(inputs: [{ author: "a" }, { newAuthor: { name: "x" } }]) { id } }',
    'CONFLICT Another document has this author. (inputs.0.author)',
  )
})

test('the plain and the nested form of a required relation', async () => {
  await refused(
    owner,
    'mutation { createComment(input: { body: "x" }) { id } }',
    'INVALID This is required. (input.post)',
  )
  const { createComment } = await done(
    owner,
    'mutation { createComment(input: { newPost: { title: "x" } }) { post { title } } }',
  )
  assert.deepEqual(createComment, { post: { title: 'x' } })
})

test('what is wrong is named where it stands', async () => {
  await done(owner, 'mutation { createPost(input: { id: "p", title: "x" }) { id } }')
  const wrong: [string, string | RegExp][] = [
    ['author: "a", newAuthor: { name: "x" }', /^INVALID .* \(input\.newAuthor\)$/],
    ['comments: { create: [{ post: "p" }] }', /^INVALID .* \(input\.comments\.create\.0\.post\)$/],
    ['comments: { create: [{ newPost: { title: "x" } }] }', /^INVALID .* \(input\.comments\.create\.0\.newPost\)$/],
    [
      'comments: { create: [{}, { replyTo: "none" }] }',
      'INVALID There is no such document. (input.comments.create.1.replyTo)',
    ],
    [
      'tags: { create: [{ name: "x" }, { name: "x" }] }',
      'CONFLICT Another document has this name. (input.tags.create.1.name)',
    ],
    ['tags: { create: [{ id: "x y" }] }', /^INVALID .* \(input\.tags\.create\.0\.id\)$/],
    ['newAuthor: { name: "x\\u0000" }', /^INVALID .* \(input\.newAuthor\.name\)$/],
  ]
  for (const [part, error] of wrong)
    await refused(owner, `mutation { createPost(input: { title: "x", ${part} }) { id } }`, error)
  const changes: [string, RegExp][] = [
    ['tags: { connect: ["t"], disconnect: ["t"] }', /^INVALID .* \(input\.tags\.disconnect\)$/],
    ['tags: { connect: ["t"], set: ["t"] }', /^INVALID .* \(input\.tags\.set\)$/],
  ]
  for (const [part, error] of changes)
    await refused(owner, `mutation { updatePost(input: { id: "p", ${part} }) { id } }`, error)
  await refused(
    owner,
    'mutation { createNodes(inputs: [{ children: { connect: ["n"] } }, { children: { connect: ["n"] } }]) { id } }',
    /^INVALID .* \(inputs\.1\.children\.connect\.0\)$/,
  )
})

test('who may not create the others creates nothing', async () => {
  await refused(as(null), 'mutation { createPost(input: { title: "x" }) { id } }', /./)
  await refused(as('ann'), 'mutation { createNode(input: { children: { create: [{}] } }) { id } }', /./)
})

test('limits: 10 levels, 10,000 documents and links', async () => {
  const tree = (levels: number): object => (levels > 1 ? { children: { create: [tree(levels - 1)] } } : {})
  const create = 'mutation ($i: CreateNodeInput!) { createNode(input: $i) { id } }'
  await done(owner, create, { i: tree(10) })
  await refused(owner, create, /^LIMIT_EXCEEDED .*10 levels/, { i: tree(11) })
  const children = (count: number) => ({ children: { create: Array.from({ length: count }, () => ({})) } })
  await done(owner, create, { i: children(9_999) })
  await refused(owner, create, /^LIMIT_EXCEEDED .*10,000/, { i: children(10_000) })
})

test('the right to update is needed though nothing but links is changed; ifVersion holds', async () => {
  await done(
    owner,
    'mutation { createPost(input: { id: "p", title: "x", permissions: [{ right: READ, role: "users" }] }) { id } }',
  )
  await refused(as('ann'), 'mutation { updatePost(input: { id: "p", tags: { create: [{}] } }) { id } }', /^FORBIDDEN/)
  await refused(
    owner,
    'mutation { updatePost(input: { id: "p", tags: { create: [{}] } }, ifVersion: 2) { id } }',
    /^CONFLICT/,
  )
  await done(owner, 'mutation { updatePost(input: { id: "p", tags: { create: [{}] } }, ifVersion: 1) { id } }')
})

test('upsert: the links of a new one, and of one that is there', async () => {
  const upsert =
    'mutation { upsertPost(input: { id: "p", title: "x", tags: { set: [], create: [{}] }, newAuthor: { name: "n" } }) { version tags { totalCount } author { name } } }'
  for (const version of [1, 2]) {
    const { upsertPost } = await done(as('ann'), upsert)
    assert.deepEqual(upsertPost, { version, tags: { totalCount: 1 }, author: { name: 'n' } })
  }
})

test('what is compiled serves plain inputs, and leaves the others to ordinary execution', async () => {
  const compiled = createGraphql(world.app)
  const ordinary = createGraphql(world.app, undefined, { plans: false })
  const ask = async (graphql: typeof compiled, i: object) => {
    const query = 'mutation ($i: CreatePostInput!) { createPost(input: $i) { id title author { name } } }'
    const answer = await graphql.run({ ...owner }, { query, variables: { i } }, ['mutation'])
    if (isStream(answer)) throw new Error('No mutation is a stream.')
    await world.app.sql.query(`truncate "${projectId}"."${ids.posts}" cascade`)
    return { json: jsonOf(answer), isRaw: isRaw(answer) }
  }
  const inputs: [object, boolean][] = [
    [{ id: 'p', title: 'x' }, true],
    [{ id: 'p', title: 'x', newAuthor: { name: 'n' } }, false],
    [{ id: 'p', title: 'x', comments: { create: [{}] } }, false],
    [{ id: 'p', title: 'x' }, true],
  ]
  for (const [input, raw] of inputs) {
    const answer = await ask(compiled, input)
    assert.equal(answer.isRaw, raw)
    assert.equal(answer.json, (await ask(ordinary, input)).json)
  }
  await compiled.close()
  await ordinary.close()
})

test('what is kept of an answer goes when links are changed from either end, and when an end is deleted', async () => {
  const graphql = createGraphql(world.app)
  await done(owner, 'mutation { createTags(inputs: [{ id: "t" }, { id: "u" }]) { id } }')
  await done(owner, 'mutation { createPost(input: { id: "p", title: "x" }) { id } }')
  const reader = key('documents.read')
  const count = async () => {
    const query = '{ post(id: "p") { tags { totalCount } } }'
    const ask = `query @cached(maxAge: 60) ${query}`
    await world.app.cache.look()
    const answer = await graphql.run({ ...reader }, { query: ask, variables: {} }, ['query'])
    if (isStream(answer)) throw new Error('No query is a stream.')
    return JSON.parse(jsonOf(answer)).data.post.tags.totalCount
  }
  const steps: [string, number][] = [
    ['updatePost(input: { id: "p", tags: { connect: ["t"] } }) { id }', 1],
    ['updateTag(input: { id: "u", posts: { connect: ["p"] } }) { id }', 2],
    ['deleteTag(id: "u")', 1],
    ['updatePost(input: { id: "p", tags: { set: [] } }) { id }', 0],
  ]
  assert.equal(await count(), 0)
  for (const [step, expected] of steps) {
    // As if all that happened so far were in the log: answers are kept from here on.
    await world.app.sql.query('truncate events.outbox')
    await count()
    const hits = world.app.cache.hits()
    await count()
    assert.equal(world.app.cache.hits(), hits + 1, step)
    await done(owner, `mutation { ${step} }`)
    assert.equal(await count(), expected, step)
  }
  await graphql.close()
})

test('as a part of a transaction: with the others, or not at all', async () => {
  const graphql = createGraphql(world.app)
  const ask = async (last: string) => {
    const query = `mutation @transaction {
      createTag(input: { id: "t", name: "t" }) { id }
      createPost(input: { id: "p", title: "x", tags: { connect: ["t"] }, comments: { create: [{ id: "c" }] } }) { tags { totalCount } }
      upsertTags(inputs: [{ name: "t" }, { name: "u" }], on: name) { version posts { totalCount } }
      ${last} }`
    const answer = await graphql.run({ ...owner }, { query, variables: {} }, ['mutation'])
    if (isStream(answer)) throw new Error('No mutation is a stream.')
    return JSON.parse(jsonOf(answer))
  }
  const earlier = await state()
  const failed = await ask('updatePost(input: { id: "p", tags: { connect: ["none"] } }) { id }')
  assert.equal(failed.errors[0].extensions.code, 'INVALID')
  assert.equal(await state(), earlier)
  const { data } = await ask('updatePost(input: { id: "p", tags: { set: [] } }) { tags { totalCount } }')
  assert.deepEqual(data, {
    createTag: { id: 't' },
    createPost: { tags: { totalCount: 1 } },
    upsertTags: [
      { version: 2, posts: { totalCount: 1 } },
      { version: 1, posts: { totalCount: 0 } },
    ],
    updatePost: { tags: { totalCount: 0 } },
  })
  await graphql.close()
})
