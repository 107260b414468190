import assert from 'node:assert/strict'
import { test } from 'node:test'
import { createCollections, type NewCollection } from '../../src/testing/collections.ts'
import { makeFunction } from '../../src/testing/functions.ts'
import { hookStage, instead } from '../../src/testing/hook-stage.ts'

const stage = hookStage()
const { done, hooked, run, traces } = stage

const create = 'mutation ($input: CreatePostInput!) { createPost(input: $input) { id title views } }'

test('it may change inputs; they are held to what the caller may, and to what is valid', async () => {
  const blog = await hooked('documents.*')
  const input = { title: 'a', views: 1 }
  for (const graphql of [stage.compiled, stage.ordinary]) {
    stage.say = (told) => instead(told, ({ title }) => ({ title: `${title}!`, views: 7 }))
    assert.partialDeepStrictEqual((await done(blog.as('ann'), create, { input }, graphql)).createPost, {
      title: 'a!',
      views: 7,
    })
    const was = await traces(blog)
    const wrong = async (change: object, expected: RegExp) => {
      stage.say = (told) => instead(told, () => change)
      assert.match((await run(blog.as('ann'), create, { input }, graphql)).errors[0] ?? '', expected)
    }
    await wrong({ title: 'x'.repeat(21) }, /^INVALID .*\(input\.title\) at createPost$/)
    await wrong({ title: 7 }, /^INVALID A function that decides on this has made it wrong: .*\(input\.title\)/)
    await wrong({ title: 'a', nothing: 1 }, /^INVALID A function that decides on this has made it wrong: .*“?"?nothing/)
    await wrong({ title: null }, /^INVALID /)
    assert.deepEqual(await traces(blog), was)
  }
})

test('values of every type come back as they were told', async () => {
  const { owner } = await stage.world.createProject()
  const types = [
    'STRING',
    'INTEGER',
    'BIGINT',
    'FLOAT',
    'DECIMAL',
    'BOOLEAN',
    'DATETIME',
    'DATE',
    'JSON',
    'POINT',
  ] as const
  const plain = Object.fromEntries(types.map((type) => [type.toLowerCase(), { type }]))
  const more: NewCollection['attributes'] = {
    list: { type: 'BIGINT', list: true },
    kind: { type: 'ENUM', elements: ['A', 'B'] },
  }
  await createCollections(owner, { things: { documentPermissions: true, attributes: { ...plain, ...more } } })
  await makeFunction(owner, '', { hooks: [{ on: '*.*' }] })
  const values = {
    string: 'ü',
    integer: 7,
    bigint: '9007199254740993',
    float: 0.1,
    decimal: '12.50',
    boolean: false,
    datetime: '2026-01-02T03:04:05.678Z',
    date: '2026-01-02',
    json: { a: [1, null, 'b'] },
    point: { type: 'Point', coordinates: [1.5, 2.5] },
    list: ['1', '-9223372036854775808'],
    kind: 'B',
  }
  const permissions = [{ right: 'READ', role: 'any' }]
  const query = `mutation ($input: CreateThingInput!) {
    createThing(input: $input) { ${Object.keys(values).join(' ')} permissions { right role } } }`
  stage.say = (told) => instead(told, (input) => input)
  const { createThing } = await done(owner, query, { input: { ...values, permissions } })
  assert.deepEqual(createThing, { ...values, permissions })
  assert.deepEqual(stage.asked[0]?.inputs, [{ ...values, permissions }])
})

test('a rule of the collection holds for what a hook has made of it', async () => {
  const blog = await hooked('documents.before-update')
  const { posts = '' } = blog.ids
  const rules = [
    { right: 'create', role: 'users', where: { views: { lt: 10 } } },
    { right: 'update', role: 'users', where: { views: { lt: 10 } } },
    { right: 'read', role: 'users', where: {} },
  ]
  await stage.world.app.db.collection.update({
    where: { id: posts },
    data: { rules: JSON.stringify(rules), permissions: [], documentPermissions: false },
  })
  const { id } = (await done(blog.as('ann'), create, { input: { title: 'a', views: 1 } })).createPost
  const update = 'mutation ($input: UpdatePostInput!) { updatePost(input: $input) { views } }'
  stage.say = (told) => instead(told, (input) => ({ ...input, views: 11 }))
  const was = await traces(blog)
  assert.match((await run(blog.as('ann'), update, { input: { id, title: 'b' } })).errors[0] ?? '', /^FORBIDDEN /)
  assert.deepEqual(await traces(blog), was)
  stage.say = (told) => instead(told, (input) => ({ ...input, views: 9 }))
  assert.equal((await done(blog.as('ann'), update, { input: { id, title: 'b' } })).updatePost.views, 9)
})
