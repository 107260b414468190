import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import pg from 'pg'
import type { Context } from '../src/context.ts'
import { Unavailable } from '../src/errors.ts'
import { newId } from '../src/lib/ids.ts'
import { createAttribute, deleteAttribute } from '../src/modules/attributes/attributes.ts'
import type { NewAttribute } from '../src/modules/attributes/shape.ts'
import {
  createCollection,
  deleteCollection,
  type NewCollection,
  updateCollection,
} from '../src/modules/collections/collections.ts'
import { dropProjectSchema } from '../src/modules/collections/tables.ts'
import { createDatabase, deleteDatabase } from '../src/modules/databases/databases.ts'
import { createIndex, deleteIndex } from '../src/modules/indexes/indexes.ts'
import { createWorld, type World } from '../src/testing/world.ts'
import { applySchemaChanges } from './databases/apply.ts'
import { projectsBehind } from './databases/changes.ts'
import { failOverdue } from './databases/overdue.ts'
import { smallTable } from './databases/step.ts'
import { databases } from './databases.ts'
import { startWorkers } from './start.ts'

let world: World
let ctx: Context
let databaseId: string

before(async () => {
  world = await createWorld()
})
after(() => world.close())

/** Each test has a project to itself. */
async function begin(): Promise<void> {
  ctx = (await world.createProject()).owner
  databaseId = (await createDatabase(ctx, { key: 'main' })).id
}

const signal = new AbortController().signal

async function applyAll(context = ctx, graceMs = 0): Promise<void> {
  while (!(await applySchemaChanges(context, { signal, graceMs }))) await sleep(20)
}

const create = (input: Partial<NewCollection> & { key: string }) =>
  createCollection(ctx, { databaseId, permissions: [], ...input })

async function make(input: Partial<NewCollection> & { key: string }): Promise<string> {
  const { id } = await create(input)
  await applyAll()
  return id
}

async function sql<Row extends pg.QueryResultRow>(text: string, values: unknown[] = []): Promise<Row[]> {
  return (await world.app.sql.query<Row>(text, values)).rows
}

const tableOf = (collectionId: string) => `"${ctx.projectId}"."${collectionId}"`

async function insertDocuments(collectionId: string, count: number, columns = '', values = ''): Promise<void> {
  await sql(
    `insert into ${tableOf(collectionId)} ("_id"${columns}) select 'doc' || i ${values} from generate_series(1, ${count}) i`,
  )
}

async function addAttribute(
  collectionId: string,
  input: NewAttribute,
): Promise<{ id: string; status: string; statusReason: string | null }> {
  const { id } = await createAttribute(ctx, { collectionId, ...input })
  await applyAll()
  return ctx.db.attribute.findUniqueOrThrow({ where: { id } })
}

/** How often the outbox holds each event of the project, by name and status. */
async function eventsOf(projectId = ctx.projectId): Promise<Record<string, number>> {
  const rows = await sql<{ event: string; count: number }>(
    `select concat_ws(' ', type, payload ->> 'key', payload ->> 'status') as event, count(*)::int from events.outbox
     where "projectId" = $1 group by 1`,
    [projectId],
  )
  return Object.fromEntries(rows.map(({ event, count }) => [event, count]))
}

async function columnsOf(collectionId: string): Promise<string[]> {
  const rows = await sql<{ text: string }>(
    `select concat_ws(' ', column_name, data_type, collation_name, is_nullable, column_default) as text from information_schema.columns
     where table_schema = $1 and table_name = $2 order by ordinal_position`,
    [ctx.projectId, collectionId],
  )
  return rows.map(({ text }) => text)
}

async function indexesOf(collectionId: string): Promise<string[]> {
  const rows = await sql<{ text: string }>(
    `select pg_get_indexdef(i.indexrelid) as text from pg_index i where indrelid = to_regclass($1) and indisvalid and not indisprimary order by 1`,
    [tableOf(collectionId)],
  )
  return rows.map(({ text }) => text.replace(/^.* USING /, text.includes('UNIQUE') ? 'unique ' : '')).sort()
}

