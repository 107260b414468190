import assert from 'node:assert/strict'
import { test } from 'node:test'
import { createCollections } from '../../src/testing/collections.ts'
import { makeFunction } from '../../src/testing/functions.ts'
import { hookStage, json, type Told } from '../../src/testing/hook-stage.ts'

const stage = hookStage()
const { done, hooked, run, traces } = stage

const told = ({ hook, collection, inputs, ids, where }: Told) => [
  hook.slice('documents.before-'.length),
  (collection as { key: string }).key,
  ids ?? where ?? inputs,
]

const posts = `mutation { createPosts(inputs: [
  { id: "p1", title: "a", notes: { create: [{ id: "n1" }, { id: "n2" }] }, comments: { create: [{ id: "c1" }, { id: "c2" }] } }
  { id: "p2", title: "b", notes: { create: [{ id: "n3" }] } }
]) { id } }`
const replies = `mutation { createComments(inputs: [{ id: "r1", replyTo: "c1" }, { id: "r2", replyTo: "r1" }]) { id } }`

test('what a delete takes along or empties is told to its own functions, each collection at once', async () => {
  const blog = await hooked('documents.before-delete', 'documents.before-update')
  await done(blog.owner, posts)
  await done(blog.owner, replies)
  stage.asked = []
  await done(blog.owner, 'mutation { deletePost(id: "p1") }')
  const [first, ...others] = stage.asked.map(told)
  assert.deepEqual(first, ['delete', 'posts', ['p1']])
  assert.deepEqual(others.sort(), [
    ['delete', 'comments', ['c1', 'c2']],
    ['delete', 'notes', ['n1', 'n2']],
    ['update', 'comments', [{ id: 'r1', replyTo: null }]],
  ])
  stage.asked = []
  await done(blog.owner, 'mutation { deletePosts(where: { title: { eq: "b" } }) { count } }')
  assert.deepEqual(stage.asked.map(told), [
    ['delete', 'posts', { title: { eq: 'b' } }],
    ['delete', 'notes', ['n3']],
  ])
  // One that the caller may not delete takes nothing along.
  await done(blog.owner, posts)
  stage.asked = []
  await run(blog.as('ann', ['staff']), 'mutation { deletePost(id: "p1") }')
  assert.deepEqual(stage.asked.map(told), [['delete', 'posts', ['p1']]])
})

test('a function that decides on what goes along keeps all of it', async () => {
  const blog = await hooked('databases.*.collections.notes.documents.before-delete')
  await done(blog.owner, posts)
  const was = await traces(blog)
  stage.say = () => json(409, { message: 'Notes stay.', path: ['inputs', 0] })
  for (const graphql of [stage.compiled, stage.ordinary]) {
    const { errors } = await run(blog.owner, 'mutation { deletePost(id: "p1") }', {}, graphql)
    assert.deepEqual(errors, ['INVALID Notes stay. () at deletePost'])
  }
  const together = 'mutation @transaction { createNote(input: { text: "n" }) { id } deletePost(id: "p2") }'
  assert.deepEqual((await run(blog.owner, together)).errors, ['INVALID Notes stay. () at deletePost'])
  assert.deepEqual(await traces(blog), was)
  stage.asked = []
  await done(blog.owner, 'mutation { deletePost(id: "none") }').catch(() => {})
  assert.deepEqual(stage.asked, [])
})

test('what comes to depend on it while a function decides is not deleted undecided', async () => {
  const blog = await hooked('databases.*.collections.notes.documents.before-delete')
  await done(blog.owner, posts)
  stage.say = async () => {
    await done(blog.owner, 'mutation { createNote(input: { id: "late", post: "p1" }) { id } }')
    return json(200, {})
  }
  const { errors } = await run(blog.owner, 'mutation { deletePost(id: "p1") }')
  assert.deepEqual(errors, [
    'CONFLICT Other documents have come to depend on this while functions decided. Try again. at deletePost',
  ])
  stage.say = () => json(200, {})
  stage.asked = []
  await done(blog.owner, 'mutation { deletePost(id: "p1") }')
  assert.deepEqual(stage.asked.map(told), [['delete', 'notes', ['late', 'n1', 'n2']]])
  const together = 'mutation @transaction { createNote(input: { post: "p2" }) { id } deletePost(id: "p2") }'
  assert.match((await run(blog.owner, together)).errors[0] ?? '', /^CONFLICT Other documents have come/)
})

test('documents that point at one another end, and those that go anyway are not told to be emptied', async () => {
  const { owner } = await stage.world.createProject()
  await createCollections(owner, {
    nodes: {
      attributes: {
        parent: { type: 'RELATION', to: 'nodes', reverseKey: 'children', onDelete: 'CASCADE' },
        next: { type: 'RELATION', to: 'nodes', reverseKey: 'previous', onDelete: 'SET_NULL' },
      },
    },
  })
  await makeFunction(owner, '', { hooks: [{ on: 'documents.before-delete' }, { on: 'documents.before-update' }] })
  const make = (id: string, rest = '') => done(owner, `mutation { createNode(input: { id: "${id}" ${rest} }) { id } }`)
  await make('a')
  await make('b', 'parent: "a", next: "a"')
  await make('c', 'parent: "b", next: "b"')
  await make('d', 'next: "c"')
  await done(owner, 'mutation { updateNode(input: { id: "a", parent: "c" }) { id } }')
  stage.asked = []
  await done(owner, 'mutation { deleteNode(id: "a") }')
  assert.deepEqual(stage.asked.map(told), [
    ['delete', 'nodes', ['a']],
    ['delete', 'nodes', ['b', 'c']],
    ['update', 'nodes', [{ id: 'd', next: null }]],
  ])
  assert.deepEqual((await done(owner, '{ nodes { nodes { id } } }')).nodes, { nodes: [{ id: 'd' }] })
})

test('what loses a value and then goes along is not told to be emptied, in whichever order that is done', async () => {
  const { owner } = await stage.world.createProject()
  await createCollections(owner, {
    nodes: {
      attributes: {
        next: { type: 'RELATION', to: 'nodes', reverseKey: 'previous', onDelete: 'SET_NULL' },
        parent: { type: 'RELATION', to: 'nodes', reverseKey: 'children', onDelete: 'CASCADE' },
      },
    },
  })
  await makeFunction(owner, '', { hooks: [{ on: 'documents.before-update' }] })
  await done(owner, 'mutation { createNode(input: { id: "a" }) { id } }')
  await done(owner, 'mutation { createNode(input: { id: "b", parent: "a", next: "a" }) { id } }')
  stage.asked = []
  await done(owner, 'mutation { deleteNode(id: "a") }')
  assert.deepEqual(stage.asked, [])
  assert.deepEqual((await done(owner, '{ nodes { totalCount } }')).nodes, { totalCount: 0 })
})

test('with more than a delete may take along nobody is asked', async () => {
  const blog = await hooked('databases.*.collections.notes.documents.before-delete')
  await done(blog.owner, posts)
  const { projectId, ids } = blog
  await stage.world.app.sql.query(
    `insert into "${projectId}"."${ids.notes}" ("_id", post) select 'x' || i, 'p1' from generate_series(1, 9999) i`,
  )
  const { errors } = await run(blog.owner, 'mutation { deletePost(id: "p1") }')
  assert.match(errors[0] ?? '', /^LIMIT_EXCEEDED More than 10,000 other documents/)
  assert.deepEqual(stage.asked, [])
})
