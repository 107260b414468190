import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import type { Context } from '../../src/context.ts'
import { createCollections } from '../../src/testing/collections.ts'
import { operate } from '../../src/testing/operation.ts'
import { createWorld, type World } from '../../src/testing/world.ts'
import { createSchemas, type Schemas } from '../schemas.ts'

let world: World
let schemas: Schemas
let owner: Context
let tia: Context

before(async () => {
  world = await createWorld()
  schemas = createSchemas(world.app)
  const made = await world.createProject()
  owner = made.owner
  tia = world.context(made.projectId, { kind: 'user', id: 'tia', sessionId: 's', verified: false, labels: [] })
  const own = { owner: { eq: '$userId' } }
  await createCollections(owner, {
    tags: { permissions: ['read:users'], attributes: { name: { type: 'STRING' } } },
    errands: {
      rules: [
        { right: 'read', role: 'any', where: { open: { eq: true } } },
        ...['create', 'read', 'update', 'delete'].map((right) => ({ right, role: 'users', where: own })),
      ],
      attributes: {
        owner: { type: 'STRING' },
        open: { type: 'BOOLEAN' },
        tags: { type: 'RELATION', relation: 'MANY_TO_MANY', to: 'tags', reverseKey: 'errands' },
      },
    },
  })
  const { errors } = await run(
    owner,
    `mutation {
      a: createErrand(input: { id: "hidden", owner: "eve", tags: { create: [{ id: "red", name: "red" }] } }) { id }
      b: createErrand(input: { id: "open", owner: "eve", open: true }) { id }
      c: createErrand(input: { id: "own", owner: "tia" }) { id }
    }`,
  )
  assert.deepEqual(errors, [])
})

after(async () => {
  await schemas.close()
  await world.close()
})

const run = (ctx: Context, source: string) => operate(schemas, ctx, source)

test('what two rules let somebody read does not make another document one that is there', async () => {
  for (const change of ['updateErrand', 'upsertErrand']) {
    for (const id of ['hidden', 'nowhere']) {
      const { data, errors } = await run(
        tia,
        `mutation { ${change}(input: { id: "${id}", tags: { disconnect: ["red"] } }) { id } }`,
      )
      assert.equal(data, null)
      assert.match(errors.join(), /^(NOT_FOUND|INVALID|CONFLICT|FORBIDDEN)/, `${change} of ${id}: ${errors}`)
    }
  }
  const { data } = await run(owner, '{ errand(id: "hidden") { tags { nodes { id } } } }')
  assert.deepEqual(data?.errand.tags.nodes, [{ id: 'red' }], 'its links are as they were')
})

test('one that somebody may read and not change, and one that may be changed', async () => {
  const link = (id: string) =>
    run(tia, `mutation { updateErrand(input: { id: "${id}", tags: { connect: ["red"] } }) { id } }`)
  assert.match((await link('open')).errors.join(), /^FORBIDDEN/)
  assert.deepEqual((await link('own')).errors, [])
})
