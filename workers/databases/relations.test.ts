import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import { createAttribute, deleteAttribute } from '../../src/modules/attributes/attributes.ts'
import { createCollection, deleteCollection } from '../../src/modules/collections/collections.ts'
import { createDatabase, deleteDatabase } from '../../src/modules/databases/databases.ts'
import { createTables, type Tables } from '../../src/testing/tables.ts'
import { createWorld, type World } from '../../src/testing/world.ts'

let world: World

before(async () => {
  world = await createWorld()
})
after(() => world.close())

const relation = { type: 'RELATION', onDelete: 'CASCADE' } as const

async function tablesOf({ ctx, sql }: Tables): Promise<string[]> {
  const rows = await sql<{ name: string }>('select tablename as name from pg_tables where schemaname = $1 order by 1', [
    ctx.projectId,
  ])
  return rows.map(({ name }) => name)
}

test('one to many is many to one at the other collection, with both names', async () => {
  const tables = await createTables(world)
  const { ctx, make, applyAll, indexesOf } = tables
  const posts = await make({ key: 'posts' })
  const inline = {
    key: 'posts',
    relation: 'ONE_TO_MANY',
    relatedCollectionId: posts,
    reverseKey: 'author',
    ...relation,
  } as const
  const authors = await make({ key: 'authors', attributes: [inline] })
  const later = await createAttribute(ctx, {
    collectionId: authors,
    ...inline,
    key: 'edited',
    reverseKey: 'editor',
    onDelete: 'SET_NULL',
  })
  await applyAll()
  const rows = await ctx.db.attribute.findMany({ where: { projectId: ctx.projectId }, orderBy: { key: 'asc' } })
  assert.deepEqual(
    rows.map((row) => [row.key, row.reverseKey, row.relation, row.collectionId, row.relatedCollectionId, row.status]),
    [
      ['author', 'posts', 'MANY_TO_ONE', posts, authors, 'AVAILABLE'],
      ['editor', 'edited', 'MANY_TO_ONE', posts, authors, 'AVAILABLE'],
    ],
  )
  assert.equal(later.collectionId, posts)
  assert.deepEqual(await indexesOf(posts), ['btree (author)', 'btree (editor)', 'gin (_read)'])
})

test('one to one points at no document twice', async () => {
  const { ctx, sql, tableOf, make, insertDocuments, indexesOf, addAttribute } = await createTables(world)
  const people = await make({ key: 'people' })
  const id = await make({
    key: 'desks',
    attributes: [{ key: 'owner', relation: 'ONE_TO_ONE', relatedCollectionId: people, ...relation }],
  })
  const extra = await addAttribute(id, {
    key: 'other',
    relation: 'ONE_TO_ONE',
    relatedCollectionId: people,
    ...relation,
  })
  assert.equal(extra.status, 'AVAILABLE')
  assert.deepEqual(await indexesOf(id), ['gin (_read)', 'unique btree (other)', 'unique btree (owner)'])
  await insertDocuments(people, 1)
  await sql(`insert into ${tableOf(id)} ("_id", owner) values ('a', 'doc1')`)
  await assert.rejects(sql(`insert into ${tableOf(id)} ("_id", owner) values ('b', 'doc1')`), { code: '23505' })
  assert.equal(await ctx.db.attribute.count({ where: { collectionId: id, relation: 'ONE_TO_ONE' } }), 2)
})

test('links of many to many come and go with the attribute, its collections and their database', async () => {
  const tables = await createTables(world)
  const { ctx, sql, tableOf, make, applyAll, addAttribute, insertDocuments } = tables
  const { id: databaseId } = await createDatabase(ctx, { key: 'second' })
  const tags = await make({ key: 'tags' })
  const links = { type: 'RELATION', relation: 'MANY_TO_MANY', relatedCollectionId: tags } as const
  const posts = await createCollection(ctx, {
    databaseId,
    key: 'posts',
    permissions: [],
    attributes: [{ key: 'tags', reverseKey: 'posts', ...links }],
  })
  await applyAll()
  const own = await ctx.db.attribute.findFirstOrThrow({ where: { collectionId: posts.id } })
  const second = await addAttribute(posts.id, { key: 'more', ...links })
  const third = await addAttribute(posts.id, { key: 'friends', ...links, relatedCollectionId: posts.id })
  assert.deepEqual(await tablesOf(tables), [own.id, second.id, third.id, posts.id, tags].sort())
  await insertDocuments(posts.id, 2)
  await insertDocuments(tags, 2)
  for (const { id } of [own, second]) await sql(`insert into ${tableOf(id)} values ('doc1', 'doc2')`)
  await sql(`delete from ${tableOf(tags)} where "_id" = 'doc2'`)
  assert.deepEqual(await sql(`select * from ${tableOf(own.id)}`), [])
  await assert.rejects(deleteCollection(ctx, tags), /posts\.tags/)
  await deleteAttribute(ctx, second.id)
  await applyAll()
  assert.deepEqual(await tablesOf(tables), [own.id, third.id, posts.id, tags].sort())
  await deleteAttribute(ctx, third.id)
  await deleteDatabase(ctx, databaseId)
  await applyAll()
  assert.deepEqual(await tablesOf(tables), [tags])
  const again = await make({ key: 'posts', attributes: [{ key: 'tags', ...links }] })
  await deleteCollection(ctx, again)
  await applyAll()
  assert.deepEqual(await tablesOf(tables), [tags])
})

test('relations in a circle, and a link that was cut off half way', async () => {
  const tables = await createTables(world)
  const { ctx, sql, tableOf, make, applyAll } = tables
  const first = await make({ key: 'firsts', attributes: [{ key: 'next', relatedCollectionId: 'self', ...relation }] })
  const second = await make({ key: 'seconds', attributes: [{ key: 'first', relatedCollectionId: first, ...relation }] })
  await createAttribute(ctx, { collectionId: first, key: 'second', relatedCollectionId: second, ...relation })
  const links = await createAttribute(ctx, {
    collectionId: first,
    key: 'seconds',
    type: 'RELATION',
    relation: 'MANY_TO_MANY',
    relatedCollectionId: second,
    reverseKey: 'firsts',
  })
  const text = 'text collate "C" not null references'
  await sql(
    `create table ${tableOf(links.id)} (_from ${text} ${tableOf(first)}, _to ${text} ${tableOf(second)}, primary key (_from, _to))`,
  )
  await applyAll()
  assert.equal(await ctx.db.attribute.count({ where: { projectId: ctx.projectId, status: 'AVAILABLE' } }), 4)
  assert.deepEqual((await sql('select 1 from pg_class where relname = $1', [`${links.id}_to`])).length, 1)
})
