import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import type { Context } from '../../context.ts'
import { type AppError, Conflict, Invalid, LimitExceeded, NotFound } from '../../errors.ts'
import { newId } from '../../lib/ids.ts'
import { createWorld, type World } from '../../testing/world.ts'
import { createDatabase } from '../databases/databases.ts'
import { createCollection, deleteCollection, type NewCollection, updateCollection } from './collections.ts'

let world: World
let ctx: Context
let databaseId: string
let strangers: { ctx: Context; databaseId: string }

before(async () => {
  world = await createWorld()
  ctx = (await world.createProject()).owner
  databaseId = (await createDatabase(ctx, { key: 'main' })).id
  const stranger = (await world.createProject()).owner
  strangers = { ctx: stranger, databaseId: (await createDatabase(stranger, { key: 'main' })).id }
})
after(() => world.close())

const create = (input: Partial<NewCollection> & { key: string }) =>
  createCollection(ctx, { databaseId, permissions: [], ...input })

async function refuses(fn: () => Promise<unknown>, check: (error: AppError) => boolean): Promise<void> {
  const { db } = world.app
  const state = async () =>
    JSON.stringify([
      await db.collection.findMany(),
      await db.attribute.findMany(),
      await db.index.findMany(),
      await world.emitted(),
    ])
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

test('a collection waits for the worker, with all that it begins with', async () => {
  const count = (await world.emitted()).length
  const collection = await create({
    key: 'posts',
    permissions: [
      { right: 'read', role: 'any' },
      { right: 'write', role: 'users' },
      { right: 'read', role: 'any' },
    ],
    attributes: [
      { key: 'title', type: 'STRING', size: 100, required: true },
      { key: 'views', type: 'INTEGER', default: 0 },
    ],
    indexes: [{ key: 'byTitle', type: 'KEY', attributes: ['title', 'createdAt'], orders: ['ASC', 'DESC'] }],
  })
  assert.deepEqual([collection.status, collection.typeName, collection.name], ['PROCESSING', 'Post', 'posts'])
  assert.deepEqual(collection.permissions, ['read:any', 'write:users'])
  const events = ['collections.created', 'attributes.created', 'attributes.created', 'indexes.created']
  assert.deepEqual((await world.emitted()).slice(count), events)
  const { rows } = await world.app.sql.query('select name from events.outbox order by position desc limit 2')
  const path = `databases.${databaseId}.collections.posts`
  assert.deepEqual(
    rows.map(({ name }) => name),
    [`${path}.indexes.byTitle.created`, `${path}.attributes.views.created`],
  )
})

test('a key is taken once in a database, in another it needs a type name', async () => {
  await create({ key: 'taken' })
  await refuses(
    () => create({ key: 'taken', typeName: 'Other' }),
    (error) => error instanceof Conflict && error.message.includes('“taken”'),
  )
  const other = (await createDatabase(ctx, { key: 'other' })).id
  await refuses(
    () => create({ databaseId: other, key: 'taken' }),
    (error) => error instanceof Conflict && error.message.includes('typeName'),
  )
  await create({ databaseId: other, key: 'taken', typeName: 'OtherTaken' })
})

test('what makes a name that another collection makes is refused', async () => {
  await create({ key: 'clients' })
  await refuses(
    () => create({ key: 'clientWheres', typeName: 'ClientWhere' }),
    (error) => error instanceof Conflict,
  )
})

test('type names are names of types', async () => {
  for (const typeName of ['post', '', 'A b', '__Type', '1A', 'A\0', 'x'.repeat(1_000_000), 'Ünicode']) {
    await refuses(() => create({ key: 'odd', typeName }), invalid('typeName'))
  }
})

test('words of SQL are keys like others', async () => {
  const keys = ['select', 'user', 'order', 'table', 'group']
  const attributes = keys.map((key) => ({ key, type: 'INTEGER' as const }))
  await create({
    key: 'join',
    typeName: 'SqlWord',
    attributes,
    indexes: [{ key: 'where', type: 'UNIQUE', attributes: ['order', 'user'] }],
  })
})

test('each part of the input that is wrong is named', async () => {
  const string = { key: 'a', type: 'STRING', size: 10 } as const
  await refuses(() => create({ key: '__proto__' }), invalid('key'))
  await refuses(() => create({ key: 'odd', name: 'a\0' }), invalid('name'))
  await refuses(
    () => create({ key: 'odd', permissions: [{ right: 'read', role: 'everybody' }] }),
    invalid('permissions', '0', 'role'),
  )
  await refuses(
    () => create({ key: 'odd', permissions: [{ right: 'read', role: 'user:a\0' }] }),
    invalid('permissions', '0', 'role'),
  )
  const many = Array.from({ length: 101 }, () => ({ right: 'read', role: 'any' }) as const)
  await refuses(() => create({ key: 'odd', permissions: many }), invalid('permissions'))
  await refuses(
    () => create({ key: 'odd', attributes: [string, { ...string, key: 'B' }] }),
    invalid('attributes', '1', 'key'),
  )
  const index = { key: 'i', type: 'KEY', attributes: ['absent'] } as const
  await refuses(
    () => create({ key: 'odd', attributes: [string], indexes: [index] }),
    invalid('indexes', '0', 'attributes', '0'),
  )
  await refuses(
    () => create({ key: 'odd', attributes: [string, string] }),
    (error) => error instanceof Conflict,
  )
})

test('a collection has at most 400 attributes and 64 indexes', async () => {
  const attributes = Array.from({ length: 401 }, (_, i) => ({ key: `a${i}`, type: 'BOOLEAN' as const }))
  await refuses(
    () => create({ key: 'wide', attributes }),
    (error) => error instanceof LimitExceeded,
  )
  const indexes = Array.from({ length: 65 }, (_, i) => ({ key: `i${i}`, type: 'KEY' as const, attributes: ['a0'] }))
  await refuses(
    () => create({ key: 'wide', attributes: attributes.slice(0, 1), indexes }),
    (error) => error instanceof LimitExceeded,
  )
  await create({
    key: 'wide',
    attributes: attributes.slice(1),
    indexes: indexes.slice(1).map((one) => ({ ...one, attributes: ['a1'] })),
  })
})

test('what is another project’s is as if it were not', async () => {
  const theirs = await createCollection(strangers.ctx, {
    databaseId: strangers.databaseId,
    key: 'secrets',
    permissions: [],
  })
  const answerOf = (promise: Promise<unknown>) => promise.catch((error: AppError) => [error.code, error.message])
  const created = await Promise.all(
    [strangers.databaseId, newId('db'), 'a\0'].map((databaseId) => answerOf(create({ databaseId, key: 'new' }))),
  )
  for (const answer of created) assert.deepEqual(answer, ['NOT_FOUND', 'There is no such database.'])
  for (const id of [theirs.id, newId('col'), 'a\0']) {
    for (const attempt of [() => deleteCollection(ctx, id), () => updateCollection(ctx, id, { name: 'Mine' })]) {
      assert.deepEqual(await answerOf(attempt()), ['NOT_FOUND', 'There is no such collection.'])
    }
  }
})

test('permissions are changed at once, and the nodes are told', async () => {
  const { id } = await create({ key: 'open' })
  const count = (await world.emitted()).length
  const collection = await updateCollection(ctx, id, {
    permissions: [{ right: 'read', role: 'any' }],
    documentPermissions: false,
  })
  assert.deepEqual(
    [collection.permissions, collection.documentPermissions, collection.name],
    [['read:any'], false, 'open'],
  )
  assert.deepEqual((await world.emitted()).slice(count), ['collections.updated', 'projects.schema-changed'])
})

test('rules are kept with the collection, once they fit its attributes', async () => {
  const rule = { right: 'read', role: 'users', where: { author: { eq: '$userId' } } } as const
  const attributes = [{ key: 'author', type: 'STRING', size: 40 }] as const
  const { id, rules } = await create({ key: 'ruled', attributes, rules: [rule], cacheSeconds: 60 })
  assert.deepEqual(JSON.parse(rules), [rule])
  await refuses(
    () => create({ key: 'odd', attributes, rules: [{ ...rule, where: { writer: { eq: 'a' } } }] }),
    invalid('rules', '0', 'where', 'writer'),
  )
  const update = (changes: Parameters<typeof updateCollection>[2]) => updateCollection(ctx, id, changes)
  await refuses(
    () => update({ rules: [{ ...rule, where: { author: { like: 'a' } } }] }),
    invalid('rules', '0', 'where', 'author', 'like'),
  )
  await refuses(() => update({ rules: [{ ...rule, role: 'x' }] }), invalid('rules', '0', 'role'))
  assert.deepEqual(JSON.parse((await update({ rules: [] })).rules), [])
})

test('how long answers are kept is between a second and an hour', async () => {
  const { id, cacheSeconds } = await create({ key: 'kept', cacheSeconds: 3_600 })
  assert.equal(cacheSeconds, 3_600)
  for (const seconds of [0, -1, 3_601, 1.5, Number.NaN])
    await refuses(() => updateCollection(ctx, id, { cacheSeconds: seconds }), invalid('cacheSeconds'))
  assert.equal((await updateCollection(ctx, id, { name: 'Kept' })).cacheSeconds, 3_600)
  assert.equal((await updateCollection(ctx, id, { cacheSeconds: null })).cacheSeconds, null)
})

test('a collection is given another key and type, unless they are taken', async () => {
  const { id } = await create({ key: 'olds' })
  await create({ key: 'news' })
  const renamed = await updateCollection(ctx, id, { key: 'elders' })
  assert.deepEqual([renamed.key, renamed.typeName], ['elders', 'Old'])
  assert.equal((await updateCollection(ctx, id, { key: 'olds', typeName: 'Elder' })).typeName, 'Elder')
  await refuses(
    () => updateCollection(ctx, id, { key: 'news' }),
    (error) => error instanceof Conflict && error.message.includes('“news”'),
  )
  await refuses(
    () => updateCollection(ctx, id, { typeName: 'News' }),
    (error) => error instanceof Conflict,
  )
  await refuses(() => updateCollection(ctx, id, { key: '__proto__' }), invalid('key'))
  await refuses(() => updateCollection(ctx, id, { typeName: 'a b' }), invalid('typeName'))
})

test('a collection that others point at stays; one that points at itself goes', async () => {
  const authors = await create({ key: 'authors' })
  const relation = { type: 'RELATION', relatedCollectionId: authors.id, onDelete: 'CASCADE' } as const
  const books = await create({ key: 'books', attributes: [{ key: 'author', ...relation }] })
  await refuses(
    () => deleteCollection(ctx, authors.id),
    (error) => error instanceof Conflict && error.message.includes('books.author'),
  )
  await deleteCollection(ctx, books.id)
  const count = (await world.emitted()).length
  await deleteCollection(ctx, authors.id)
  assert.deepEqual((await world.emitted()).slice(count), ['collections.deleted', 'projects.schema-changed'])
  const gone = [() => deleteCollection(ctx, authors.id), () => updateCollection(ctx, authors.id, { name: 'Again' })]
  for (const attempt of gone) await refuses(attempt, (error) => error instanceof NotFound)
  assert.equal((await create({ key: 'authors' })).typeName, authors.typeName)
})

test('a deletion and a relation to it at the same time: one is refused', async () => {
  const target = await create({ key: 'targets' })
  const relation = { key: 'target', type: 'RELATION', relatedCollectionId: target.id, onDelete: 'CASCADE' } as const
  const tries = await Promise.allSettled([
    deleteCollection(ctx, target.id),
    create({ key: 'pointers', attributes: [relation] }),
  ])
  assert.equal(tries.filter(({ status }) => status === 'fulfilled').length, 1)
})
