import assert from 'node:assert/strict'
import { after, before, beforeEach, test } from 'node:test'
import { isRaw, isStream, jsonOf } from '../../src/http/stream.ts'
import { createGraphql } from '../../src/server.ts'
import type { Documents } from '../../src/testing/documents.ts'
import { openRelations } from '../../src/testing/relations.ts'

let stage: Documents

before(async () => {
  stage = await openRelations()
})
beforeEach(() => stage.clear())
after(() => stage.close())

test('what is compiled serves plain inputs, and leaves the others to ordinary execution', async () => {
  const { world, projectId, ids } = stage
  const compiled = createGraphql(world.app)
  const ordinary = createGraphql(world.app, undefined, { plans: false })
  const ask = async (graphql: typeof compiled, i: object) => {
    const query = 'mutation ($i: CreatePostInput!) { createPost(input: $i) { id title author { name } } }'
    const answer = await graphql.run({ ...stage.owner }, { query, variables: { i } }, ['mutation'])
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

test('as a part of a transaction: with the others, or not at all', async () => {
  const { state, world } = stage
  const graphql = createGraphql(world.app)
  const ask = async (last: string) => {
    const query = `mutation @transaction {
      createTag(input: { id: "t", name: "t" }) { id }
      createPost(input: { id: "p", title: "x", tags: { connect: ["t"] }, comments: { create: [{ id: "c" }] } }) { tags { totalCount } }
      upsertTags(inputs: [{ name: "t" }, { name: "u" }], on: name) { version posts { totalCount } }
      ${last} }`
    const answer = await graphql.run({ ...stage.owner }, { query, variables: {} }, ['mutation'])
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
