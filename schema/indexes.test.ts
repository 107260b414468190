import assert from 'node:assert/strict'
import { before, test } from 'node:test'
import { createCollection } from '../src/modules/collections/collections.ts'
import { createDatabase } from '../src/modules/databases/databases.ts'
import { operate } from '../src/testing/operation.ts'
import { createStage } from '../src/testing/stage.ts'

const { schemas, owner: ctx } = await createStage()
let collectionId: string

before(async () => {
  const { id: databaseId } = await createDatabase(ctx, { key: 'main' })
  const attributes = [{ key: 'title', type: 'STRING', size: 100 }] as const
  collectionId = (await createCollection(ctx, { databaseId, key: 'posts', permissions: [], attributes })).id
})

const source =
  'mutation ($input: CreateIndexInput!) { createIndex(input: $input) { id collection { key } key type attributes orders language distance status error } }'
const create = (input: object) => operate(schemas, ctx, source, { input: { collectionId, type: 'KEY', ...input } })

test('an index is created as asked, and deleted', async () => {
  const asked = { key: 'byTitle', type: 'UNIQUE', attributes: ['title', 'createdAt'], orders: ['DESC', 'ASC'] }
  const { data, errors } = await create(asked)
  assert.deepEqual(errors, [])
  const { id, ...index } = data?.createIndex ?? {}
  assert.deepEqual(index, {
    ...asked,
    collection: { key: 'posts' },
    language: null,
    distance: null,
    status: 'PROCESSING',
    error: null,
  })
  const gone = await operate(schemas, ctx, 'mutation ($id: ID!) { deleteIndex(id: $id) }', { id })
  assert.deepEqual(gone, { data: { deleteIndex: id }, errors: [] })
})

test('orders are ascending if left out', async () => {
  const { data } = await create({ key: 'plain', attributes: ['title'] })
  assert.deepEqual(data?.createIndex.orders, ['ASC'])
  const text = await create({ key: 'words', type: 'FULLTEXT', attributes: ['title'], language: 'german' })
  assert.deepEqual([text.data?.createIndex.orders, text.data?.createIndex.language], [[], 'german'])
})

test('what is wrong is said with its code and path', async () => {
  const errorOf = async (input: object) => (await create(input)).errors[0]
  assert.equal(
    await errorOf({ key: 'a', attributes: ['absent'] }),
    'INVALID There is no such attribute. (input.attributes.0)',
  )
  assert.equal(
    await errorOf({ key: 'plain', attributes: ['title'] }),
    'CONFLICT This collection already has an index “plain”. (input.key)',
  )
  assert.equal(
    await errorOf({ collectionId: 'col_1', key: 'b', attributes: ['title'] }),
    'NOT_FOUND There is no such collection. (input.collectionId)',
  )
  const { errors } = await operate(schemas, ctx, 'mutation { deleteIndex(id: "idx_1") }')
  assert.deepEqual(errors, ['NOT_FOUND There is no such index. (id)'])
})
