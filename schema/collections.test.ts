import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import type { Context } from '../src/context.ts'
import { createDatabase } from '../src/modules/databases/databases.ts'
import { listen, operate, type Payloads } from '../src/testing/operation.ts'
import { within } from '../src/testing/stream.ts'
import { createWorld, type World } from '../src/testing/world.ts'
import { applySchemaChanges } from '../workers/databases/apply.ts'
import { startRelay } from '../workers/relay.ts'
import { createSchemas, type Schemas } from './schemas.ts'

let world: World
let schemas: Schemas
let relay: ReturnType<typeof startRelay>
let ctx: Context
let databaseId: string

before(async () => {
  world = await createWorld()
  schemas = createSchemas(world.app)
  relay = startRelay(world.app)
  ctx = (await world.createProject()).owner
  databaseId = (await createDatabase(ctx, { key: 'main' })).id
})
after(async () => {
  await relay.stop()
  await schemas.close()
  await world.close()
})

const createSource = `mutation ($input: CreateCollectionInput!) { createCollection(input: $input) {
  id key typeName name documentPermissions status permissions { right role } database { key }
  attributes { totalCount nodes { key status } } indexes { nodes { key } } } }`
const create = (input: object) =>
  operate(schemas, ctx, createSource, { input: { databaseId, permissions: [], ...input } })
const applyAll = () => applySchemaChanges(ctx, { signal: new AbortController().signal, graceMs: 0 })

test('a collection is created with all it begins with, read, changed and deleted', async () => {
  const { data, errors } = await create({
    key: 'posts',
    permissions: [
      { right: 'READ', role: 'any' },
      { right: 'WRITE', role: 'users' },
    ],
    attributes: [{ key: 'title', type: 'STRING', size: 10 }],
    indexes: [{ key: 'byTitle', type: 'KEY', attributes: ['title'] }],
  })
  assert.deepEqual(errors, [])
  const { id, ...collection } = data?.createCollection ?? {}
  const written = ['CREATE', 'UPDATE', 'DELETE'].map((right) => ({ right, role: 'users' }))
  assert.deepEqual(collection, {
    key: 'posts',
    typeName: 'Post',
    name: 'posts',
    documentPermissions: true,
    status: 'PROCESSING',
    permissions: [{ right: 'READ', role: 'any' }, ...written],
    database: { key: 'main' },
    attributes: { totalCount: 1, nodes: [{ key: 'title', status: 'PROCESSING' }] },
    indexes: { nodes: [{ key: 'byTitle' }] },
  })
  const update =
    'mutation ($input: UpdateCollectionInput!) { updateCollection(input: $input) { name permissions { role } documentPermissions } }'
  const updated = await operate(schemas, ctx, update, { input: { id, name: 'Posts', permissions: [] } })
  assert.deepEqual(updated.data, { updateCollection: { name: 'Posts', permissions: [], documentPermissions: true } })
  const rules = [{ right: 'READ', role: 'users', where: { title: { eq: '$userId' } } }]
  const ruled = await operate(
    schemas,
    ctx,
    'mutation ($input: UpdateCollectionInput!) { updateCollection(input: $input) { key typeName cacheSeconds rules { right role where } } }',
    { input: { id, key: 'entries', typeName: 'Entry', rules, cacheSeconds: 5 } },
  )
  assert.deepEqual(ruled, {
    data: { updateCollection: { key: 'entries', typeName: 'Entry', cacheSeconds: 5, rules } },
    errors: [],
  })
  const read =
    'query ($id: ID!) { collection(id: $id) { name } collections { totalCount nodes { id } } database(id: "DB") { collections { nodes { id } } } }'
  const answer = await operate(schemas, ctx, read.replace('DB', databaseId), { id })
  const list = { nodes: [{ id }] }
  assert.deepEqual(answer.data, {
    collection: { name: 'Posts' },
    collections: { totalCount: 1, ...list },
    database: { collections: list },
  })
  const gone = await operate(schemas, ctx, 'mutation ($id: ID!) { deleteCollection(id: $id) }', { id })
  assert.deepEqual(gone.data, { deleteCollection: id })
})

