import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import { createAttribute, deleteAttribute } from '../../src/modules/attributes/attributes.ts'
import { updateCollection } from '../../src/modules/collections/collections.ts'
import { deleteDatabase } from '../../src/modules/databases/databases.ts'
import { createIndex } from '../../src/modules/indexes/indexes.ts'
import { createTables } from '../../src/testing/tables.ts'
import { createWorld, type World } from '../../src/testing/world.ts'
import { smallTable } from './step.ts'

let world: World

before(async () => {
  world = await createWorld()
})
after(() => world.close())

test('a collection becomes a table, with everything in one step', async () => {
  const { ctx, make, columnsOf, indexesOf } = await createTables(world)
  const authors = await make({ key: 'authors', documentPermissions: false })
  const count = (await world.emitted()).length
  const id = await make({
    key: 'posts',
    attributes: [
      { key: 'title', type: 'STRING', size: 10, required: true },
      { key: 'kind', type: 'STRING', size: 10, default: `it's "a\\b"` },
      { key: 'views', type: 'INTEGER', default: -1 },
      { key: 'open', type: 'BOOLEAN', default: false },
      { key: 'since', type: 'DATETIME', default: '2026-11-23T12:00:00.000Z' },
      { key: 'author', type: 'RELATION', relatedCollectionId: authors, onDelete: 'CASCADE', required: true },
    ],
    indexes: [{ key: 'byTitle', type: 'UNIQUE', attributes: ['title', 'createdAt'], orders: ['ASC', 'DESC'] }],
  })
  assert.deepEqual(
    (await columnsOf(id)).map((text) => text.split(' ')[0]),
    [
      '_id',
      '_createdAt',
      '_updatedAt',
      '_version',
      '_read',
      '_update',
      '_delete',
      'title',
      'kind',
      'views',
      'open',
      'since',
      'author',
    ],
  )
  assert.deepEqual((await columnsOf(id)).slice(7), [
    'title text C NO',
    `kind text C YES 'it''s "a\\b"'::text`,
    `views integer YES '-1'::integer`,
    'open boolean YES false',
    `since timestamp with time zone YES '2026-11-23 12:00:00+00'::timestamp with time zone`,
    'author text C NO',
  ])
  assert.deepEqual(await indexesOf(id), ['btree (author)', 'gin (_read)', 'unique btree (title, "_createdAt" DESC)'])
  assert.deepEqual(await indexesOf(authors), [])
  const updates = [
    'collections.updated',
    ...Array(6).fill('attributes.updated'),
    'indexes.updated',
    'projects.schema-changed',
  ]
  assert.deepEqual((await world.emitted()).slice(count + 8), updates)
  assert.equal(await ctx.db.attribute.count({ where: { collectionId: id, status: 'AVAILABLE' } }), 6)
})

test('the table holds what the attributes say', async () => {
  const { sql, tableOf, make, insertDocuments } = await createTables(world)
  const authors = await make({ key: 'authors' })
  const relation = { type: 'RELATION', relatedCollectionId: authors } as const
  const id = await make({
    key: 'posts',
    attributes: [
      { key: 'title', type: 'STRING', size: 3, required: true },
      { key: 'author', onDelete: 'RESTRICT', ...relation },
      { key: 'editor', onDelete: 'SET_NULL', ...relation },
      { key: 'owner', onDelete: 'CASCADE', ...relation },
    ],
  })
  await insertDocuments(authors, 3)
  const insert = (columns: string, values: string) =>
    sql(`insert into ${tableOf(id)} ("_id", ${columns}) values (${values})`)
  await insert('title, author, editor', `'a', '🌱🌱🌱', 'doc1', 'doc2'`)
  await insert('title, owner', `'b', 'x', 'doc3'`)
  await assert.rejects(insert('title', `'c', 'abcd'`), { code: '23514' })
  await assert.rejects(insert('author', `'c', 'doc1'`), { code: '23502' })
  await assert.rejects(insert('title, author', `'c', 'x', 'doc9'`), { code: '23503' })
  await assert.rejects(sql(`delete from ${tableOf(authors)} where "_id" = 'doc1'`), { code: '23503' })
  await sql(`delete from ${tableOf(authors)} where "_id" in ('doc2', 'doc3')`)
  assert.deepEqual(await sql(`select "_id", editor from ${tableOf(id)}`), [{ _id: 'a', editor: null }])
})

