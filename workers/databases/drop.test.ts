import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import type pg from 'pg'
import { deleteAttribute } from '../../src/modules/attributes/attributes.ts'
import { deleteCollection } from '../../src/modules/collections/collections.ts'
import { dropProjectSchema } from '../../src/modules/collections/tables.ts'
import { deleteIndex } from '../../src/modules/indexes/indexes.ts'
import { createTables } from '../../src/testing/tables.ts'
import { createWorld, type World } from '../../src/testing/world.ts'

let world: World

before(async () => {
  world = await createWorld()
})
after(() => world.close())

test('what is deleted is dropped, once the types have been without it for a while', async () => {
  const { ctx, sql, tableOf, applyAll, make, eventsOf, columnsOf } = await createTables(world)
  const attributes = [
    { key: 'title', type: 'STRING', size: 3, required: true },
    { key: 'views', type: 'INTEGER' },
  ] as const
  const id = await make({ key: 'posts', attributes, indexes: [{ key: 'byViews', type: 'KEY', attributes: ['views'] }] })
  const [title, views] = await ctx.db.attribute.findMany({ where: { collectionId: id }, orderBy: { key: 'asc' } })
  const index = await ctx.db.index.findFirstOrThrow({ where: { collectionId: id } })
  await deleteIndex(ctx, index.id)
  await deleteAttribute(ctx, title?.id ?? '')
  await deleteAttribute(ctx, views?.id ?? '')
  const applied = applyAll(1_000)
  // A node that has not heard reads the column, one that has need not give a value.
  while (!(await columnsOf(id)).includes('title text C YES')) await sleep(10)
  await sql(`insert into ${tableOf(id)} ("_id") values ('a')`)
  assert.deepEqual(await sql(`select title from ${tableOf(id)}`), [{ title: null }])
  await applied
  assert.equal((await columnsOf(id)).length, 7)
  assert.deepEqual(
    [
      await ctx.db.attribute.count({ where: { collectionId: id } }),
      await ctx.db.index.count({ where: { collectionId: id } }),
    ],
    [0, 0],
  )
  await deleteCollection(ctx, id)
  await applyAll()
  assert.equal(await ctx.db.collection.count({ where: { id } }), 0)
  assert.deepEqual(await columnsOf(id), [])
  const events = await eventsOf()
  for (const name of [
    'indexes.deleted byViews',
    'attributes.deleted title',
    'attributes.deleted views',
    'collections.deleted posts',
  ]) {
    assert.equal(events[name], 1, name)
  }
})

test('a project’s data can be dropped as a whole, and again', async () => {
  const { ctx, sql, make } = await createTables(world)
  await make({ key: 'posts' })
  const query = async <Row extends pg.QueryResultRow>(text: string, values: readonly unknown[] = []) =>
    sql<Row>(text, [...values])
  for (let i = 0; i < 2; i += 1) await dropProjectSchema(query, ctx.projectId)
  assert.deepEqual(await sql('select 1 from pg_namespace where nspname = $1', [ctx.projectId]), [])
})
