import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import type { Context } from '../../src/context.ts'
import { operatorsOf } from '../../src/documents/operators.ts'
import { isRaw } from '../../src/http/stream.ts'
import { createGraphql, type Graphql } from '../../src/server.ts'
import { createCollections } from '../../src/testing/collections.ts'
import { createWorld, type World } from '../../src/testing/world.ts'

const pools = {
  STRING: ['', 'Apple', 'apple pie', 'b%_'],
  EMAIL: ['ann@example.org', 'bob@example.org'],
  URL: ['https://example.org/a', 'https://example.org/b'],
  INTEGER: [-1, 0, 3],
  BIGINT: ['-1', '9223372036854775807'],
  FLOAT: [0.5, -1.25],
  DECIMAL: ['1.50', '2'],
  BOOLEAN: [true, false],
  DATETIME: ['2026-01-01T00:00:00.000Z', '2026-02-03T04:05:06.007Z'],
  DATE: ['2026-01-01', '2026-02-28'],
  IP: ['127.0.0.1', '2001:db8::1'],
  UUID: ['a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11', 'ffffffff-ffff-ffff-ffff-ffffffffffff'],
  ENUM: ['ONE', 'TWO'],
} as const
type Pooled = keyof typeof pools

let world: World
let compiled: Graphql
let ordinary: Graphql
let owner: Context
let projectId: string

before(async () => {
  world = await createWorld()
  const project = await world.createProject()
  owner = project.owner
  projectId = project.projectId
  const attributes = Object.keys(pools).map((type) => [
    type.toLowerCase(),
    { type, ...(type === 'ENUM' && { elements: pools.ENUM }), ...(type === 'STRING' && { size: 100 }) },
  ])
  await createCollections(owner, {
    shops: { documentPermissions: true, attributes: { name: { type: 'STRING' } } },
    things: {
      permissions: ['read:users'],
      attributes: {
        ...Object.fromEntries(attributes),
        words: { type: 'TEXT' },
        secret: { type: 'STRING', restricted: true, permissions: ['read:label:boss'] },
        shop: { type: 'RELATION', to: 'shops', reverseKey: 'things' },
      },
      indexes: { search: { type: 'FULLTEXT', attributes: ['words'], language: 'english' } },
    },
  })
  compiled = createGraphql(world.app)
  ordinary = createGraphql(world.app, undefined, { plans: false })
  const make = async (field: string, type: string, input: object) => {
    const source = `mutation ($i: Create${type}Input!) { ${field}(input: $i) { id } }`
    const answer = await compiled.run({ ...owner }, { query: source, variables: { i: input } }, ['mutation'])
    assert.ok(!textOf(answer).includes('"errors"'), textOf(answer))
  }
  const everybody = [{ right: 'READ', role: 'users' }]
  await make('createShop', 'Shop', { id: 'open', name: 'Open', permissions: everybody })
  await make('createShop', 'Shop', { id: 'shut', name: 'Shut' })
  for (let i = 0; i < 8; i++) {
    const values = Object.entries(pools).map(([type, pool]) => [type.toLowerCase(), pool[i % pool.length]])
    // One has none of them.
    const own = i === 7 ? {} : Object.fromEntries(values)
    const shop = i < 3 ? 'open' : 'shut'
    await make('createThing', 'Thing', { ...own, words: 'running dogs', secret: 's', shop })
  }
})

after(async () => {
  for (const one of [compiled, ordinary]) await one.close()
  await world.close()
})

const textOf = (answer: object): string => (isRaw(answer) ? answer.json : JSON.stringify(answer))

const user = () => world.context(projectId, { kind: 'user', id: 'u', sessionId: 'ses_u', verified: false, labels: [] })

/** The groups, which both paths answer alike. */
async function groups(args: object, by: object[] = [{ integer: 'VALUE' }], ctx = owner, fields = 'count') {
  const source = `query ($w: ThingWhere, $b: [ThingGroup!], $h: ThingHaving) {
    thingsAggregate(where: $w, groupBy: $b, having: $h) { key { ${by.map((one) => Object.keys(one)[0]).join(' ')} } ${fields} } }`
  const asked = { query: source, variables: { b: by, ...args } }
  const expected = textOf(await ordinary.run({ ...ctx }, asked, ['query']))
  for (let i = 0; i < 2; i++) {
    const answer = await compiled.run({ ...ctx }, asked, ['query'])
    assert.equal(textOf(answer), expected)
    assert.ok(isRaw(answer) || expected.includes('"errors"'), expected)
  }
  const { data, errors } = JSON.parse(expected)
  return errors ?? data.thingsAggregate
}

const codeOf = (errors: { extensions: { code: string; path?: string[] } }[]) =>
  errors.map(({ extensions: { code, path } }) => `${code} ${path?.join('.')}`).join()

function operandOf(operator: string, pool: readonly unknown[]): unknown {
  if (operator === 'isNull') return true
  if (operator === 'search') return { words: 'apple' }
  if (operator === 'regex') return '^[Aa]'
  if (operator === 'in' || operator === 'notIn') return pool.slice(1)
  return /[bB]etween$/.test(operator) ? [pool[0], pool[0]] : pool[0]
}