test('collections may need each other, and themselves', async () => {
  const { ctx, databaseId, sql, tableOf, applyAll, create } = await createTables(world)
  const first = await create({ key: 'firsts' })
  const second = await create({
    key: 'seconds',
    attributes: [
      { key: 'first', type: 'RELATION', relatedCollectionId: first.id, onDelete: 'RESTRICT', required: true },
    ],
  })
  const relation = { type: 'RELATION', onDelete: 'RESTRICT', required: true } as const
  await createAttribute(ctx, { collectionId: first.id, key: 'second', relatedCollectionId: second.id, ...relation })
  await createAttribute(ctx, {
    collectionId: second.id,
    key: 'parent',
    relatedCollectionId: second.id,
    ...relation,
    required: false,
  })
  await applyAll()
  assert.equal(await ctx.db.attribute.count({ where: { projectId: ctx.projectId, status: 'AVAILABLE' } }), 3)
  await sql(`begin; set constraints all deferred; insert into ${tableOf(first.id)} ("_id", second) values ('f', 's');
    insert into ${tableOf(second.id)} ("_id", first, parent) values ('s', 'f', 's'); commit`)
  await deleteDatabase(ctx, databaseId)
  await applyAll()
  assert.deepEqual(await sql('select tablename from pg_tables where schemaname = $1', [ctx.projectId]), [])
})

for (const [size, rows] of [
  ['small', 5],
  ['large', smallTable + 1],
] as const) {
  test(`attributes and indexes are added to a ${size} table that is in use`, async () => {
    const { ctx, sql, tableOf, applyAll, make, addAttribute, insertDocuments, indexesOf } = await createTables(world)
    const id = await make({ key: 'posts', attributes: [{ key: 'number', type: 'INTEGER' }] })
    await insertDocuments(id, rows, ', number', ', i')
    assert.equal(
      (await addAttribute(id, { key: 'title', type: 'STRING', size: 3, default: 'new' })).status,
      'AVAILABLE',
    )
    const parent = await addAttribute(id, {
      key: 'parent',
      type: 'RELATION',
      relatedCollectionId: id,
      onDelete: 'SET_NULL',
    })
    assert.equal(parent.status, 'AVAILABLE')
    const { id: indexId } = await createIndex(ctx, {
      collectionId: id,
      key: 'byNumber',
      type: 'UNIQUE',
      attributes: ['number'],
    })
    await applyAll()
    assert.equal((await ctx.db.index.findUniqueOrThrow({ where: { id: indexId } })).status, 'AVAILABLE')
    assert.deepEqual(await indexesOf(id), ['btree (parent)', 'gin (_read)', 'unique btree (number)'])
    assert.deepEqual(
      await sql(
        `select convalidated, count(*)::int from pg_constraint where conrelid = to_regclass($1) and contype <> 'n' group by 1`,
        [tableOf(id)],
      ),
      [{ convalidated: true, count: 3 }],
    )
    await assert.rejects(sql(`update ${tableOf(id)} set title = 'long' where number = 1`), { code: '23514' })
    assert.deepEqual(await sql(`select distinct title from ${tableOf(id)}`), [{ title: 'new' }])
  })

  test(`a required attribute fails in a ${size} table that has documents, and leaves no column`, async () => {
    const { ctx, applyAll, make, addAttribute, insertDocuments, eventsOf, columnsOf } = await createTables(world)
    const id = await make({ key: 'posts' })
    await insertDocuments(id, rows)
    const attribute = await addAttribute(id, { key: 'title', type: 'STRING', size: 3, required: true })
    assert.equal(attribute.status, 'FAILED')
    assert.match(attribute.statusReason ?? '', /has documents/)
    assert.equal((await columnsOf(id)).length, 7)
    assert.equal((await eventsOf())['attributes.updated title FAILED'], 1)
    await deleteAttribute(ctx, attribute.id)
    await applyAll()
    assert.equal((await addAttribute(id, { key: 'title', type: 'STRING', size: 3 })).status, 'AVAILABLE')
  })

  test(`a unique index fails in a ${size} table with equal values, and leaves no index`, async () => {
    const { ctx, sql, applyAll, make, insertDocuments, eventsOf } = await createTables(world)
    const id = await make({ key: 'posts', attributes: [{ key: 'number', type: 'INTEGER' }] })
    await insertDocuments(id, rows, ', number', ', 1')
    const { id: indexId } = await createIndex(ctx, {
      collectionId: id,
      key: 'byNumber',
      type: 'UNIQUE',
      attributes: ['number'],
    })
    await applyAll()
    const index = await ctx.db.index.findUniqueOrThrow({ where: { id: indexId } })
    assert.deepEqual(
      [index.status, index.statusReason],
      ['FAILED', 'Documents have equal values where they must be unique.'],
    )
    assert.deepEqual(await sql('select 1 from pg_class where relname = $1', [indexId]), [])
    assert.equal((await eventsOf())['indexes.updated byNumber FAILED'], 1)
  })

  test(`the readers of a ${size} table are indexed while documents have permissions`, async () => {
    const { ctx, applyAll, make, insertDocuments, indexesOf } = await createTables(world)
    const id = await make({ key: 'posts', documentPermissions: false })
    await insertDocuments(id, rows)
    await updateCollection(ctx, id, { documentPermissions: true })
    await applyAll()
    assert.deepEqual(await indexesOf(id), ['gin (_read)'])
    await updateCollection(ctx, id, { documentPermissions: false })
    await applyAll()
    assert.deepEqual(await indexesOf(id), [])
  })
}

