import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import type { Context } from '../../context.ts'
import { Conflict, Invalid, NotFound } from '../../errors.ts'
import { newId } from '../../lib/ids.ts'
import { createWorld, type World } from '../../testing/world.ts'
import { createAttribute } from '../attributes/attributes.ts'
import { createCollection } from '../collections/collections.ts'
import { createDatabase, deleteDatabase, getDatabase, visibleDatabases } from './databases.ts'

let world: World
let ctx: Context
let stranger: Context

before(async () => {
  world = await createWorld()
  ctx = (await world.createProject()).owner
  stranger = (await world.createProject()).owner
})
after(() => world.close())

/** The state that a refused call must not touch. */
async function state(): Promise<string> {
  const { db } = world.app
  const rows = await Promise.all([
    db.database.findMany(),
    db.collection.findMany(),
    db.attribute.findMany(),
    db.index.findMany(),
  ])
  const projects = await db.project.findMany({ orderBy: { id: 'asc' } })
  return JSON.stringify([rows, projects, await world.emitted()])
}

async function refuses(fn: () => Promise<unknown>, expected: object): Promise<void> {
  const earlier = await state()
  await assert.rejects(fn, expected)
  assert.equal(await state(), earlier, 'a refused call changed something')
}

test('a database is made, with one event', async () => {
  const count = (await world.emitted()).length
  const database = await createDatabase(ctx, { key: 'main', name: ' Main ' })
  assert.deepEqual([database.key, database.name, database.projectId], ['main', 'Main', ctx.projectId])
  assert.deepEqual((await world.emitted()).slice(count), ['databases.created'])
})

test('its name is its key if left out', async () => {
  assert.equal((await createDatabase(ctx, { key: 'unnamed' })).name, 'unnamed')
})

test('a key is taken once in a project', async () => {
  await createDatabase(stranger, { key: 'main' })
  await refuses(() => createDatabase(stranger, { key: 'main' }), Conflict)
})

test('of two at the same time one is made', async () => {
  const tries = await Promise.allSettled([1, 2, 3].map(() => createDatabase(ctx, { key: 'race' })))
  assert.equal(tries.filter(({ status }) => status === 'fulfilled').length, 1)
  for (const one of tries) if (one.status === 'rejected') assert.ok(one.reason instanceof Conflict)
})

const hostileKeys = [
  '',
  ' ',
  'a b',
  'Main',
  '_main',
  '__proto__',
  'constructor',
  'toString',
  'hasOwnProperty',
  'id',
  'createdAt',
  'permissions',
  'a\0b',
  'a"b',
  "a'b",
  'a;drop',
  'a.b',
  '*',
  '../a',
  'a\r\nb',
  '\u202Eabc',
  'é',
  '1a',
  `a${'b'.repeat(40)}`,
  'x'.repeat(1_000_000),
]

test('a key that could not be a name everywhere is refused, and nothing is changed', async () => {
  for (const key of hostileKeys) {
    await refuses(
      () => createDatabase(ctx, { key }),
      (error: unknown) => {
        assert.ok(error instanceof Invalid, `${key.slice(0, 20)}: ${error}`)
        assert.deepEqual(error.at, ['input', 'key'])
        assert.ok(error.message.length < 200)
        return true
      },
    )
  }
})

test('a name has no control characters, no overrides of direction, and an end', async () => {
  for (const name of ['', '  ', 'a\0', 'a\nb', '\u202Eabc', '\uD800', 'x'.repeat(129), 'x'.repeat(1_000_000)]) {
    await refuses(() => createDatabase(ctx, { key: 'named', name }), { code: 'INVALID', at: ['input', 'name'] })
  }
  assert.equal((await createDatabase(ctx, { key: 'named', name: 'שלום 🌱' })).name, 'שלום 🌱')
})

test('another project’s database and one that does not exist cannot be told apart', async () => {
  const { id } = await createDatabase(stranger, { key: 'hidden' })
  const answers = await Promise.all(
    [id, newId('db'), 'db_\0', 'x'.repeat(1_000_000)].map((id) =>
      deleteDatabase(ctx, id).catch((error: NotFound) => [error.code, error.message]),
    ),
  )
  for (const answer of answers) assert.deepEqual(answer, ['NOT_FOUND', 'There is no such database.'])
})

test('end users, guests and accounts from elsewhere see none', async () => {
  const actors = [
    null,
    { kind: 'user', id: 'usr_1', sessionId: 'ses_1', verified: true, labels: [] },
    { kind: 'account', id: 'usr_2', sessionId: 'ses_2', role: null },
  ] as const
  const { id } = await createDatabase(ctx, { key: 'private' })
  for (const actor of actors) {
    const other = world.context(ctx.projectId, actor)
    assert.equal(await world.app.db.database.count({ where: visibleDatabases(other) }), 0)
    await assert.rejects(getDatabase(other, id), NotFound)
  }
  const key = world.context(ctx.projectId, { kind: 'key', id: 'key_1', scopes: new Set() })
  assert.equal((await getDatabase(key, id)).id, id)
})

test('a database goes with its collections, and the nodes are told', async () => {
  const { id: databaseId } = await createDatabase(ctx, { key: 'full' })
  await createCollection(ctx, { databaseId, key: 'things', permissions: [] })
  const { schemaRevision } = await ctx.db.project.findUniqueOrThrow({ where: { id: ctx.projectId } })
  const count = (await world.emitted()).length
  assert.equal(await deleteDatabase(ctx, databaseId), databaseId)
  assert.equal(await ctx.db.collection.count({ where: { databaseId } }), 0)
  assert.deepEqual((await world.emitted()).slice(count), ['databases.deleted', 'projects.schema-changed'])
  const { rows } = await world.app.sql.query(
    'select "projectId", payload from events.outbox order by position desc limit 1',
  )
  const payload = { projectId: ctx.projectId, revision: schemaRevision + 1 }
  assert.deepEqual(rows, [{ projectId: 'console', payload }])
})

test('a database that others point into stays', async () => {
  const target = await createDatabase(ctx, { key: 'target' })
  const source = await createDatabase(ctx, { key: 'source' })
  const authors = await createCollection(ctx, { databaseId: target.id, key: 'authors', permissions: [] })
  const posts = await createCollection(ctx, { databaseId: source.id, key: 'posts', permissions: [] })
  await createAttribute(ctx, {
    collectionId: posts.id,
    key: 'author',
    type: 'RELATION',
    relatedCollectionId: authors.id,
    onDelete: 'CASCADE',
  })
  await refuses(
    () => deleteDatabase(ctx, target.id),
    (error: unknown) => error instanceof Conflict && error.message.includes('posts.author'),
  )
  await deleteDatabase(ctx, source.id)
  await deleteDatabase(ctx, target.id)
})
