import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { Context } from '../../src/context.ts'
import { updateFunction } from '../../src/modules/functions/functions.ts'
import { createGraphql } from '../../src/server.ts'
import type { Blog } from '../../src/testing/blog.ts'
import type { Answer } from '../../src/testing/executor.ts'
import { allow, hookStage, instead, json } from '../../src/testing/hook-stage.ts'

const stage = hookStage()
const { done, hooked, run, traces } = stage

const create = 'mutation ($input: CreatePostInput!) { createPost(input: $input) { id title views } }'
const createAll = 'mutation ($inputs: [CreatePostInput!]!) { createPosts(inputs: $inputs) { title views } }'

const databaseOf = ({ projectId }: Blog) => stage.world.app.db.database.findFirstOrThrow({ where: { projectId } })

test('a hook is told what is about to be created, once for the whole batch, on both paths', async () => {
  const blog = await hooked('documents.before-create')
  const inputs = Array.from({ length: 1_000 }, (_, i) => ({ title: `t${i}`, views: i }))
  for (const graphql of [stage.compiled, stage.ordinary]) {
    const data = await done(blog.as('ann'), createAll, { inputs }, graphql)
    assert.deepEqual(data.createPosts, inputs)
  }
  assert.equal(stage.asked.length, 2)
  const collection = { id: blog.ids.posts, key: 'posts', databaseId: (await databaseOf(blog)).id }
  for (const told of stage.asked) {
    assert.deepEqual(told, {
      hook: 'documents.before-create',
      project: blog.projectId,
      collection,
      actor: { kind: 'user', id: 'ann' },
      inputs,
    })
  }
  const executions = await stage.world.app.db.execution.findMany({ where: { projectId: blog.projectId } })
  assert.deepEqual(
    executions.map(({ trigger, status, actorId }) => [trigger, status, actorId]),
    [1, 2].map(() => ['HOOK', 'COMPLETED', 'ann']),
  )
})

test('what it refuses is not done: nothing is left behind, and the caller is told where it is wrong', async () => {
  const blog = await hooked('databases.*.collections.posts.documents.before-create')
  const was = await traces(blog)
  stage.say = ({ inputs }) => json(422, { message: 'No shouting.', path: ['inputs', inputs.length - 1, 'title'] })
  for (const graphql of [stage.compiled, stage.ordinary]) {
    const one = await run(blog.as('ann'), create, { input: { title: 'AH' } }, graphql)
    assert.deepEqual(one, { data: null, errors: ['INVALID No shouting. (input.title) at createPost'] })
    const many = await run(blog.as('ann'), createAll, { inputs: [{ title: 'a' }, { title: 'AH' }] }, graphql)
    assert.deepEqual(many.errors, ['INVALID No shouting. (inputs.1.title) at createPosts'])
  }
  stage.say = () => json(403, { message: 'x'.repeat(5_000) })
  const { errors } = await run(blog.as('ann'), create, { input: { title: 'a' } })
  assert.equal(errors[0], `FORBIDDEN ${'x'.repeat(300)} at createPost`)
  stage.say = () => ({ response: { status: 400, headers: {} }, body: '<html>' })
  assert.deepEqual((await run(blog.as('ann'), create, { input: { title: 'a' } })).errors, [
    'INVALID A function that decides on this has refused it. () at createPost',
  ])
  assert.deepEqual(await traces(blog), was)
  // Other collections are none of its business.
  await done(blog.owner, 'mutation { createNote(input: { text: "n" }) { id } }')
  assert.equal(stage.asked.length, 6)
})

test('whoever may not create there costs no run', async () => {
  const blog = await hooked('documents.before-create')
  const { errors } = await run(blog.as('ann'), 'mutation { createAuthor(input: { name: "a" }) { id } }')
  assert.deepEqual(errors, ['FORBIDDEN You may not create documents here. at createAuthor'])
  assert.deepEqual(stage.asked, [])
})

test('several decide in the order in which they were made, each on what the former have made of it', async () => {
  const blog = await hooked('documents.before-create', '*')
  const marks = ['1', '2']
  stage.say = (told) => instead(told, ({ title }) => ({ title: `${title}${marks[stage.asked.length - 1]}` }))
  assert.equal((await done(blog.as('ann'), create, { input: { title: 'a' } })).createPost.title, 'a12')
  assert.deepEqual(
    stage.asked.map(({ inputs }) => inputs[0]?.title),
    ['a', 'a1'],
  )
})

