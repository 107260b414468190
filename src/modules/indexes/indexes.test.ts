import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import type { Context } from '../../context.ts'
import { type AppError, Conflict, Invalid, LimitExceeded } from '../../errors.ts'
import { newId } from '../../lib/ids.ts'
import { createWorld, type World } from '../../testing/world.ts'
import { createCollection } from '../collections/collections.ts'
import { createDatabase } from '../databases/databases.ts'
import { createIndex, deleteIndex, indexLimit, type NewIndex } from './indexes.ts'

let world: World
let ctx: Context
let collectionId: string

const attributes = [
  { key: 'title', type: 'STRING', size: 100 },
  { key: 'body', type: 'STRING', size: 700 },
  { key: 'views', type: 'INTEGER' },
  { key: 'broken', type: 'INTEGER' },
  { key: 'leaving', type: 'INTEGER' },
] as const

before(async () => {
  world = await createWorld()
  ctx = (await world.createProject()).owner
  const { id: databaseId } = await createDatabase(ctx, { key: 'main' })
  collectionId = (await createCollection(ctx, { databaseId, key: 'posts', permissions: [], attributes })).id
  await ctx.db.attribute.updateMany({ where: { key: 'broken' }, data: { status: 'FAILED' } })
  await ctx.db.attribute.updateMany({ where: { key: 'leaving' }, data: { status: 'DELETING' } })
})
after(() => world.close())

const create = (input: Partial<NewIndex> & { collectionId?: string }) =>
  createIndex(ctx, { collectionId, key: 'wrong', type: 'KEY', attributes: ['title'], ...input })

async function refuses(fn: () => Promise<unknown>, check: (error: AppError) => boolean): Promise<void> {
  const state = async () => JSON.stringify([await world.app.db.index.findMany(), await world.emitted()])
  const earlier = await state()
  await assert.rejects(fn, check)
  assert.equal(await state(), earlier, 'a refused call changed something')
}

const invalid =
  (...path: string[]) =>
  (error: AppError) => {
    assert.ok(error instanceof Invalid, String(error))
    assert.deepEqual(error.at, ['input', ...path])
    return true
  }

test('an index waits for the worker', async () => {
  const count = (await world.emitted()).length
  const index = await create({ key: 'byViews', attributes: ['views', 'updatedAt'], orders: ['DESC', 'ASC'] })
  assert.deepEqual(
    [index.status, index.attributes, index.orders],
    ['PROCESSING', ['views', 'updatedAt'], ['DESC', 'ASC']],
  )
  assert.deepEqual((await create({ key: 'byTitle', type: 'UNIQUE' })).orders, ['ASC'])
  assert.deepEqual((await world.emitted()).slice(count), ['indexes.created', 'indexes.created'])
})

test('an index names attributes that are there, each once', async () => {
  const missing = [
    'absent',
    '__proto__',
    'constructor',
    'a\0',
    'id',
    '_read',
    'broken',
    'leaving',
    'x'.repeat(1_000_000),
  ]
  for (const name of missing) await refuses(() => create({ attributes: ['title', name] }), invalid('attributes', '1'))
  await refuses(() => create({ attributes: [] }), invalid('attributes'))
  await refuses(() => create({ attributes: ['title', 'title'] }), invalid('attributes'))
  await refuses(() => create({ attributes: Array.from({ length: 11 }, (_, i) => `a${i}`) }), invalid('attributes'))
  await refuses(() => create({ attributes: ['title', 'views'], orders: ['ASC'] }), invalid('orders'))
})

test('an index whose entries could become too long for PostgreSQL is refused', async () => {
  await refuses(() => create({ attributes: ['body'] }), invalid('attributes'))
})