test('a collection becomes a table, with everything in one step', async () => {
  await begin()
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
  assert.deepEqual((await columnsOf(id)).slice(6), [
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
  await begin()
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
  await begin()
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
    await begin()
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
      await sql(`select convalidated, count(*)::int from pg_constraint where conrelid = to_regclass($1) group by 1`, [
        tableOf(id),
      ]),
      [{ convalidated: true, count: 3 }],
    )
    await assert.rejects(sql(`update ${tableOf(id)} set title = 'long' where number = 1`), { code: '23514' })
    assert.deepEqual(await sql(`select distinct title from ${tableOf(id)}`), [{ title: 'new' }])
  })

  test(`a required attribute fails in a ${size} table that has documents, and leaves no column`, async () => {
    await begin()
    const id = await make({ key: 'posts' })
    await insertDocuments(id, rows)
    const attribute = await addAttribute(id, { key: 'title', type: 'STRING', size: 3, required: true })
    assert.equal(attribute.status, 'FAILED')
    assert.match(attribute.statusReason ?? '', /has documents/)
    assert.equal((await columnsOf(id)).length, 6)
    assert.equal((await eventsOf())['attributes.updated title FAILED'], 1)
    await deleteAttribute(ctx, attribute.id)
    await applyAll()
    assert.equal((await addAttribute(id, { key: 'title', type: 'STRING', size: 3 })).status, 'AVAILABLE')
  })

  test(`a unique index fails in a ${size} table with equal values, and leaves no index`, async () => {
    await begin()
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
    await begin()
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
  await begin()
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

test('what is deleted is dropped, once the types have been without it for a while', async () => {
  await begin()
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
  const applied = applyAll(ctx, 400)
  // A node that has not heard reads the column, one that has need not give a value.
  await sleep(250)
  await sql(`insert into ${tableOf(id)} ("_id") values ('a')`)
  assert.deepEqual(await sql(`select title from ${tableOf(id)}`), [{ title: null }])
  await applied
  assert.equal((await columnsOf(id)).length, 6)
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

test('an index on an attribute that fails, fails too', async () => {
  await begin()
  const id = await make({ key: 'posts' })
  await insertDocuments(id, 1)
  await createAttribute(ctx, { collectionId: id, key: 'title', type: 'STRING', size: 3, required: true })
  await createIndex(ctx, { collectionId: id, key: 'byTitle', type: 'KEY', attributes: ['title'] })
  await applyAll()
  const index = await ctx.db.index.findFirstOrThrow({ where: { collectionId: id } })
  assert.deepEqual([index.status, index.statusReason], ['FAILED', 'The attribute “title” is not there.'])
})

test('a collection that cannot be made says so, with all its parts', async () => {
  await begin()
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

test('a run that was cut off is finished by the next', async () => {
  await begin()
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

test('two workers at one project make each thing once', async () => {
  await begin()
  const attributes = Array.from({ length: 5 }, (_, i) => ({ key: `a${i}`, type: 'INTEGER' as const }))
  const ids = await Promise.all(
    ['firsts', 'seconds', 'thirds'].map(async (key) => (await create({ key, attributes })).id),
  )
  for (const collectionId of ids) await createAttribute(ctx, { collectionId, key: 'late', type: 'BOOLEAN' })
  await Promise.all([applyAll(), applyAll(), applyAll()])
  for (const id of ids) assert.equal((await columnsOf(id)).length, 12)
  const events = Object.entries(await eventsOf()).filter(([name]) => name.endsWith('AVAILABLE'))
  assert.deepEqual(
    new Set(events.map(([name, count]) => (name.startsWith('collections') ? count : count / 3))),
    new Set([1]),
  )
})

test('connections that die at any moment delay changes and lose none', async () => {
  await begin()
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
  }
  for (let done = false; !done; ) {
    const killing = sleep(Math.random() * 40).then(() => (kills < 12 ? kill() : undefined))
    done = await applySchemaChanges(ctx, { signal, graceMs: 0 }).catch(() => false)
    await killing
  }
  await killer.end()
  assert.ok(kills > 0, 'nothing was killed')
  assert.equal((await columnsOf(first)).length, 11)
  assert.equal((await indexesOf(first)).length, 9)
  const events = Object.entries(await eventsOf()).filter(
    ([name]) => /updated .* AVAILABLE/.test(name) && !name.includes(' a '),
  )
  assert.deepEqual([events.length, new Set(events.map(([, count]) => count))], [14, new Set([1])])
})

test('a table that others hold is waited for, without holding up its writers, and given up after long', async () => {
  await begin()
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

test('events that ask for changes lead to one job for each project', async () => {
  const event = (type: string, projectId: string, payload: unknown, actorKind = 'account') => ({
    seq: 1n,
    prev: 0n,
    id: newId('evt'),
    projectId,
    name: type,
    type,
    aggregate: '',
    payload,
    actorKind,
    actorId: null,
    at: new Date(),
  })
  const [reaction] = databases.reactions
  assert.ok(reaction)
  const events = [
    event('collections.created', 'a', { status: 'PROCESSING' }),
    event('attributes.updated', 'b', { status: 'DELETING' }),
    event('attributes.created', 'a', { status: 'PROCESSING' }),
    event('attributes.updated', 'c', { status: 'AVAILABLE' }, 'system'),
    event('collections.updated', 'd', { status: 'AVAILABLE' }, 'system'),
    event('collections.updated', 'e', { status: 'AVAILABLE' }),
    event('databases.deleted', 'f', {}),
    event('users.created', 'g', {}),
  ]
  const jobs = await reaction(world.app, events)
  assert.deepEqual(
    jobs.map(({ data }) => data),
    ['a', 'b', 'e', 'f'].map((projectId) => ({ projectId })),
  )
  assert.equal(jobs[0]?.key, events[2]?.id)
})

test('what has waited for long is owed again', async () => {
  await begin()
  await create({ key: 'posts' })
  assert.ok(!(await projectsBehind(world.app.sql, new Date(Date.now() - 60_000))).includes(ctx.projectId))
  const later = { ...world.app, clock: () => new Date(Date.now() + 180_000) }
  const owed = await databases.owed?.(later)
  assert.ok(owed?.some(({ data }) => JSON.stringify(data) === JSON.stringify({ projectId: ctx.projectId })))
})

test('from the mutation to the type: relay, bridge, queue and worker', async () => {
  const fresh = await createWorld()
  const workers = await startWorkers(fresh.app, {
    only: ['databases'],
    sweepEveryMs: 500,
    queue: { lockMs: 4_000, touchEveryMs: 1_000 },
  })
  try {
    const { owner } = await fresh.createProject()
    const database = await createDatabase(owner, { key: 'main' })
    const { id } = await createCollection(owner, { databaseId: database.id, key: 'posts', permissions: [] })
    const started = performance.now()
    const statusOf = async () => (await owner.db.collection.findUniqueOrThrow({ where: { id } })).status
    while ((await statusOf()) !== 'AVAILABLE' && performance.now() - started < 10_000) await sleep(20)
    assert.equal(await statusOf(), 'AVAILABLE')
  } finally {
    await workers.stop()
    await fresh.close()
  }
})

test('a project’s data can be dropped as a whole, and again', async () => {
  await begin()
  await make({ key: 'posts' })
  const query = async <Row extends pg.QueryResultRow>(text: string, values: readonly unknown[] = []) =>
    sql<Row>(text, [...values])
  for (let i = 0; i < 2; i += 1) await dropProjectSchema(query, ctx.projectId)
  assert.deepEqual(await sql('select 1 from pg_namespace where nspname = $1', [ctx.projectId]), [])
})