test('a deadline that is missed, a failure, and an answer that is none: the hook says what becomes of the change', async () => {
  const rejecting = await hooked({ on: 'documents.before-create', deadlineMs: 100 })
  const allowing = await hooked({ on: 'documents.before-create', deadlineMs: 100, onMissed: 'ALLOW' })
  const failure = (reason: 'THREW' | 'CRASHED') => ({
    response: null,
    failure: { reason, message: 'secret', stack: null },
  })
  const misses: [name: string, answer: () => Answer | null][] = [
    ['silence', () => null],
    ['an error', () => failure('THREW')],
    ['a crash', () => failure('CRASHED')],
    ['500', () => json(500, {})],
    ['a redirect', () => json(302, {})],
    ['no JSON', () => ({ body: 'yes' })],
    ['too few', () => json(200, { inputs: [] })],
    ['no objects', () => json(200, { inputs: [1] })],
    ['new documents', () => json(200, { inputs: [{ title: 'a', newAuthor: { name: 'b' } }] })],
  ]
  for (const [name, answer] of misses) {
    stage.say = answer
    const begun = performance.now()
    const { errors } = await run(rejecting.as('ann'), create, { input: { title: 'a' } })
    assert.ok(performance.now() - begun < 900, name)
    assert.deepEqual(errors, [
      'UNAVAILABLE A function that decides on this has not answered. Nothing was changed: try again. at createPost',
    ])
    assert.equal((await done(allowing.as('ann'), create, { input: { title: name } })).createPost.title, name)
  }
  const { rows } = await stage.world.app.sql.query(`select 1 from "${rejecting.projectId}"."${rejecting.ids.posts}"`)
  assert.equal(rows.length, 0)
  const text = await stage.world.app.metrics.registry.metrics()
  assert.match(text, /tendril_hook_duration_seconds_count\{outcome="missed"\} [1-9]/)
})

test('an answer that says nothing is told by its execution, with what was answered', async () => {
  const blog = await hooked('documents.before-create')
  const { projectId } = blog
  const told: unknown[] = []
  const answers = [
    json(500, {}),
    { body: 'yes' },
    json(200, { inputs: [] }),
    json(200, { inputs: [1] }),
    json(422, { message: 'no' }),
    allow(),
  ]
  for (const answer of answers) {
    stage.say = () => answer
    await run(blog.as('ann'), create, { input: { title: 'a' } })
    const row = await stage.world.app.db.execution.findFirstOrThrow({ where: { projectId }, orderBy: { id: 'desc' } })
    told.push([row.status, row.failure, row.responseStatus, row.error])
  }
  const wrong = (status: number, error: string) => ['FAILED', 'INVALID_ANSWER', status, error]
  assert.deepEqual(told.slice(0, 4), [
    wrong(500, 'It has answered 500.'),
    wrong(200, 'Its answer is no JSON object.'),
    wrong(200, 'It has to answer as many inputs as it was given.'),
    wrong(200, 'Each input is an object.'),
  ])
  assert.deepEqual(told.slice(4), [
    ['COMPLETED', null, 422, null],
    ['COMPLETED', null, 204, null],
  ])
})

test('other hooks are other schemas: all nodes are told, and of nothing else', async () => {
  const blog = await hooked('documents.before-create')
  const [{ id } = { id: '' }] = await stage.world.app.db.function.findMany({ where: { projectId: blog.projectId } })
  const revision = async () =>
    (await stage.world.app.db.project.findUniqueOrThrow({ where: { id: blog.projectId } })).schemaRevision
  const raised = async (changes: Parameters<typeof updateFunction>[2]) => {
    const was = await revision()
    await updateFunction(blog.owner, id, changes)
    return (await revision()) - was
  }
  assert.equal(await raised({ name: 'other' }), 0)
  assert.equal(await raised({ hooks: [{ on: 'documents.before-delete' }] }), 1)
  assert.equal(await raised({ hooks: [{ on: 'documents.before-delete' }] }), 0)
  assert.equal(await raised({ enabled: false }), 1)
  assert.equal(await raised({ hooks: [] }), 0)
})

test('a hook that its own function takes away has been the last one', async () => {
  const blog = await hooked('documents.before-create')
  const [{ id } = { id: '' }] = await stage.world.app.db.function.findMany({ where: { projectId: blog.projectId } })
  stage.say = async () => {
    await updateFunction(blog.owner, id, { hooks: [] })
    return allow()
  }
  await done(blog.as('ann'), create, { input: { title: 'a' } })
  const later = createGraphql(stage.world.app)
  await done(blog.as('ann'), create, { input: { title: 'a' } }, later)
  await later.close()
  assert.equal(stage.asked.length, 1)
})

test('its runs count as deep as what has led to them', async () => {
  const blog = await hooked('documents.before-create')
  const within = (depth: number): Context => ({
    ...blog.owner,
    run: { functionId: 'fun_1', executionId: 'exe_1', depth, idempotencyKey: null },
  })
  await done(within(4), create, { input: { title: 'a' } })
  assert.match((await run(within(5), create, { input: { title: 'a' } })).errors[0] ?? '', /^UNAVAILABLE /)
  const executions = await stage.world.app.db.execution.findMany({ where: { projectId: blog.projectId } })
  assert.deepEqual(executions.map(({ depth, failure }) => [depth, failure]).sort(), [
    [5, null],
    [6, 'DEPTH'],
  ])
})
