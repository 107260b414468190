import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import type { Context } from '../src/context.ts'
import { createCollection } from '../src/modules/collections/collections.ts'
import { createDatabase } from '../src/modules/databases/databases.ts'
import { operate } from '../src/testing/operation.ts'
import { createWorld, type World } from '../src/testing/world.ts'
import { createSchemas, type Schemas } from './schemas.ts'

let world: World
let schemas: Schemas
let ctx: Context
let collectionId: string

before(async () => {
  world = await createWorld()
  schemas = createSchemas(world.app)
  ctx = (await world.createProject()).owner
  const { id: databaseId } = await createDatabase(ctx, { key: 'main' })
  collectionId = (await createCollection(ctx, { databaseId, key: 'posts', permissions: [] })).id
})
after(async () => {
  await schemas.close()
  await world.close()
})

const fields = 'key type required default size reverseKey onDelete status statusReason relatedCollection { key }'
const createAttribute = `mutation ($input: CreateAttributeInput!) { createAttribute(input: $input) { id ${fields} } }`
const create = (input: object) => operate(schemas, ctx, createAttribute, { input: { collectionId, ...input } })

const nothing = {
  required: false,
  default: null,
  size: null,
  reverseKey: null,
  onDelete: null,
  statusReason: null,
  relatedCollection: null,
}

test('an attribute of each type is created as asked', async () => {
  const asked = [
    { key: 'title', type: 'STRING', size: 10, required: true },
    { key: 'kind', type: 'STRING', size: 10, default: 'x' },
    { key: 'views', type: 'INTEGER', default: 0 },
    { key: 'open', type: 'BOOLEAN', default: false },
    { key: 'since', type: 'DATETIME', default: '2026-11-23T12:00:00.000Z' },
  ]
  for (const input of asked) {
    const { data, errors } = await create(input)
    assert.deepEqual(errors, [])
    const { id, ...attribute } = data?.createAttribute ?? {}
    assert.match(id, /^att_/)
    assert.deepEqual(attribute, { ...nothing, status: 'PROCESSING', ...input })
  }
  const relation = { key: 'parent', type: 'RELATION', reverseKey: 'children', onDelete: 'SET_NULL' }
  const { data } = await create({ ...relation, relatedCollectionId: collectionId })
  const { id: _id, ...attribute } = data?.createAttribute ?? {}
  assert.deepEqual(attribute, { ...nothing, status: 'PROCESSING', ...relation, relatedCollection: { key: 'posts' } })
})

test('what is wrong is said with its code and path', async () => {
  const errorOf = async (input: object) => (await create(input)).errors[0]
  assert.equal(
    await errorOf({ key: 'a', type: 'INTEGER', default: '1' }),
    'INVALID The default is not a whole number of 32 bits. (input.default)',
  )
  assert.match((await errorOf({ key: 'constructor', type: 'INTEGER' })) ?? '', /^INVALID .* \(input\.key\)$/)
  assert.match((await errorOf({ key: 'title', type: 'INTEGER' })) ?? '', /^CONFLICT /)
  const relation = { key: 'to', type: 'RELATION', onDelete: 'CASCADE', relatedCollectionId: 'col_1' }
  assert.equal(await errorOf(relation), 'NOT_FOUND There is no such collection.')
})

test('an attribute is deleted', async () => {
  const { data } = await create({ key: 'leaving', type: 'BOOLEAN' })
  const { id } = data?.createAttribute ?? {}
  const source = 'mutation ($id: ID!) { deleteAttribute(id: $id) }'
  assert.deepEqual(await operate(schemas, ctx, source, { id }), { data: { deleteAttribute: id }, errors: [] })
  assert.deepEqual((await operate(schemas, ctx, source, { id: 'att_1' })).errors, [
    'NOT_FOUND There is no such attribute.',
  ])
})
