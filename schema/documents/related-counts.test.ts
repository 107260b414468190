import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import type { Context } from '../../src/context.ts'
import { isRaw } from '../../src/http/stream.ts'
import { createGraphql, type Graphql } from '../../src/server.ts'
import { createCollections } from '../../src/testing/collections.ts'
import { operate } from '../../src/testing/operation.ts'
import { createWorld, type World } from '../../src/testing/world.ts'
import { createSchemas, type Schemas } from '../schemas.ts'

let world: World
let schemas: Schemas
let compiled: Graphql
let ordinary: Graphql
let owner: Context
let projectId: string

before(async () => {
  world = await createWorld()
  const project = await world.createProject()
  owner = project.owner
  projectId = project.projectId
  const permissions = ['read:users']
  await createCollections(owner, {
    towns: { permissions, attributes: { name: { type: 'STRING' } } },
    shops: {
      permissions,
      attributes: { name: { type: 'STRING' }, town: { type: 'RELATION', to: 'towns', reverseKey: 'shops' } },
    },
    sales: {
      documentPermissions: true,
      attributes: {
        item: { type: 'STRING' },
        total: { type: 'INTEGER' },
        cost: { type: 'INTEGER', restricted: true, permissions: ['read:label:boss'] },
        shop: { type: 'RELATION', to: 'shops', reverseKey: 'sales' },
        hall: {
          type: 'RELATION',
          to: 'towns',
          relation: 'MANY_TO_MANY',
          reverseKey: 'hidden',
          restricted: true,
          permissions: ['read:label:boss'],
        },
      },
    },
  })
  schemas = createSchemas(world.app)
  compiled = createGraphql(world.app)
  ordinary = createGraphql(world.app, undefined, { plans: false })
  const make = async (source: string) =>
    assert.deepEqual((await operate(schemas, owner, `mutation { ${source} { id } }`)).errors, [])
  await make('createTowns(inputs: [{ id: "north" }, { id: "south" }])')
  for (const [id, town] of [
    ['big', 'north'],
    ['small', 'north'],
    ['new', 'south'],
    ['none', null],
  ])
    await make(`createShop(input: { id: "${id}", name: "${id}"${town ? `, town: "${town}"` : ''} })`)
  // Of big there are five, of which everybody may read three; of small two; of new three, of which nobody may read any.
  const sale = async (shop: string, total: number, isPublic: boolean) =>
    make(
      `createSale(input: { item: "${total % 2 ? 'pen' : 'ink'}", total: ${total}, cost: ${total}, shop: "${shop}"${isPublic ? ', permissions: [{ right: READ, role: "users" }]' : ''} })`,
    )
  for (const total of [1, 2, 3, 4, 5]) await sale('big', total, total <= 3)
  for (const total of [6, 7]) await sale('small', total, true)
  for (const total of [8, 9, 10]) await sale('new', total, false)
})

after(async () => {
  for (const one of [compiled, ordinary, schemas]) await one?.close()
  await world?.close()
})

const user = (...labels: string[]) =>
  world.context(projectId, { kind: 'user', id: 'u', sessionId: 'ses_u', verified: false, labels })

/** Asks on both paths: the first takes the compiled one. */
async function ask(source: string, ctx: Context = owner, variables: Record<string, unknown> = {}) {
  const text = async (graphql: Graphql) => {
    const answer = await graphql.run({ ...ctx }, { query: source, variables }, ['query'])
    return { isRaw: isRaw(answer), json: isRaw(answer) ? answer.json : JSON.stringify(answer) }
  }
  const [made, expected] = [await text(compiled), await text(ordinary)]
  assert.equal(made.json, expected.json, source)
  const { data, errors } = JSON.parse(made.json)
  if (errors)
    return errors.map(
      (one: { message: string; extensions: { code: string; path?: string[] } }) =>
        `${one.extensions.code} ${one.message}`,
    )
  assert.ok(made.isRaw, source)
  return data
}

const ids = async (args: string, ctx: Context = owner, variables = {}, declared = '') => {
  const data = await ask(`query ${declared} { shops(${args}) { nodes { id } } }`, ctx, variables)
  return Array.isArray(data) ? data : data.shops.nodes.map(({ id }: { id: string }) => id).join(' ')
}

test('what is related is computed of, whatever the page of it', async () => {
  const fields = 'count sum { total } avg { total } min { item } max { total } countDistinct { item } key { item }'
  const none = { sum: { total: null }, avg: { total: null }, min: { item: null }, max: { total: null } }
  const data = await ask(`{ shops { nodes { id sales(first: 1) { nodes { total } aggregate { ${fields} } } } } }`)
  const [big, fresh, empty] = data.shops.nodes
  assert.deepEqual(big.sales.aggregate, {
    count: 5,
    sum: { total: '15' },
    avg: { total: 3 },
    min: { item: 'ink' },
    max: { total: 5 },
    countDistinct: { item: 2 },
    key: { item: null },
  })
  assert.equal(big.sales.nodes.length, 1)
  assert.equal(fresh.sales.aggregate.count, 3)
  assert.deepEqual(empty.sales.aggregate, { count: 0, ...none, countDistinct: { item: 0 }, key: { item: null } })
})

test('its filter is that of its list, at the root as well', async () => {
  const pens = '(where: { item: { eq: "pen" } }, first: 0) { aggregate { __typename n: count sum { total } } }'
  const { sales, shop } = await ask(`{ sales${pens} shop(id: "big") { sales${pens} } }`)
  assert.deepEqual(sales.aggregate, { __typename: 'SaleAggregate', n: 5, sum: { total: '25' } })
  assert.deepEqual(shop.sales.aggregate, { __typename: 'SaleAggregate', n: 3, sum: { total: '9' } })
  assert.deepEqual((await ask('{ sales { aggregate { __typename sum { __typename } } } }')).sales.aggregate, {
    __typename: 'SaleAggregate',
    sum: { __typename: 'SaleAggregateSums' },
  })
})

