import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import { isRaw, isStream, jsonOf } from '../../src/http/stream.ts'
import { createGraphql, type Graphql } from '../../src/server.ts'
import { createTables, type Tables } from '../../src/testing/tables.ts'
import { createWorld, type World } from '../../src/testing/world.ts'

let world: World
let tables: Tables
let compiled: Graphql
let ordinary: Graphql

before(async () => {
  world = await createWorld()
  tables = await createTables(world)
  const attributes = [
    { key: 'meta', type: 'JSON' },
    { key: 'at', type: 'POINT' },
  ] as const
  await tables.make({ key: 'spots', attributes })
  compiled = createGraphql(world.app)
  ordinary = createGraphql(world.app, undefined, { plans: false })
})
after(async () => {
  for (const one of [compiled, ordinary, world]) await one?.close()
})

const ask = async (graphql: Graphql, query: string, variables: object) => {
  const answer = await graphql.run({ ...tables.ctx }, { query, variables: { ...variables } }, ['query', 'mutation'])
  if (isStream(answer)) throw new Error('This is no stream.')
  return { raw: isRaw(answer), ...JSON.parse(jsonOf(answer)) }
}

test('a variable within a literal of JSON or of a place has its value, in what is written and in what is asked', async () => {
  const create = `mutation ($id: ID, $a: JSON, $x: Float, $y: Float) { createSpot(input: {
    id: $id, meta: { a: $a, list: [1, { b: $a }] }, at: { type: "Point", coordinates: [$x, $y] } }) { meta at } }`
  for (const [id, a, x] of [
    ['one', 'q', 1],
    ['two', { deep: [true] }, 2],
  ] as const) {
    const { data } = await ask(compiled, create, { id, a, x, y: 5 })
    const at = { type: 'Point', coordinates: [x, 5] }
    assert.deepEqual(data, { createSpot: { meta: { a, list: [1, { b: a }] }, at } })
  }
  const found = async (where: string, variables: object) => {
    const query = `query (${where.includes('$a') ? '$a: JSON' : '$x: Float'}) { spots(where: { ${where} }) { nodes { id } } }`
    const both = [await ask(compiled, query, variables), await ask(ordinary, query, variables)]
    assert.equal(both[0].raw, true, where)
    for (const { data, errors } of both) assert.deepEqual([data, errors], [both[0].data, undefined], where)
    return both[0].data.spots.nodes.map(({ id }: { id: string }) => id).join()
  }
  for (const where of [
    'meta: { contains: { a: $a } }',
    'meta: { contains: { list: [{ b: $a }] } }',
    'meta: { path: ["list"], eq: [1, { b: $a }] }',
    'meta: { in: [{ a: $a, list: [1, { b: $a }] }, 5] }',
  ]) {
    assert.equal(await found(where, { a: 'q' }), 'one', where)
    assert.equal(await found(where, { a: { deep: [true] } }), 'two', where)
    assert.equal(await found(where, { a: 'none' }), '', where)
  }
  const near = 'at: { near: { point: { type: "Point", coordinates: [$x, 5] }, metres: 10 } }'
  assert.equal(await found(near, { x: 1 }), 'one')
  assert.equal(await found(near, { x: 2 }), 'two')
  const polygon = 'at: { within: { type: "Polygon", coordinates: [[[0, 0], [$x, 0], [$x, 9], [0, 9], [0, 0]]] } }'
  assert.equal(await found(polygon, { x: 1.5 }), 'one')
  const order = `query ($x: Float) { spots(orderBy: [{ at: { near: { type: "Point", coordinates: [$x, 5] } } }], first: 1) { nodes { id } } }`
  for (const [x, id] of [
    [1, 'one'],
    [2, 'two'],
  ] as const)
    assert.deepEqual((await ask(compiled, order, { x })).data.spots.nodes, [{ id }])
  for (const x of [null, 1e10]) {
    const { errors } = await ask(compiled, order, { x })
    assert.equal(errors[0].extensions.code, 'INVALID')
  }
})

test('what JSON cannot hold is refused in a literal, and not left out', async () => {
  const create = (meta: string) => ask(compiled, `mutation { createSpot(input: { meta: ${meta} }) { meta } }`, {})
  const refused: [meta: string, message: RegExp][] = [
    ['{ a: [1e999] }', /too large/],
    ['{ __proto__: { a: 1 } }', /__proto__/],
    ['{ status: DRAFT }', /“DRAFT” needs quotes/],
    ['[DRAFT]', /“DRAFT” needs quotes/],
  ]
  for (const [meta, message] of refused) {
    const { errors } = await create(meta)
    assert.match(errors?.[0].message, message, meta)
    assert.equal(errors[0].extensions.code, 'INVALID')
    assert.deepEqual(errors[0].extensions.path.slice(0, 2), ['input', 'meta'], meta)
  }
  assert.deepEqual((await create('{ a: 1e308, constructor: null }')).data.createSpot.meta, {
    a: 1e308,
    constructor: null,
  })
})