test('each kind of index goes with some types of attributes', async () => {
  const text = { type: 'TEXT' } as const
  const { id: databaseId } = await createDatabase(ctx, { key: 'kinds' })
  const { id } = await createCollection(ctx, {
    databaseId,
    key: 'things',
    permissions: [],
    attributes: [
      { key: 'text', ...text },
      { key: 'secret', ...text, encrypted: true },
      { key: 'list', ...text, list: true },
      { key: 'json', type: 'JSON' },
      { key: 'point', type: 'POINT' },
      { key: 'vector', type: 'VECTOR', dimensions: 3 },
      { key: 'number', type: 'INTEGER' },
      { key: 'links', type: 'RELATION', relation: 'MANY_TO_MANY', relatedCollectionId: 'self' },
      { key: 'next', type: 'RELATION', relatedCollectionId: 'self', onDelete: 'SET_NULL' },
      { key: 'url', type: 'URL' },
      { key: 'email', type: 'EMAIL' },
    ],
  })
  const fits: Record<NewIndex['type'], string[]> = {
    KEY: ['number', 'next', 'url', 'email', 'createdAt'],
    UNIQUE: ['number', 'next', 'url', 'email', 'createdAt'],
    FULLTEXT: ['text', 'url', 'email'],
    TRIGRAM: ['text', 'url', 'email'],
    GIN: ['list', 'json'],
    SPATIAL: ['point'],
    VECTOR: ['vector'],
  }
  const all = [...(await ctx.db.attribute.findMany({ where: { collectionId: id } })).map(({ key }) => key), 'createdAt']
  let count = 0
  for (const [type, fitting] of Object.entries(fits) as [NewIndex['type'], string[]][]) {
    for (const key of all) {
      const make = () => create({ collectionId: id, key: `i${count++}`, type, attributes: [key] })
      if (fitting.includes(key)) assert.equal((await make()).status, 'PROCESSING', `${type} ${key}`)
      else await refuses(make, invalid('attributes', '0'))
    }
  }
  await refuses(
    () => create({ collectionId: id, attributes: ['url', 'email', 'next', 'url2'] }),
    invalid('attributes', '3'),
  )
  await refuses(
    () => create({ collectionId: id, attributes: ['vector', 'number'], type: 'VECTOR' }),
    invalid('attributes'),
  )
})

test('orders, language and distance are for those that have them', async () => {
  await refuses(() => create({ type: 'TRIGRAM', orders: ['ASC'] }), invalid('orders'))
  await refuses(() => create({ language: 'simple' }), invalid('language'))
  await refuses(() => create({ distance: 'DOT' }), invalid('distance'))
  for (const language of ['', 'klingon', "simple'", 'pg_catalog.simple', 'a\0', 'x'.repeat(1_000_000)])
    await refuses(() => create({ type: 'FULLTEXT', language }), invalid('language'))
  const english = await create({ key: 'english', type: 'FULLTEXT', attributes: ['title', 'body'], language: 'english' })
  assert.deepEqual([english.language, english.orders, english.distance], ['english', [], null])
  assert.equal((await create({ key: 'plain', type: 'FULLTEXT' })).language, 'simple')
})

test('a key is taken once in a collection', async () => {
  await create({ key: 'taken' })
  await refuses(
    () => create({ key: 'taken' }),
    (error) => error instanceof Conflict,
  )
  await refuses(() => create({ key: 'not a key' }), invalid('key'))
})

test('what is another project’s is as if it were not', async () => {
  const stranger = (await world.createProject()).owner
  const { id: databaseId } = await createDatabase(stranger, { key: 'main' })
  const theirs = await createCollection(stranger, {
    databaseId,
    key: 'posts',
    permissions: [],
    attributes: [attributes[0]],
  })
  const index = await createIndex(stranger, {
    collectionId: theirs.id,
    key: 'byTitle',
    type: 'KEY',
    attributes: ['title'],
  })
  const answerOf = (promise: Promise<unknown>) => promise.catch((error: AppError) => [error.code, error.message])
  for (const id of [theirs.id, newId('col'), 'a\0']) {
    const answer = await answerOf(createIndex(ctx, { collectionId: id, key: 'a', type: 'KEY', attributes: ['title'] }))
    assert.deepEqual(answer, ['NOT_FOUND', 'There is no such collection.'])
  }
  for (const id of [index.id, newId('idx'), 'a\0']) {
    assert.deepEqual(await answerOf(deleteIndex(ctx, id)), ['NOT_FOUND', 'There is no such index.'])
  }
})

test('one index too many is refused', async () => {
  const left = indexLimit - (await ctx.db.index.count({ where: { collectionId } }))
  for (let i = 0; i < left; i += 1) await create({ key: `i${i}`, attributes: ['views'] })
  await refuses(
    () => create({ key: 'more' }),
    (error) => error instanceof LimitExceeded,
  )
})
