import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import pg from 'pg'
import { Unavailable } from '../../src/errors.ts'
import { createAttribute, deleteAttribute } from '../../src/modules/attributes/attributes.ts'
import { updateAttribute } from '../../src/modules/attributes/update.ts'
import { createIndex } from '../../src/modules/indexes/indexes.ts'
import { createTables } from '../../src/testing/tables.ts'
import { createWorld, type World } from '../../src/testing/world.ts'
import { applySchemaChanges } from './apply.ts'
import { failOverdue } from './overdue.ts'
import { smallTable } from './step.ts'

let world: World

const signal = new AbortController().signal

before(async () => {
  world = await createWorld()
})
after(() => world.close())

test('a run that was cut off is finished by the next', async () => {
  const { ctx, sql, tableOf, applyAll, make, insertDocuments, eventsOf, indexesOf } = await createTables(world)
  const id = await make({ key: 'posts', attributes: [{ key: 'number', type: 'INTEGER' }] })
  await insertDocuments(id, smallTable + 1, ', number', ', i')
  // After the column, before the rest.
  const attribute = await createAttribute(ctx, { collectionId: id, key: 'title', type: 'STRING', size: 3 })
  await sql(
    `alter table ${tableOf(id)} add column title text collate "C", add constraint "${attribute.id}_size" check (char_length(title) <= 3) not valid`,
  )
  // In the middle of building: PostgreSQL keeps an invalid index.
  const index = await createIndex(ctx, { collectionId: id, key: 'byNumber', type: 'UNIQUE', attributes: ['number'] })
  await sql(`update ${tableOf(id)} set number = 2 where number = 1`)
  await assert.rejects(sql(`create unique index concurrently "${index.id}" on ${tableOf(id)} (number)`), {
    code: '23505',
  })
  await sql(`update ${tableOf(id)} set number = 1 where "_id" = 'doc1'`)
  await applyAll()
  assert.equal((await ctx.db.attribute.findUniqueOrThrow({ where: { id: attribute.id } })).status, 'AVAILABLE')
  assert.equal((await ctx.db.index.findUniqueOrThrow({ where: { id: index.id } })).status, 'AVAILABLE')
  assert.deepEqual(await indexesOf(id), ['gin (_read)', 'unique btree (number)'])
  // After the column went, before its row.
  await deleteAttribute(ctx, attribute.id)
  await sql(`alter table ${tableOf(id)} drop column title`)
  await applyAll()
  assert.equal((await eventsOf())['attributes.deleted title'], 1)
})

test('what was half made and is given up leaves nothing', async () => {
  const { ctx, sql, tableOf, make, columnsOf } = await createTables(world)
  const id = await make({ key: 'posts' })
  const attribute = await createAttribute(ctx, { collectionId: id, key: 'title', type: 'STRING', size: 3 })
  await sql(`alter table ${tableOf(id)} add column title text`)
  await failOverdue({ ...ctx, clock: () => new Date(Date.now() + 11 * 60_000) }, 'test')
  assert.equal((await ctx.db.attribute.findUniqueOrThrow({ where: { id: attribute.id } })).status, 'FAILED')
  assert.equal((await columnsOf(id)).length, 7)
})

test('a full disk in the middle of any statement leaves all as it was, and the next run finishes', async () => {
  const { ctx, sql, tableOf, make, applyAll, columnsOf, indexesOf } = await createTables(world)
  const id = await make({ key: 'posts', attributes: [{ key: 'number', type: 'INTEGER' }] })
  await sql(`insert into ${tableOf(id)} ("_id", number) values ('a', 1), ('b', 2)`)
  const { id: numberId } = await ctx.db.attribute.findFirstOrThrow({ where: { collectionId: id } })
  await createAttribute(ctx, { collectionId: id, key: 'title', type: 'STRING', size: 3, unique: true })
  await createAttribute(ctx, { collectionId: id, key: 'twice', type: 'TEXT', computed: 'title' })
  await updateAttribute(ctx, { id: numberId, type: 'STRING', size: 5, unique: true })
  const look = async () => [await columnsOf(id), await indexesOf(id), await sql(`select * from ${tableOf(id)}`)]
  const earlier = await look()
  await sql(`create function full_disk() returns event_trigger language plpgsql as
    $$ begin raise 'could not extend file: No space left on device' using errcode = '53100'; end $$`)
  for (const tag of ['CREATE INDEX', 'ALTER TABLE']) {
    await sql(`create event trigger full_disk on ddl_command_end when tag in ('${tag}') execute function full_disk()`)
    await assert.rejects(applySchemaChanges(ctx, { signal, graceMs: 0 }), { code: '53100' })
    assert.deepEqual(await look(), earlier)
    await sql('drop event trigger full_disk')
  }
  assert.equal(await ctx.db.attribute.count({ where: { collectionId: id, status: 'AVAILABLE' } }), 0)
  await applyAll()
  assert.equal(await ctx.db.attribute.count({ where: { collectionId: id, status: 'AVAILABLE' } }), 3)
  assert.deepEqual(await indexesOf(id), ['gin (_read)', 'unique btree (number)', 'unique btree (title)'])
  assert.deepEqual(await sql(`select number from ${tableOf(id)} order by "_id"`), [{ number: '1' }, { number: '2' }])
})