test('documents are found by how many related ones there are, and by how many of them match', async () => {
  assert.equal(await ids('where: { sales: { count: { gte: 3 } } }'), 'big new')
  assert.equal(await ids('where: { sales: { count: { eq: 0 } } }'), 'none')
  assert.equal(await ids('where: { sales: { count: { eq: 2 }, of: { item: { eq: "ink" } } } }'), 'big new')
  assert.equal(await ids('where: { sales: { count: { gt: 1, lt: 4 }, none: { total: { gt: 9 } } } }'), 'small')
  assert.equal(await ids('where: { not: { sales: { count: { in: [2, 3] } } } }'), 'big none')
  assert.equal(await ids('where: { town: { shops: { count: { eq: 1 } } } }'), 'new')
  assert.equal(await ids('where: { sales: { count: {}, of: { total: { gt: 100 } } } }'), 'big new none small')
  assert.equal(
    await ids(
      'where: { sales: { count: { gte: $n }, of: $w } }',
      owner,
      { n: 2, w: { total: { gt: 3 } } },
      '($n: Int, $w: SaleWhere)',
    ),
    'big new small',
  )
})

test('documents are ordered by how many related ones there are, page by page', async () => {
  assert.equal(await ids('orderBy: [{ sales: { count: DESC } }, { name: ASC }]'), 'big new small none')
  assert.equal(await ids('orderBy: [{ sales: { count: ASC } }]'), 'none small new big')
  assert.equal(await ids('orderBy: [{ town: { shops: { count: DESC } } }]'), 'none small big new')
  const page = (after: string) =>
    `shops(orderBy: [{ sales: { count: DESC } }], first: 2${after}) { nodes { id } pageInfo { endCursor } }`
  const first = await ask(`{ ${page('')} }`)
  const next = await ask(`{ ${page(`, after: "${first.shops.pageInfo.endCursor}"`)} }`)
  assert.deepEqual([...first.shops.nodes, ...next.shops.nodes].map(({ id }) => id).join(' '), 'big new small none')
})

test('only what the caller may read counts', async () => {
  const someone = user()
  const { shops } = await ask('{ shops { nodes { id sales { aggregate { count max { total } } } } } }', someone)
  assert.deepEqual(
    shops.nodes.map((one: { sales: { aggregate: { count: number; max: { total: number } } } }) => [
      one.sales.aggregate.count,
      one.sales.aggregate.max.total,
    ]),
    [
      [3, 3],
      [0, null],
      [0, null],
      [2, 7],
    ],
  )
  assert.equal(await ids('where: { sales: { count: { gt: 0 } } }', someone), 'big small')
  assert.equal(await ids('where: { sales: { count: { eq: 2 }, of: { item: { eq: "pen" } } } }', someone), 'big')
  assert.equal(await ids('orderBy: [{ sales: { count: DESC } }, { id: ASC }]', someone), 'big small new none')
})

test('fields and relations that the caller may not read are refused, whatever the documents are', async () => {
  const someone = user()
  const refused = ['FORBIDDEN You may not read `cost`, so you cannot ask by it.']
  assert.deepEqual(await ask('{ shops { nodes { sales { aggregate { sum { cost } } } } } }', someone), refused)
  assert.deepEqual(await ids('where: { sales: { count: { gt: 0 }, of: { cost: { gt: 1 } } } }', someone), refused)
  const hidden = ['FORBIDDEN You may not read `hidden`, so you cannot ask by it.']
  for (const args of ['where: { hidden: { count: { eq: 0 } } }', 'orderBy: [{ hidden: { count: ASC } }]'])
    assert.deepEqual(await ask(`{ towns(${args}) { nodes { id } } }`, someone), hidden)
  const { shops } = await ask('{ shops(first: 1) { nodes { sales { aggregate { sum { cost } } } } } }', user('boss'))
  assert.equal(shops.nodes[0].sales.aggregate.sum.cost, '6')
  const { towns } = await ask('{ towns(first: 1) { nodes { hidden { aggregate { count } } } } }', someone)
  assert.equal(towns.nodes[0].hidden.aggregate.count, 0)
})

test('what cannot be asked is refused, with its path', async () => {
  const refusal = async (args: string) =>
    (await operate(schemas, owner, `{ shops(${args}) { nodes { id } } }`)).errors[0]
  assert.match(
    String(await refusal('where: { sales: { of: { item: { eq: "pen" } } } }')),
    /^INVALID .*\(where\.sales\.of\)$/,
  )
  assert.match(String(await refusal('where: { sales: { count: null } }')), /^INVALID .*\(where\.sales\.count\)$/)
  assert.match(
    String(await refusal('where: { sales: { count: { gt: null } } }')),
    /^INVALID .*\(where\.sales\.count\.gt\)$/,
  )
  assert.match(
    String(await refusal('where: { sales: { count: { gt: 1 }, of: null } }')),
    /^INVALID .*\(where\.sales\.of\)$/,
  )
  assert.match(String(await refusal('orderBy: [{ sales: null }]')), /^INVALID .*\(orderBy\.0\.sales\)$/)
})

test('a collection of counts has its types', async () => {
  const other = (await world.createProject()).owner
  await createCollections(other, {
    counts: { attributes: { of: { type: 'RELATION', to: 'counts', reverseKey: 'parts' } } },
  })
  const { data } = await operate(schemas, other, '{ counts(orderBy: [{ parts: { count: DESC } }]) { nodes { id } } }')
  assert.deepEqual(data, { counts: { nodes: [] } })
})
