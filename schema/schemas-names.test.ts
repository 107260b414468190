import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import { validateSchema } from 'graphql'
import { nameClash } from '../src/documents/names.ts'
import { isRaw } from '../src/http/stream.ts'
import { createGraphql } from '../src/server.ts'
import { createCollections } from '../src/testing/collections.ts'
import { operate } from '../src/testing/operation.ts'
import { createWorld, type World } from '../src/testing/world.ts'
import { createSchemas, type Schemas } from './schemas.ts'

let world: World
let schemas: Schemas

before(async () => {
  world = await createWorld()
  schemas = createSchemas(world.app)
})
after(async () => {
  await schemas.close()
  await world.close()
})

test("names of the API's own types cannot be taken", () => {
  for (const [typeName, key] of [
    ['User', 'users'],
    ['StringFilter', 'filters'],
    ['PageInfo', 'infos'],
    ['Permission', 'permissions'],
    ['String', 'strings'],
  ] as const) {
    assert.notEqual(nameClash({ typeName, key }, []), null, typeName)
  }
})

test('a collection that came to clash with the API leaves the rest of the schema usable', async () => {
  const { owner } = await world.createProject()
  await createCollections(owner, {
    users: { attributes: {} },
    pages: { attributes: { text: { type: 'STRING' } } },
    moons: { typeName: 'PageWhere', attributes: {} },
  })
  const schema = await schemas.for(owner)
  assert.deepEqual(validateSchema(schema), [])
  assert.ok(schema.getType('Page'))
  assert.equal(schema.getQueryType()?.getFields().pageWhere, undefined)
})

test('names that JavaScript knows are names like others', async () => {
  const { owner } = await world.createProject()
  const keys = [
    'constructor',
    'toString',
    'valueOf',
    'hasOwnProperty',
    'length',
    'name',
    'then',
    'select',
    'order',
    'n',
    'p',
    't',
  ]
  await createCollections(owner, {
    constructor: { attributes: Object.fromEntries(keys.map((key) => [key, { type: 'STRING' as const }])) },
  })
  const all = keys.join(' ')
  const empty = await operate(schemas, owner, `mutation { createConstructor(input: { id: "x" }) { ${all} } }`)
  assert.deepEqual(empty, {
    data: { createConstructor: Object.fromEntries(keys.map((key) => [key, null])) },
    errors: [],
  })
  const set = await operate(
    schemas,
    owner,
    `mutation { updateConstructor(input: { id: "x", ${keys.map((key) => `${key}: "v"`).join(' ')} }) { ${all} } }`,
  )
  assert.deepEqual(set, { data: { updateConstructor: Object.fromEntries(keys.map((key) => [key, 'v'])) }, errors: [] })
  const where = keys.map((key) => `${key}: { eq: "v" }`).join(' ')
  const found = await operate(
    schemas,
    owner,
    `{ constructorList(where: { ${where} }, orderBy: [${keys
      .slice(0, 8)
      .map((key) => `{ ${key}: DESC }`)
      .join(' ')}]) { nodes { ${all} } edges { cursor } pageInfo { hasNextPage } } }`,
  )
  assert.deepEqual(found.errors, [])
  assert.equal(found.data?.constructorList.nodes[0].valueOf, 'v')

  const fields = (value: string) => keys.map((key) => `${key}: ${value}`).join(' ')
  const more = await operate(
    schemas,
    owner,
    `mutation {
      updateConstructorList(where: { ${where} }, set: { ${fields('"w"')} }) { count }
      upsertConstructor(input: { id: "x", ${fields('"q"')} }, apply: {}) { version }
      createConstructorList(inputs: [{ id: "y", ${fields('"z"')} }]) { ${all} }
      deleteConstructor(id: "y")
    }`,
  )
  assert.deepEqual(more.errors, [])
  assert.deepEqual(more.data?.createConstructorList, [Object.fromEntries(keys.map((key) => [key, 'z']))])
  const grouped = await operate(
    schemas,
    owner,
    `{ constructorListAggregate(groupBy: [${keys
      .slice(0, 4)
      .map((key) => `{ ${key}: VALUE }`)
      .join(' ')}]) { key { ${keys.slice(0, 4).join(' ')} } count countDistinct { ${all} } min { ${all} } } }`,
  )
  assert.deepEqual(grouped.errors, [])
  const [group] = grouped.data?.constructorListAggregate ?? []
  assert.deepEqual(group.key, Object.fromEntries(keys.slice(0, 4).map((key) => [key, 'q'])))
  assert.deepEqual(group.min, Object.fromEntries(keys.map((key) => [key, 'q'])))

  for (const terms of [undefined, { plans: false }]) {
    const graphql = createGraphql(world.app, undefined, terms)
    const ask = async (query: string, variables: Record<string, unknown>) => {
      const answer = await graphql.run({ ...owner }, { query, variables }, ['mutation', 'query'])
      return isRaw(answer) ? JSON.parse(answer.json) : answer
    }
    const input = Object.fromEntries(keys.map((key) => [key, 'c']))
    const create = `mutation ($i: CreateConstructorInput!) { createConstructor(input: $i) { id ${all} } }`
    const { id, ...made } = (await ask(create, { i: input })).data.createConstructor
    assert.deepEqual({ ...made }, input)
    const read = `query ($id: ID!) { constructor(id: $id) { ${all} } }`
    assert.deepEqual(JSON.parse(JSON.stringify((await ask(read, { id })).data.constructor)), input)
    await graphql.close()
  }
})