test('what is wrong, taken or not there is said with its code and path', async () => {
  const errorOf = async (input: object) => (await create(input)).errors[0]
  const attributes = [{ key: 'id', type: 'BOOLEAN' }]
  assert.equal(
    await errorOf({ key: 'odd', attributes }),
    'INVALID “id” is reserved: choose another key. (input.attributes.0.key)',
  )
  const permissions = [{ right: 'READ', role: 'all' }]
  assert.match(
    (await errorOf({ key: 'odd', permissions })) ?? '',
    /^INVALID “all” is not a role: .* \(input\.permissions\.0\.role\)$/,
  )
  for (const key of ['users', 'collections', 'projects', 'pageInfos'])
    assert.match((await errorOf({ key })) ?? '', /^CONFLICT .*typeName/, key)
  assert.equal(
    await errorOf({ key: 'odd', databaseId: 'db_1' }),
    'NOT_FOUND There is no such database. (input.databaseId)',
  )
  for (const [source, path] of [
    ['mutation { deleteCollection(id: "col_1") }', 'id'],
    ['mutation { updateCollection(input: { id: "col_1" }) { id } }', 'input.id'],
  ] as const) {
    assert.deepEqual((await operate(schemas, ctx, source)).errors, [`NOT_FOUND There is no such collection. (${path})`])
  }
  for (const id of ['col_1', 'a\\u0000'])
    assert.deepEqual((await operate(schemas, ctx, `{ collection(id: "${id}") { id } }`)).data, { collection: null })
})

const watch =
  'subscription ($id: ID, $after: String) { collectionChanged(id: $id, after: $after) { cursor kind id event at node { status } } }'

async function next(stream: Payloads) {
  const { value } = await within(stream.next(), 5_000, 'nothing came')
  assert.deepEqual(value?.errors, [])
  return value?.data?.collectionChanged
}

test('who watches a collection is told when it is there, and can go on from a cursor', async () => {
  const all = await listen(schemas, ctx, watch)
  const { data } = await create({ key: 'watched', attributes: [{ key: 'title', type: 'BOOLEAN' }] })
  const { id } = data?.createCollection ?? {}
  const first = await next(all)
  assert.deepEqual([first.kind, first.id], ['CREATED', id])
  assert.equal(first.event, `databases.${databaseId}.collections.watched.created`)
  const other = await create({ key: 'others' })
  const one = await listen(schemas, ctx, watch, { id, after: first.cursor })
  assert.match((await next(one)).event, /attributes\.title\.created$/)
  await applyAll()
  const changes = [await next(one), await next(one)]
  assert.deepEqual(
    changes.map((change) => [change.kind, change.id, change.node]),
    [
      ['UPDATED', id, { status: 'AVAILABLE' }],
      ['UPDATED', id, { status: 'AVAILABLE' }],
    ],
  )
  await operate(schemas, ctx, 'mutation ($id: ID!) { deleteCollection(id: $id) }', {
    id: other.data?.createCollection.id,
  })
  await operate(schemas, ctx, 'mutation ($id: ID!) { deleteCollection(id: $id) }', { id })
  await applyAll()
  const last = await next(one)
  assert.deepEqual([last.kind, last.id, last.node], ['DELETED', id, null])
  await all.return()
  await one.return()
})

test('nobody watches who may not read, and a cursor that was never given is refused', async () => {
  await assert.rejects(listen(schemas, ctx, watch, { after: 'made.up' }), /cursor/)
  for (const actor of [null, { kind: 'key', id: 'key_1', scopes: new Set(['documents.read']) } as const]) {
    await assert.rejects(listen(schemas, world.context(ctx.projectId, actor), watch))
  }
})
