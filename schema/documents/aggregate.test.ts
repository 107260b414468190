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
let projectId: string

before(async () => {
  world = await createWorld()
  const project = await world.createProject()
  owner = project.owner
  projectId = project.projectId
  await createCollections(owner, {
    shops: { documentPermissions: true, attributes: { name: { type: 'STRING' } } },
    sales: {
      documentPermissions: true,
      permissions: ['read:label:staff'],
      attributes: {
        item: { type: 'STRING' },
        count: { type: 'INTEGER' },
        total: { type: 'BIGINT' },
        price: { type: 'DECIMAL' },
        weight: { type: 'FLOAT' },
        sold: { type: 'DATETIME' },
        day: { type: 'DATE' },
        cost: { type: 'INTEGER', restricted: true, permissions: ['read:label:boss'] },
        shop: { type: 'RELATION', to: 'shops', reverseKey: 'sales' },
      },
    },
  })
  schemas = createSchemas(world.app)
  const make = async (source: string) =>
    assert.deepEqual((await operate(schemas, owner, `mutation { ${source} { id } }`)).errors, [])
  const everybody = 'permissions: [{ right: READ, role: "users" }]'
  await make(`createShop(input: { id: "open", name: "Open", ${everybody} })`)
  await make('createShop(input: { id: "shut", name: "Shut" })')
  for (let i = 0; i < 8; i++) {
    await make(
      `createSale(input: { id: "s${i}", item: "${['pen', 'ink', 'pad'][i % 3]}", count: ${i}, total: "9223372036854775807", price: "${i}.50", weight: ${i / 2}, cost: ${i}, sold: "2026-0${1 + (i % 2)}-0${1 + i}T23:30:00Z", day: "2026-01-0${1 + i}", shop: "${i % 2 ? 'open' : 'shut'}" ${i < 4 ? `, ${everybody}` : ''} })`,
    )
  }
})

after(async () => {
  await schemas.close()
  await world.close()
})

const user = () => world.context(projectId, { kind: 'user', id: 'u', sessionId: 'ses_u', verified: false, labels: [] })

const ask = async (args: string, fields: string, ctx: Context = owner) => {
  const { data, errors } = await operate(schemas, ctx, `{ list: salesAggregate${args} { ${fields} } }`)
  return errors.length > 0 ? errors : data?.list
}

test('all documents are one group', async () => {
  const all =
    'n: count countDistinct { item shop } sum { count total price weight } avg { count total price weight } min { item sold day } max { item count price id }'
  assert.deepEqual(await ask('', all), [
    {
      n: 8,
      countDistinct: { item: 3, shop: 2 },
      sum: { count: '28', total: '73786976294838206456', price: '32.00', weight: 14 },
      avg: { count: 3.5, total: '9223372036854775807', price: '4', weight: 1.75 },
      min: { item: 'ink', sold: '2026-01-01T23:30:00.000Z', day: '2026-01-01' },
      max: { item: 'pen', count: 7, price: '7.50', id: 's7' },
    },
  ])
  assert.deepEqual(await ask('(where: { count: { gt: 99 } })', 'count sum { count } min { item }'), [
    { count: 0, sum: { count: null }, min: { item: null } },
  ])
})

test('groups by values, periods and relations; having, order, pages, aliases and fragments', async () => {
  assert.deepEqual(
    await ask(
      '(groupBy: [{ item: VALUE }], orderBy: [{ count: DESC }, { sum: { count: DESC } }])',
      '... on SaleAggregate { k: key { i: item shop __typename } } count __typename',
    ),
    [
      { k: { i: 'ink', shop: null, __typename: 'SaleAggregateKey' }, count: 3, __typename: 'SaleAggregate' },
      { k: { i: 'pen', shop: null, __typename: 'SaleAggregateKey' }, count: 3, __typename: 'SaleAggregate' },
      { k: { i: 'pad', shop: null, __typename: 'SaleAggregateKey' }, count: 2, __typename: 'SaleAggregate' },
    ],
  )
  assert.deepEqual(await ask('(groupBy: [{ sold: MONTH }, { shop: VALUE }])', 'key { sold shop } count'), [
    { key: { sold: '2026-01-01T00:00:00.000Z', shop: 'shut' }, count: 4 },
    { key: { sold: '2026-02-01T00:00:00.000Z', shop: 'open' }, count: 4 },
  ])
  assert.deepEqual(
    await ask(
      '(groupBy: [{ day: WEEK }], orderBy: [{ key: { day: DESC } }], first: 1, offset: 1)',
      'key { day } count',
    ),
    [{ key: { day: '2025-12-29' }, count: 4 }],
  )
  const having =
    '(groupBy: [{ item: VALUE }], having: { count: { gte: 3 }, sum: { price: { gt: "11" } }, min: { count: { eq: 1 } } })'
  assert.deepEqual(await ask(having, 'key { item }'), [{ key: { item: 'ink' } }])
})

