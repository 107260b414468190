import assert from 'node:assert/strict'
import { after, before, beforeEach, test } from 'node:test'
import { isStream, jsonOf } from '../../src/http/stream.ts'
import { createGraphql } from '../../src/server.ts'
import type { Documents } from '../../src/testing/documents.ts'
import { openRelations } from '../../src/testing/relations.ts'

let stage: Documents

before(async () => {
  stage = await openRelations()
})
beforeEach(() => stage.clear())
after(() => stage.close())

test('links: connect, disconnect and set change the document that they are written in', async () => {
  const { as, done, events, world } = stage
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
  const { as, key, done, refused, owner } = stage
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
    'NOT_FOUND There is no such document. (input.id)',
  )
})

test('field rights hold for links', async () => {
  const { as, done, refused, owner } = stage
  await done(owner, 'mutation { createTag(input: { id: "t", secrets: { create: [{ title: "x" }] } }) { id } }')
  await refused(as('ann'), 'mutation { createPost(input: { title: "x", secret: { connect: [] } }) { id } }', /secret/)
})

test('what points here: created, connected, let go', async () => {
  const { as, done, refused, events, owner } = stage
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
    'FORBIDDEN You may not change this document. (input.posts.connect.1)',
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
  const { as, done, refused, owner } = stage
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

test('what is kept of an answer goes when links are changed from either end, and when an end is deleted', async () => {
  const { done, key, owner, world } = stage
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
