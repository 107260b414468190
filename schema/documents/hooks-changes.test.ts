import assert from 'node:assert/strict'
import { test } from 'node:test'
import { allow, hookStage, instead, json } from '../../src/testing/hook-stage.ts'

const stage = hookStage()
const { done, hooked, run, traces } = stage

const create = 'mutation ($input: CreatePostInput!) { createPost(input: $input) { id title views } }'

test('a change names what is changed; ids stay', async () => {
  const blog = await hooked('documents.before-update', 'documents.before-delete')
  const ann = blog.as('ann')
  const { id } = (await done(ann, create, { input: { title: 'a', views: 1 } })).createPost
  const { id: second } = (await done(ann, create, { input: { title: 'b', views: 1 } })).createPost
  assert.deepEqual(stage.asked, [])
  stage.say = (told) => instead(told, (input) => ({ ...input, id: second, title: 'c' }))
  const one = `mutation { updatePost(input: { id: "${id}", title: "x" }, apply: { views: { increment: 2 } }, ifVersion: 1) { id title views } }`
  assert.deepEqual((await done(ann, one)).updatePost, { id, title: 'c', views: 3 })
  stage.say = allow
  await done(ann, 'mutation { updatePosts(where: { title: { eq: "c" } }, set: { slug: "s" }) { count } }')
  await done(
    ann,
    'mutation { updatePosts(where: { title: { eq: "c" } }, apply: { views: { increment: 1 } }) { count } }',
  )
  await done(ann, `mutation { deletePost(id: "${id}") }`)
  await done(ann, 'mutation { deletePosts(where: { title: { eq: "b" } }) { count } }')
  const told = stage.asked.map((one) => ({
    ...(one as object),
    project: undefined,
    collection: undefined,
    actor: undefined,
  }))
  const expected = [
    { hook: 'documents.before-update', inputs: [{ id, title: 'x' }], apply: { views: { increment: 2 } }, ifVersion: 1 },
    { hook: 'documents.before-update', inputs: [{ slug: 's' }], where: { title: { eq: 'c' } } },
    { hook: 'documents.before-update', inputs: [], where: { title: { eq: 'c' } }, apply: { views: { increment: 1 } } },
    { hook: 'documents.before-delete', inputs: [], ids: [id] },
    { hook: 'documents.before-delete', inputs: [], where: { title: { eq: 'b' } } },
  ]
  assert.deepEqual(
    told,
    expected.map((one) => ({ ...one, project: undefined, collection: undefined, actor: undefined })),
  )
})

test('an upsert is told as one, to whoever decides on either', async () => {
  const blog = await hooked('documents.before-create', 'documents.before-update', 'documents.before-delete')
  const upsert = 'mutation ($inputs: [UpsertPostInput!]!) { upsertPosts(inputs: $inputs) { id title } }'
  await done(blog.owner, create, { input: { id: 'p1', title: 'a' } })
  stage.asked = []
  stage.say = (told) => instead(told, ({ title }) => ({ title: `${title}!` }))
  const inputs = ['p1', 'p2'].map((id) => ({ id, title: 't' }))
  const data = await done(blog.owner, upsert, { inputs })
  assert.deepEqual(
    data.upsertPosts,
    inputs.map(({ id }) => ({ id, title: 't!!' })),
  )
  assert.deepEqual(
    stage.asked.map(({ hook }) => hook),
    ['documents.before-upsert', 'documents.before-upsert'],
  )
})

test('documents within documents are decided on by collection, and so are those that are made to point elsewhere', async () => {
  const blog = await hooked('documents.before-create', 'databases.*.collections.comments.documents.before-update')
  const { owner } = blog
  stage.say = (told) =>
    told.hook === 'documents.before-update'
      ? allow()
      : instead(told, (input) => ({ ...input, ...(input.body ? { body: `${input.body}!` } : { title: 'T' }) }))
  await done(owner, 'mutation { createComment(input: { id: "c0", body: "c0" }) { id } }')
  stage.asked = []
  const input = (n: number) => ({
    title: 't',
    comments: { create: [{ body: `a${n}`, replies: { create: [{ body: `b${n}` }] } }] },
  })
  const connecting = { ...input(2), id: 'p2', comments: { ...input(2).comments, connect: ['c0'] } }
  const query = `mutation ($inputs: [CreatePostInput!]!) {
    createPosts(inputs: $inputs) { title comments(orderBy: [{ body: ASC }]) { nodes { body replies { nodes { body } } } } } }`
  const { createPosts } = await done(owner, query, { inputs: [input(1), connecting] })
  const comment = (n: number) => ({ body: `a${n}!`, replies: { nodes: [{ body: `b${n}!` }] } })
  assert.deepEqual(createPosts, [
    { title: 'T', comments: { nodes: [comment(1)] } },
    { title: 'T', comments: { nodes: [comment(2), { body: 'c0!', replies: { nodes: [] } }] } },
  ])
  const told = stage.asked.map(({ hook, inputs, collection }) => [hook, (collection as { key: string }).key, inputs])
  assert.deepEqual(told, [
    ['documents.before-create', 'posts', [{ title: 't' }, { title: 't', id: 'p2', comments: { connect: ['c0'] } }]],
    ['documents.before-create', 'comments', ['a1', 'b1', 'a2', 'b2'].map((body) => ({ body }))],
    ['documents.before-update', 'comments', [{ id: 'c0', post: 'p2' }]],
  ])
  stage.say = (told) => (told.hook === 'documents.before-update' ? json(409, { message: 'Stay.' }) : allow())
  const was = await traces(blog)
  const part = 'mutation { updatePost(input: { id: "p2", comments: { disconnect: ["c0"] } }) { id } }'
  assert.match((await run(owner, part)).errors[0] ?? '', /^INVALID Stay\./)
  assert.deepEqual(await traces(blog), was)
})