test('words of SQL and quotes in defaults do no harm', async () => {
  const { ctx, sql, tableOf, make, insertDocuments } = await createTables(world)
  const keys = ['select', 'user', 'order', 'table', 'group', 'where']
  const id = await make({
    key: 'join',
    typeName: 'SqlWord',
    attributes: keys.map((key) => ({ key, type: 'STRING', size: 50, default: `'); drop table users; --` })),
    indexes: [{ key: 'where', type: 'KEY', attributes: keys }],
  })
  await insertDocuments(id, 1)
  assert.deepEqual(await sql(`select "order" as value from ${tableOf(id)}`), [{ value: `'); drop table users; --` }])
  assert.equal(await ctx.db.index.count({ where: { collectionId: id, status: 'AVAILABLE' } }), 1)
})

test('an index on an attribute that fails, fails too', async () => {
  const { ctx, applyAll, make, insertDocuments } = await createTables(world)
  const id = await make({ key: 'posts' })
  await insertDocuments(id, 1)
  await createAttribute(ctx, { collectionId: id, key: 'title', type: 'STRING', size: 3, required: true })
  await createIndex(ctx, { collectionId: id, key: 'byTitle', type: 'KEY', attributes: ['title'] })
  await applyAll()
  const index = await ctx.db.index.findFirstOrThrow({ where: { collectionId: id } })
  assert.deepEqual([index.status, index.statusReason], ['FAILED', 'The attribute “title” is not there.'])
})

test('a collection that cannot be made says so, with all its parts', async () => {
  const { ctx, sql, tableOf, applyAll, create } = await createTables(world)
  const { id } = await create({
    key: 'posts',
    attributes: [{ key: 'a', type: 'BOOLEAN' }],
    indexes: [{ key: 'i', type: 'KEY', attributes: ['a'] }],
  })
  await sql(`create schema "${ctx.projectId}"`)
  await sql(`create table ${tableOf(id)} ()`)
  await applyAll()
  const collection = await ctx.db.collection.findUniqueOrThrow({
    where: { id },
    include: { attributes: true, indexes: true },
  })
  assert.equal(collection.statusReason, 'PostgreSQL refused it (42P07).')
  assert.deepEqual(
    [collection, ...collection.attributes, ...collection.indexes].map(({ status }) => status),
    ['FAILED', 'FAILED', 'FAILED'],
  )
})