test('while one worker is at a project, others leave it alone', async () => {
  const { ctx, create, applyAll } = await createTables(world)
  const { id } = await create({ key: 'posts' })
  const holder = new pg.Client({ connectionString: world.env.DATABASE_URL })
  await holder.connect()
  await holder.query('select pg_advisory_lock(hashtextextended($1, 0))', [`databases:${ctx.projectId}`])
  assert.equal(await applySchemaChanges(ctx, { signal, graceMs: 0 }), false)
  assert.equal((await ctx.db.collection.findUniqueOrThrow({ where: { id } })).status, 'PROCESSING')
  await holder.end()
  await applyAll()
  assert.equal((await ctx.db.collection.findUniqueOrThrow({ where: { id } })).status, 'AVAILABLE')
})

test('two workers at one project make each thing once', async () => {
  const { ctx, applyAll, create, eventsOf, columnsOf } = await createTables(world)
  const attributes = Array.from({ length: 5 }, (_, i) => ({ key: `a${i}`, type: 'INTEGER' as const }))
  const ids = await Promise.all(
    ['firsts', 'seconds', 'thirds'].map(async (key) => (await create({ key, attributes })).id),
  )
  for (const collectionId of ids) await createAttribute(ctx, { collectionId, key: 'late', type: 'BOOLEAN' })
  await Promise.all([applyAll(), applyAll(), applyAll()])
  for (const id of ids) assert.equal((await columnsOf(id)).length, 13)
  const events = Object.entries(await eventsOf()).filter(([name]) => name.endsWith('AVAILABLE'))
  assert.deepEqual(
    new Set(events.map(([name, count]) => (name.startsWith('collections') ? count : count / 3))),
    new Set([1]),
  )
})

test('connections that die at any moment delay changes and lose none', async () => {
  const { ctx, create, make, insertDocuments, eventsOf, columnsOf, indexesOf } = await createTables(world)
  const rows = smallTable + 1
  const first = await make({ key: 'firsts', attributes: [{ key: 'number', type: 'INTEGER' }] })
  await insertDocuments(first, rows, ', number', ', i')
  for (let i = 0; i < 4; i += 1) await create({ key: `more${i}s`, attributes: [{ key: 'a', type: 'BOOLEAN' }] })
  for (let i = 0; i < 4; i += 1) {
    await createAttribute(ctx, {
      collectionId: first,
      key: `self${i}`,
      type: 'RELATION',
      relatedCollectionId: first,
      onDelete: 'SET_NULL',
    })
    await createIndex(ctx, { collectionId: first, key: `i${i}`, type: 'UNIQUE', attributes: ['number', `self${i}`] })
  }
  const killer = new pg.Client({ connectionString: world.env.DATABASE_URL })
  await killer.connect()
  let kills = 0
  const kill = async () => {
    const { rowCount } = await killer.query(
      `select pg_terminate_backend(pid) from pg_stat_activity where datname = current_database() and application_name = 'tendril' and state <> 'idle'`,
    )
    kills += rowCount ?? 0
    return (rowCount ?? 0) > 0
  }
  for (let done = false; !done; ) {
    let over = false
    // Each pass loses one connection at some moment, until there were enough of them.
    const killing = (async () => {
      while (!over && kills < 12) {
        await sleep(Math.random() * 15)
        if (!over && (await kill())) return
      }
    })()
    done = await applySchemaChanges(ctx, { signal, graceMs: 0 }).catch(() => false)
    over = true
    await killing
  }
  await killer.end()
  // The pool has yet to notice the last ones.
  await sleep(200)
  assert.ok(kills > 0, 'nothing was killed')
  assert.equal((await columnsOf(first)).length, 12)
  assert.equal((await indexesOf(first)).length, 9)
  const events = Object.entries(await eventsOf()).filter(
    ([name]) => /updated .* AVAILABLE/.test(name) && !name.includes(' a '),
  )
  assert.deepEqual([events.length, new Set(events.map(([, count]) => count))], [14, new Set([1])])
})

test('a table that others hold is waited for, without holding up its writers, and given up after long', async () => {
  const { ctx, sql, tableOf, make } = await createTables(world)
  const id = await make({ key: 'posts' })
  const other = await make({ key: 'others' })
  const holder = new pg.Client({ connectionString: world.env.DATABASE_URL })
  await holder.connect()
  holder.on('error', () => {})
  await holder.query(`begin; insert into ${tableOf(id)} ("_id") values ('a')`)
  const { id: blockedId } = await createAttribute(ctx, { collectionId: id, key: 'title', type: 'BOOLEAN' })
  const { id: freeId } = await createAttribute(ctx, { collectionId: other, key: 'title', type: 'BOOLEAN' })
  const applied = applySchemaChanges(ctx, { signal, graceMs: 0 })
  await sleep(300)
  const started = performance.now()
  await sql(`insert into ${tableOf(id)} ("_id") values ('b')`)
  assert.ok(performance.now() - started < 2_000, 'a writer waited')
  await assert.rejects(applied, Unavailable)
  const statusOf = async (id: string) => (await ctx.db.attribute.findUniqueOrThrow({ where: { id } })).status
  assert.deepEqual([await statusOf(blockedId), await statusOf(freeId)], ['PROCESSING', 'AVAILABLE'])
  await failOverdue(ctx, 'test')
  assert.equal(await statusOf(blockedId), 'PROCESSING')
  await holder.end()
  await failOverdue({ ...ctx, clock: () => new Date(Date.now() + 11 * 60_000) }, 'test')
  assert.equal(await statusOf(blockedId), 'FAILED')
})
