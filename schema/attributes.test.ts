import assert from 'node:assert/strict'
import { before, test } from 'node:test'
import { createCollection } from '../src/modules/collections/collections.ts'
import { createDatabase } from '../src/modules/databases/databases.ts'
import { operate } from '../src/testing/operation.ts'
import { createStage } from '../src/testing/stage.ts'
import { applySchemaChanges } from '../workers/databases/apply.ts'

const { schemas, owner: ctx } = await createStage()
let collectionId: string

before(async () => {
  const { id: databaseId } = await createDatabase(ctx, { key: 'main' })
  collectionId = (await createCollection(ctx, { databaseId, key: 'posts', permissions: [] })).id
})

const fields = 'key type required default size reverseKey onDelete status error relatedCollection { key }'
const createAttribute = `mutation ($input: CreateAttributeInput!) { createAttribute(input: $input) { id ${fields} } }`
const create = (input: object) => operate(schemas, ctx, createAttribute, { input: { collectionId, ...input } })

const nothing = {
  required: false,
  default: null,
  size: null,
  reverseKey: null,
  onDelete: null,
  error: null,
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
    'INVALID This is not a whole number of 32 bits. (input.default)',
  )
  assert.match((await errorOf({ key: 'constructor', type: 'INTEGER' })) ?? '', /^INVALID .* \(input\.key\)$/)
  assert.match((await errorOf({ key: 'title', type: 'INTEGER' })) ?? '', /^CONFLICT /)
  const relation = { key: 'to', type: 'RELATION', onDelete: 'CASCADE', relatedCollectionId: 'col_1' }
  assert.equal(await errorOf(relation), 'NOT_FOUND There is no such collection. (input.relatedCollectionId)')
})

const fine =
  'id key list min max pattern elements dimensions unique encrypted computed permissions { right role } relation'

test('what an attribute may hold, and who may use it, is answered as asked', async () => {
  const source = `mutation ($input: CreateAttributeInput!) { createAttribute(input: $input) { ${fine} } }`
  const made = async (input: object) => {
    const { data, errors } = await operate(schemas, ctx, source, { input: { collectionId, ...input } })
    assert.deepEqual(errors, [])
    return data?.createAttribute
  }
  const total = await made({
    key: 'total',
    type: 'BIGINT',
    min: '1',
    max: 9,
    permissions: [{ right: 'READ', role: 'users' }],
  })
  assert.deepEqual([total.min, total.max, total.permissions], ['1', '9', [{ right: 'READ', role: 'users' }]])
  const kinds = await made({ key: 'kinds', type: 'ENUM', list: true, elements: ['a', 'b'] })
  assert.deepEqual([kinds.list, kinds.elements, kinds.permissions], [true, ['a', 'b'], null])
  const permissions = [{ right: 'READ', role: 'users' }]
  const twice = await made({ key: 'twice', type: 'BIGINT', computed: 'total * 2', unique: true, permissions })
  assert.deepEqual([twice.computed, twice.unique], ['total * 2', true])
  const secret = await made({ key: 'secret', type: 'JSON', encrypted: true })
  assert.deepEqual([secret.encrypted, secret.relation], [true, null])
  const vector = await made({ key: 'vector', type: 'VECTOR', dimensions: 3 })
  assert.equal(vector.dimensions, 3)
  const links = await made({ key: 'friends', type: 'RELATION', relation: 'MANY_TO_MANY', relatedCollectionId: 'self' })
  assert.equal(links.relation, 'MANY_TO_MANY')
})

test('an attribute is changed, after a look at what that would come to', async () => {
  const { data } = await create({ key: 'amount', type: 'INTEGER', default: 1 })
  const { id } = data?.createAttribute ?? {}
  await applySchemaChanges(ctx, { signal: new AbortController().signal, graceMs: 0 })
  const input = { id, key: 'price', type: 'DECIMAL', default: '1.5', max: '10' }
  const check =
    'query ($input: UpdateAttributeInput!) { checkAttributeChange(input: $input) { possible failing examples { documentId reason } } }'
  const checked = await operate(schemas, ctx, check, { input })
  assert.deepEqual(checked, {
    data: { checkAttributeChange: { possible: true, failing: 0, examples: [] } },
    errors: [],
  })
  const update =
    'mutation ($input: UpdateAttributeInput!) { updateAttribute(input: $input) { key type default status } }'
  const updated = await operate(schemas, ctx, update, { input })
  assert.deepEqual(updated, {
    data: { updateAttribute: { key: 'price', type: 'INTEGER', default: 1, status: 'CHANGING' } },
    errors: [],
  })
  await applySchemaChanges(ctx, { signal: new AbortController().signal, graceMs: 0 })
  const read = `{ collection(id: "${collectionId}") { attributes(first: 50) { nodes { key type default max status } } } }`
  const { nodes } = (await operate(schemas, ctx, read)).data?.collection.attributes ?? {}
  assert.deepEqual(
    nodes.find(({ key }: { key: string }) => key === 'price'),
    { key: 'price', type: 'DECIMAL', default: '1.5', max: '10', status: 'AVAILABLE' },
  )
  const { errors } = await operate(schemas, ctx, update, { input: { id: 'att_1', key: 'a' } })
  assert.deepEqual(errors, ['NOT_FOUND There is no such attribute. (input.id)'])
})

test('an attribute is deleted', async () => {
  const { data } = await create({ key: 'leaving', type: 'BOOLEAN' })
  const { id } = data?.createAttribute ?? {}
  const source = 'mutation ($id: ID!) { deleteAttribute(id: $id) }'
  assert.deepEqual(await operate(schemas, ctx, source, { id }), { data: { deleteAttribute: id }, errors: [] })
  assert.deepEqual((await operate(schemas, ctx, source, { id: 'att_1' })).errors, [
    'NOT_FOUND There is no such attribute. (id)',
  ])
})
