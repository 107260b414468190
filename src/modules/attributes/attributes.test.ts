import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import type { Context } from '../../context.ts'
import { type AppError, Conflict, Invalid, LimitExceeded, NotFound } from '../../errors.ts'
import { newId } from '../../lib/ids.ts'
import { statements } from '../../testing/statements.ts'
import { createWorld, type World } from '../../testing/world.ts'
import { createCollection, deleteCollection } from '../collections/collections.ts'
import { createDatabase } from '../databases/databases.ts'
import { createIndex, deleteIndex } from '../indexes/indexes.ts'
import { attributeLimit, createAttribute, deleteAttribute } from './attributes.ts'
import type { NewAttribute } from './shape.ts'

let world: World
let ctx: Context
let databaseId: string
let collectionId: string

before(async () => {
  world = await createWorld()
  ctx = (await world.createProject()).owner
  databaseId = (await createDatabase(ctx, { key: 'main' })).id
  collectionId = (await createCollection(ctx, { databaseId, key: 'posts', permissions: [] })).id
})
after(() => world.close())

const create = (input: NewAttribute) => createAttribute(ctx, { collectionId, ...input })

async function refuses(fn: () => Promise<unknown>, check: (error: AppError) => boolean): Promise<void> {
  const state = async () => JSON.stringify([await world.app.db.attribute.findMany(), await world.emitted()])
  const earlier = await state()
  await assert.rejects(fn, check)
  assert.equal(await state(), earlier, 'a refused call changed something')
}

const invalid = (part: string) => (error: AppError) => {
  assert.ok(error instanceof Invalid, String(error))
  assert.deepEqual(error.at, ['input', part])
  return true
}

const answerOf = (promise: Promise<unknown>) => promise.catch((error: AppError) => [error.code, error.message])

test('an attribute waits for the worker', async () => {
  const count = (await world.emitted()).length
  const attribute = await create({ key: 'title', type: 'STRING', size: 5, default: 'ä🌱' })
  assert.deepEqual(
    [attribute.status, attribute.default, attribute.size, attribute.required],
    ['PROCESSING', '"ä🌱"', 5, false],
  )
  assert.deepEqual((await world.emitted()).slice(count), ['attributes.created'])
})

test('defaults are kept as JSON, moments in UTC', async () => {
  assert.equal((await create({ key: 'zero', type: 'INTEGER', default: 0 })).default, '0')
  assert.equal((await create({ key: 'off', type: 'BOOLEAN', default: false })).default, 'false')
  const moment = await create({ key: 'since', type: 'DATETIME', default: '2026-11-23T12:00:00+02:00' })
  assert.equal(moment.default, '"2026-11-23T10:00:00.000Z"')
})

test('a default of the wrong type, too long, or beside `required` is refused', async () => {
  const wrong: [NewAttribute['type'], unknown][] = [
    ['STRING', 1],
    ['STRING', 'toolong'],
    ['STRING', 'a\0'],
    ['STRING', '\uD800'],
    ['STRING', {}],
    ['STRING', []],
    ['INTEGER', '1'],
    ['INTEGER', 1.5],
    ['INTEGER', 2 ** 31],
    ['INTEGER', Number.NaN],
    ['INTEGER', 1e308],
    ['BOOLEAN', 'true'],
    ['BOOLEAN', 0],
    ['DATETIME', 'yesterday'],
    ['DATETIME', '2026-11-23'],
    ['DATETIME', 0],
    ['DATETIME', '2026-02-30T00:00:00Z'],
  ]
  for (const [type, value] of wrong) {
    await refuses(
      () => create({ key: 'wrong', type, default: value, ...(type === 'STRING' ? { size: 5 } : {}) }),
      invalid('default'),
    )
  }
  await refuses(() => create({ key: 'wrong', type: 'INTEGER', required: true, default: 1 }), invalid('default'))
})

test('only a string has a size, and it needs one', async () => {
  for (const size of [undefined, null, 0, -1, 1.5, 1_048_577, Number.NaN]) {
    await refuses(() => create({ key: 'wrong', type: 'STRING', size }), invalid('size'))
  }
  await refuses(() => create({ key: 'wrong', type: 'INTEGER', size: 4 }), invalid('size'))
})

test('a relation says where to, and what when that is deleted', async () => {
  const relation = { key: 'author', type: 'RELATION', relatedCollectionId: collectionId, onDelete: 'SET_NULL' } as const
  await refuses(() => create({ ...relation, relatedCollectionId: null }), invalid('relatedCollectionId'))
  await refuses(() => create({ ...relation, onDelete: null }), invalid('onDelete'))
  await refuses(() => create({ ...relation, required: true }), invalid('onDelete'))
  await refuses(() => create({ ...relation, default: 'x' }), invalid('default'))
  await refuses(() => create({ ...relation, reverseKey: '_x' }), invalid('reverseKey'))
  await refuses(() => create({ key: 'wrong', type: 'BOOLEAN', reverseKey: 'x' }), invalid('reverseKey'))
  await refuses(() => create({ key: 'wrong', type: 'BOOLEAN', onDelete: 'CASCADE' }), invalid('onDelete'))
})

