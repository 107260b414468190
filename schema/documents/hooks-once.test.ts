import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { Context } from '../../src/context.ts'
import { allow, hookStage, instead, json } from '../../src/testing/hook-stage.ts'

const stage = hookStage()
const { done, hooked, run, traces } = stage

const create = 'mutation ($input: CreatePostInput!) { createPost(input: $input) { id title views } }'

test('in a transaction all is decided before it opens, once, however often it is tried', async () => {
  const blog = await hooked('documents.before-create')
  const both = `mutation @transaction(isolation: SERIALIZABLE) {
    a: createPost(input: { title: "a" }) { title } b: createPosts(inputs: [{ title: "b" }]) { title } }`
  const open = async () => {
    const { rows } = await stage.world.app.sql.query(
      `select 1 from pg_stat_activity where datname = current_database() and state = 'idle in transaction'`,
    )
    return rows.length
  }
  const opened: number[] = []
  stage.say = async (told) => {
    opened.push(await open())
    return instead(told, ({ title }) => ({ title: `${title}!` }))
  }
  assert.deepEqual(await done(blog.owner, both), { a: { title: 'a!' }, b: [{ title: 'b!' }] })
  assert.deepEqual(opened, [0, 0])
  const was = await traces(blog)
  stage.say = ({ inputs }) =>
    inputs[0]?.title === 'b' ? json(400, { message: 'Not b.', path: ['inputs', 0] }) : allow()
  const refused = await run(blog.owner, both)
  assert.deepEqual(refused, { data: null, errors: ['INVALID Not b. (inputs.0) at b'] })
  assert.deepEqual(await traces(blog), was)
})

test('what is tried again because others were in between is not decided on again', async () => {
  const blog = await hooked('documents.before-update')
  const { id } = (await done(blog.owner, create, { input: { title: 'a', views: 0 } })).createPost
  const query = `mutation @transaction(isolation: SERIALIZABLE) { updatePost(input: { id: "${id}" }, apply: { views: { increment: 1 } }) { id } }`
  await Promise.all([1, 2, 3, 4].map(() => done(blog.owner, query)))
  assert.equal(stage.asked.length, 4)
  assert.equal((await done(blog.owner, `{ post(id: "${id}") { views } }`)).post.views, 4)
})

test('what is asked for again with the same key is answered again, and not decided on again', async () => {
  const blog = await hooked('documents.before-create')
  const query = 'mutation { createPost(input: { title: "a" }, idempotencyKey: "k") { id } }'
  const first = await done(blog.as('ann'), query)
  assert.deepEqual(await done(blog.as('ann'), query), first)
  assert.equal(stage.asked.length, 1)
})

test('a run of a function that is tried again is answered again, in a transaction too, and nobody is asked again', async () => {
  const blog = await hooked('documents.before-create')
  const again = (idempotencyKey: string): Context => ({
    ...blog.owner,
    run: { functionId: 'fun_1', executionId: 'exe_1', depth: 0, idempotencyKey },
  })
  const fields = 'fragment Shown on Post { id title }'
  for (const [i, how] of ['', '@transaction'].entries()) {
    const query = `mutation ($title: String!) ${how} {
      a: createPost(input: { title: $title }) { ...Shown } b: createPosts(inputs: [{ title: "b" }]) { id } } ${fields}`
    const first = await done(again(`${i}`), query, { title: 'a' })
    stage.asked = []
    assert.deepEqual(await done(again(`${i}`), query, { title: 'a' }), first)
    assert.deepEqual(stage.asked, [], how)
    // Another change at the same place is another.
    await done(again(`${i}`), query, { title: 'c' })
    assert.deepEqual(
      stage.asked.map(({ inputs }) => inputs),
      [[{ title: 'c' }]],
      how,
    )
  }
})

test('what was not decided on because its key was known is not done where the key is gone by then', async () => {
  const blog = await hooked('documents.before-create')
  const ann = blog.as('ann')
  const first = 'a: createPost(input: { title: "a" }, idempotencyKey: "old") { title }'
  await done(ann, `mutation { ${first} }`)
  const was = await traces(blog)
  stage.say = async () => {
    // What a day is over for is deleted while a function decides on another change of the same transaction.
    await stage.world.app.sql.query(`delete from idempotencies where key = 'old'`)
    return allow()
  }
  const both = `mutation @transaction { ${first} b: createPost(input: { title: "b" }) { title } }`
  const { data, errors } = await run(ann, both)
  assert.equal(data, null)
  assert.match(errors.join(), /^CONFLICT This key has just expired/)
  const keyless = (rows: unknown) => (rows as unknown[]).slice(0, -1)
  assert.deepEqual(keyless(await traces(blog)), keyless(was))
})
