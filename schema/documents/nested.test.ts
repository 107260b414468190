import assert from 'node:assert/strict'
import { after, before, beforeEach, test } from 'node:test'
import type { Documents } from '../../src/testing/documents.ts'
import { openRelations } from '../../src/testing/relations.ts'
import { statements } from '../../src/testing/statements.ts'

let stage: Documents

before(async () => {
  stage = await openRelations()
})
beforeEach(() => stage.clear())
after(() => stage.close())

test('create: what is pointed at, what points back, and links, in one input', async () => {
  const { as, done, events } = stage
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
  const { as, done } = stage
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

test('the plain and the nested form of a required relation', async () => {
  const { done, refused, owner } = stage
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
  const { done, refused, owner } = stage
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
  const { as, refused } = stage
  await refused(as(null), 'mutation { createPost(input: { title: "x" }) { id } }', /./)
  await refused(as('ann'), 'mutation { createNode(input: { children: { create: [{}] } }) { id } }', /./)
})

test('limits: 10 levels, 10,000 documents and links', async () => {
  const { done, refused, owner } = stage
  const tree = (levels: number): object => (levels > 1 ? { children: { create: [tree(levels - 1)] } } : {})
  const create = 'mutation ($i: CreateNodeInput!) { createNode(input: $i) { id } }'
  await done(owner, create, { i: tree(10) })
  await refused(owner, create, /^LIMIT_EXCEEDED .*10 levels/, { i: tree(11) })
  const children = (count: number) => ({ children: { create: Array.from({ length: count }, () => ({})) } })
  await done(owner, create, { i: children(9_999) })
  await refused(owner, create, /^LIMIT_EXCEEDED .*10,000/, { i: children(10_000) })
})

test('the right to update is needed though nothing but links is changed; ifVersion holds', async () => {
  const { as, done, refused, owner } = stage
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
  const { as, done } = stage
  const upsert =
    'mutation { upsertPost(input: { id: "p", title: "x", tags: { set: [], create: [{}] }, newAuthor: { name: "n" } }) { version tags { totalCount } author { name } } }'
  for (const version of [1, 2]) {
    const { upsertPost } = await done(as('ann'), upsert)
    assert.deepEqual(upsertPost, { version, tags: { totalCount: 1 }, author: { name: 'n' } })
  }
})
