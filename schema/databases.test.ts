import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { Actor } from '../src/context.ts'
import { operate } from '../src/testing/operation.ts'
import { createStage } from '../src/testing/stage.ts'

const { world, schemas, owner: ctx } = await createStage()

const createDatabase = 'mutation ($input: CreateDatabaseInput!) { createDatabase(input: $input) { id key name } }'

test('a database is created, read, listed, renamed and deleted', async () => {
  const { data } = await operate(schemas, ctx, createDatabase, { input: { key: 'main', name: 'Main' } })
  const { id } = data?.createDatabase ?? {}
  assert.deepEqual(data, { createDatabase: { id, key: 'main', name: 'Main' } })
  const one = await operate(
    schemas,
    ctx,
    'query ($id: ID!) { database(id: $id) { key collections { totalCount nodes { key } } } }',
    { id },
  )
  assert.deepEqual(one, { data: { database: { key: 'main', collections: { totalCount: 0, nodes: [] } } }, errors: [] })
  const all = await operate(
    schemas,
    ctx,
    '{ databases(first: 1) { totalCount nodes { id } edges { cursor } pageInfo { hasNextPage } } }',
  )
  assert.equal(all.data?.databases.totalCount, 1)
  assert.deepEqual(all.data?.databases.nodes, [{ id }])
  const rename = 'mutation ($input: UpdateDatabaseInput!) { updateDatabase(input: $input) { key name } }'
  const renamed = await operate(schemas, ctx, rename, { input: { id, name: ' Blog ' } })
  assert.deepEqual(renamed.data, { updateDatabase: { key: 'main', name: 'Blog' } })
  const empty = await operate(schemas, ctx, rename, { input: { id, name: '' } })
  assert.deepEqual(empty.errors, ['INVALID A name has 1 to 128 characters. (input.name)'])
  const gone = await operate(schemas, ctx, 'mutation ($id: ID!) { deleteDatabase(id: $id) }', { id })
  assert.deepEqual(gone.data, { deleteDatabase: id })
})

test('what is wrong, taken or not there is said with its code', async () => {
  const wrong = await operate(schemas, ctx, createDatabase, { input: { key: '__proto__' } })
  assert.match(wrong.errors[0] ?? '', /^INVALID A key begins .* \(input\.key\)$/)
  await operate(schemas, ctx, createDatabase, { input: { key: 'taken' } })
  const taken = await operate(schemas, ctx, createDatabase, { input: { key: 'taken' } })
  assert.deepEqual(taken.errors, ['CONFLICT This project already has a database “taken”. (input.key)'])
  assert.deepEqual((await operate(schemas, ctx, '{ database(id: "db_1") { id } }')).data, { database: null })
  for (const [source, path] of [
    ['mutation { deleteDatabase(id: "db_1") }', 'id'],
    ['mutation { updateDatabase(input: { id: "db_1", name: "x" }) { id } }', 'input.id'],
  ] as const) {
    assert.deepEqual((await operate(schemas, ctx, source)).errors, [`NOT_FOUND There is no such database. (${path})`])
  }
})

test('end users, guests and keys without the scope see no trace of it', async () => {
  const scopes = new Set(['databases.read'])
  const actors: (Actor | null)[] = [
    null,
    { kind: 'user', id: 'usr_1', sessionId: 'ses_1', verified: true, labels: [] },
    { kind: 'key', id: 'key_1', scopes: new Set(['documents.read']) },
    { kind: 'key', id: 'key_2', scopes },
  ]
  for (const actor of actors) {
    const other = world.context(ctx.projectId, actor)
    const { data } = await operate(schemas, other, '{ __schema { types { name fields { name } } } }')
    const text = JSON.stringify(data)
    const mayRead = actor?.kind === 'key' && actor.scopes === scopes
    assert.equal(text.includes('databases'), mayRead)
    assert.equal(text.includes('Database'), mayRead)
    assert.ok(!text.includes('createDatabase'))
    const { errors } = await operate(schemas, other, createDatabase, { input: { key: 'stolen' } })
    assert.ok(errors.length > 0)
  }
  assert.equal(await ctx.db.database.count({ where: { key: 'stolen' } }), 0)
})