test('another project’s collection and one that does not exist cannot be told apart', async () => {
  const stranger = (await world.createProject()).owner
  const database = await createDatabase(stranger, { key: 'main' })
  const theirs = await createCollection(stranger, { databaseId: database.id, key: 'secrets', permissions: [] })
  const ids = [theirs.id, newId('col'), 'col_\0', '__proto__', 'x'.repeat(1_000_000)]
  for (const id of ids) {
    const relation = { key: 'to', type: 'RELATION', relatedCollectionId: id, onDelete: 'CASCADE' } as const
    assert.deepEqual(await answerOf(create(relation)), ['NOT_FOUND', 'There is no such collection.'])
    const answer = await answerOf(createAttribute(ctx, { collectionId: id, key: 'to', type: 'BOOLEAN' }))
    assert.deepEqual(answer, ['NOT_FOUND', 'There is no such collection.'])
  }
  const attribute = await createAttribute(stranger, { collectionId: theirs.id, key: 'code', type: 'BOOLEAN' })
  for (const id of [attribute.id, newId('att'), 'att_\0']) {
    assert.deepEqual(await answerOf(deleteAttribute(ctx, id)), ['NOT_FOUND', 'There is no such attribute.'])
  }
})

test('a field is an attribute or the other end of a relation, not both', async () => {
  const people = await createCollection(ctx, { databaseId, key: 'people', permissions: [] })
  const relation = { type: 'RELATION', relatedCollectionId: people.id, onDelete: 'CASCADE' } as const
  await create({ key: 'writer', reverseKey: 'written', ...relation })
  const isConflict = (error: AppError) => error instanceof Conflict
  await refuses(() => create({ key: 'writer', type: 'BOOLEAN' }), isConflict)
  await refuses(() => create({ key: 'editor', reverseKey: 'written', ...relation }), isConflict)
  await refuses(() => createAttribute(ctx, { collectionId: people.id, key: 'written', type: 'BOOLEAN' }), isConflict)
  const self = { type: 'RELATION', relatedCollectionId: collectionId, onDelete: 'CASCADE' } as const
  await refuses(() => create({ key: 'parent', reverseKey: 'parent', ...self }), isConflict)
  await create({ key: 'parent', reverseKey: 'children', ...self })
})

test('two of one key at the same time: one is made', async () => {
  const tries = await Promise.allSettled([1, 2, 3].map(() => create({ key: 'race', type: 'BOOLEAN' })))
  assert.equal(tries.filter(({ status }) => status === 'fulfilled').length, 1)
})

test('a collection of all attributes that it may have, in few statements, and one attribute too many, which is refused', async () => {
  const attributes = Array.from({ length: attributeLimit }, (_, i) => ({ key: `a${i}`, type: 'BOOLEAN' as const }))
  const { result, texts } = await statements(() =>
    createCollection(ctx, { databaseId, key: 'wide', permissions: [], attributes }),
  )
  const { id } = result
  assert.ok(texts.length < 30, `${texts.length} statements`)
  await refuses(
    () => createAttribute(ctx, { collectionId: id, key: 'more', type: 'BOOLEAN' }),
    (error) => error instanceof LimitExceeded,
  )
})

test('an attribute that an index uses stays until the index goes', async () => {
  const attribute = await create({ key: 'slug', type: 'STRING', size: 20 })
  const index = await createIndex(ctx, { collectionId, key: 'bySlug', type: 'UNIQUE', attributes: ['slug'] })
  await refuses(
    () => deleteAttribute(ctx, attribute.id),
    (error) => error instanceof Conflict && error.message.includes('“bySlug”'),
  )
  await deleteIndex(ctx, index.id)
  const count = (await world.emitted()).length
  await deleteAttribute(ctx, attribute.id)
  await deleteAttribute(ctx, attribute.id)
  assert.deepEqual((await world.emitted()).slice(count), ['attributes.updated'])
  await refuses(
    () => create({ key: 'slug', type: 'BOOLEAN' }),
    (error) => error instanceof Conflict,
  )
})

test('nothing is added to what is deleted or has failed', async () => {
  const left = await createCollection(ctx, { databaseId, key: 'leaving', permissions: [] })
  await deleteCollection(ctx, left.id)
  await refuses(
    () => createAttribute(ctx, { collectionId: left.id, key: 'a', type: 'BOOLEAN' }),
    (error) => error instanceof NotFound,
  )
  const { id } = await createCollection(ctx, { databaseId, key: 'leaving', permissions: [] })
  await ctx.db.collection.update({ where: { id }, data: { status: 'FAILED' } })
  await refuses(
    () => createAttribute(ctx, { collectionId: id, key: 'a', type: 'BOOLEAN' }),
    (error) => error instanceof Conflict,
  )
})