test('only what the caller may read is counted, and relations lead nowhere else', async () => {
  assert.deepEqual(await ask('(groupBy: [{ shop: VALUE }])', 'key { shop } count countDistinct { shop }', user()), [
    { key: { shop: 'open' }, count: 2, countDistinct: { shop: 1 } },
    { key: { shop: null }, count: 2, countDistinct: { shop: 0 } },
  ])
  const byShop = (direction: string) =>
    ask(`(groupBy: [{ shop: VALUE }], orderBy: [{ key: { shop: ${direction} } }])`, 'key { shop }', user())
  const inOrder = [{ key: { shop: null } }, { key: { shop: 'open' } }]
  assert.deepEqual(await byShop('ASC_NULLS_FIRST'), inOrder)
  assert.deepEqual(await byShop('DESC_NULLS_LAST'), inOrder.toReversed())
  const boss = world.context(projectId, {
    kind: 'user',
    id: 'b',
    sessionId: 'ses_b',
    verified: false,
    labels: ['boss', 'staff'],
  })
  assert.deepEqual(await ask('', 'sum { cost }', boss), [{ sum: { cost: '28' } }])
  const refused = ['FORBIDDEN You may not read `cost`, so you cannot ask by it.']
  const asked = [
    ['', 'sum { cost }'],
    ['', 'countDistinct { cost }'],
    ['(groupBy: [{ cost: VALUE }])', 'count'],
    ['(having: { max: { cost: { gt: 0 } } })', 'count'],
    ['(groupBy: [{ item: VALUE }], orderBy: [{ avg: { cost: ASC } }])', 'count'],
    ['(where: { cost: { gt: 0 } })', 'count'],
  ]
  for (const [args = '', fields = ''] of asked) assert.deepEqual(await ask(args, fields, user()), refused, args)
})

test('what cannot be asked is refused, with its path', async () => {
  const said = async (args: string) => (await ask(args, 'count'))[0]
  assert.match(await said('(first: 101)'), /^INVALID .*\(first\)$/)
  assert.match(await said('(offset: -1)'), /^INVALID .*\(offset\)$/)
  assert.match(await said('(groupBy: [{ item: VALUE }, { item: VALUE }])'), /^INVALID .*\(groupBy\.1\)$/)
  assert.match(await said('(groupBy: [{ item: VALUE, day: DAY }])'), /^INVALID .*\(groupBy\.0\)$/)
  assert.match(
    await said('(groupBy: [{ item: VALUE }, { count: VALUE }, { id: VALUE }, { day: DAY }, { sold: DAY }])'),
    /^INVALID .*\(groupBy\)$/,
  )
  assert.match(await said('(orderBy: [{ key: { item: ASC } }])'), /^INVALID .*\(orderBy\.0\.key\.item\)$/)
  assert.match(await said('(having: { count: { eq: null } })'), /^INVALID .*\(having\.count\.eq\)$/)
})

test('the sum of floats is the same wherever their rows lie', async () => {
  const table = (await world.app.sql.query('select id from collections where key = $1', ['sales'])).rows[0]?.id
  const named = `"${projectId}"."${table}"`
  const sums = async (weights: number[]) => {
    await world.app.sql.query(`delete from ${named} where "_id" like 'f%'`)
    for (const [i, weight] of weights.entries()) {
      await world.app.sql.query(`insert into ${named} ("_id", weight) values ($1, $2)`, [`f${i}`, weight])
    }
    return ask('(where: { id: { in: ["f0", "f1", "f2", "f3"] } })', 'sum { weight } avg { weight }')
  }
  const weights = [1e16, 1, -1e16, 0.1]
  assert.deepEqual(await sums(weights), await sums(weights.toReversed()))
  const [refusal] = (await sums([1e308, 1e308])) as unknown[]
  assert.equal(refusal, 'INVALID What is computed of these documents is out of its range.')
  await world.app.sql.query(`delete from ${named} where "_id" like 'f%'`)
})