for (const [type, pool] of Object.entries(pools)) {
  for (const operator of Object.keys(operatorsOf({ type: type as Pooled, list: false }))) {
    test(`${operator} of a key of type ${type} finds the groups of what the same filter finds`, async () => {
      const key = type.toLowerCase()
      const filter = { [key]: { [operator]: operandOf(operator, pool) } }
      const by = [{ [key]: 'VALUE' }]
      const found = await groups({ h: { key: filter } }, by)
      assert.deepEqual(found, await groups({ w: filter }, by))
      const others = await groups({ h: { not: { key: filter } } }, by)
      assert.deepEqual(others, await groups({ w: { not: filter } }, by))
      const all = await groups({}, by)
      assert.equal(found.length + others.length, all.length)
    })
  }
}

test('and, or and not, of keys and of what is computed, at any depth', async () => {
  const keys = async (having: object) =>
    (await groups({ h: having })).map(({ key }: { key: { integer: number | null } }) => key.integer)
  // -1: 3 documents, 0 and 3: 2 each, and the one that has none.
  assert.deepEqual(await keys({}), [-1, 0, 3, null])
  assert.deepEqual(await keys({ or: [{ count: { gt: 2 } }, { key: { integer: { isNull: true } } }] }), [-1, null])
  assert.deepEqual(await keys({ and: [{ count: { gt: 1 } }, { not: { key: { integer: { eq: 0 } } } }] }), [-1, 3])
  assert.deepEqual(
    await keys({ key: { integer: { gte: 0 } }, count: { eq: 2 }, not: { max: { integer: { eq: 3 } } } }),
    [0],
  )
  assert.deepEqual(
    await keys({ not: { or: [{ count: { lt: 2 } }, { and: [{ sum: { integer: { lt: '0' } } }] }] } }),
    [0, 3],
  )
  // What is null satisfies no comparison, and so `not` of one holds.
  assert.deepEqual(await keys({ not: { min: { integer: { lt: 100 } } } }), [null])
  assert.deepEqual(await keys({ or: [] }), [])
  assert.deepEqual(await keys({ and: [] }), [-1, 0, 3, null])
  assert.deepEqual(await keys({ not: {} }), [])
})

test('a key that is a period is compared as its beginning, one that is a relation by the id', async () => {
  const months = await groups({ h: { key: { datetime: { eq: '2026-02-01T00:00:00Z' } } } }, [{ datetime: 'MONTH' }])
  assert.deepEqual(months, [{ key: { datetime: '2026-02-01T00:00:00.000Z' }, count: 3 }])
  const shops = await groups({ h: { key: { shop: { in: ['shut', 'none'] } } } }, [{ shop: 'VALUE' }])
  assert.deepEqual(shops, [{ key: { shop: 'shut' }, count: 5 }])
})

test('words are looked for in the language of the index', async () => {
  const search = { words: { search: { words: 'dog run' } } }
  for (const having of [{ key: search }, { min: search }])
    assert.deepEqual(await groups({ h: having }, [{ words: 'VALUE' }], owner), [
      { key: { words: 'running dogs' }, count: 8 },
    ])
})

test('nothing is learned by a key that may not be read', async () => {
  for (const having of [
    { key: { secret: { eq: 's' } } },
    { or: [{ count: { gt: 0 } }, { max: { secret: { eq: 's' } } }] },
  ]) {
    const [error] = await groups({ h: having }, [{ secret: 'VALUE' }], user())
    assert.equal(error.message, 'You may not read `secret`, so you cannot ask by it.')
  }
  const [error] = await groups({ h: { not: { not: { max: { secret: { eq: 's' } } } } } }, undefined, user())
  assert.equal(error.message, 'You may not read `secret`, so you cannot ask by it.')
  // A relation to what may not be read leads nowhere.
  const shops = async (having: object) => groups({ h: having }, [{ shop: 'VALUE' }], user())
  assert.deepEqual(await shops({ key: { shop: { eq: 'shut' } } }), [])
  assert.deepEqual(await shops({ key: { shop: { isNull: true } } }), [{ key: { shop: null }, count: 5 }])
})

test('what makes no sense is refused, with its path', async () => {
  const said = async (having: object) => codeOf(await groups({ h: having }))
  assert.equal(await said({ key: { shop: { eq: 'open' } } }), 'INVALID having.key.shop')
  assert.equal(await said({ or: [{ count: { eq: null } }] }), 'INVALID having.or.0.count.eq')
  assert.equal(await said({ not: { key: { integer: { between: [1] } } } }), 'INVALID having.not.key.integer.between')
  for (const empty of ['not', 'and', 'or', 'count', 'key', 'sum'])
    assert.match(await said({ [empty]: null }), new RegExp(`^INVALID having.${empty}`))
  assert.equal(await said({ key: { integer: null } }), 'INVALID having.key.integer')
  const many = Array.from({ length: 201 }, () => ({ count: { gt: 0 } }))
  assert.match(await said({ or: many }), /^INVALID having/)
})
