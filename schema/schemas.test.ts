import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import { type GraphQLSchema, isObjectType, printSchema, validateSchema } from 'graphql'
import { type App, createApp } from '../src/app.ts'
import { type Context, sqlTransaction } from '../src/context.ts'
import { parseDocument } from '../src/http/document.ts'
import { faultsOf, homeOf } from '../src/http/valid.ts'
import { raiseRevision } from '../src/modules/databases/revision.ts'
import { type Blog, createBlog } from '../src/testing/blog.ts'
import { createCollections } from '../src/testing/collections.ts'
import { operate } from '../src/testing/operation.ts'
import { oldUntil } from '../src/testing/outdated.ts'
import { createWorld, type World } from '../src/testing/world.ts'
import { type Relay, startRelay } from '../workers/relay.ts'
import { createSchemas, type Schemas } from './schemas.ts'

let world: World
let other: App
let relay: Relay
let blog: Blog
let schemas: Schemas
let elsewhere: Schemas

before(async () => {
  world = await createWorld()
  other = await createApp(world.env, 'other')
  relay = startRelay(world.app)
  blog = await createBlog(world)
  schemas = createSchemas(world.app)
  elsewhere = createSchemas(other)
})

after(async () => {
  await schemas.close()
  await elsewhere.close()
  await relay.stop()
  await other.close()
  await world.close()
})

const named = (schema: GraphQLSchema) => Object.keys(schema.getTypeMap())

test("a project's schema is a valid one, and says everything", async () => {
  for (const ctx of [
    blog.owner,
    blog.as(null),
    blog.as('ann'),
    blog.key('documents.read'),
    blog.key('documents.write'),
  ]) {
    const schema = await schemas.for(ctx)
    assert.deepEqual(validateSchema(schema), [])
    for (const type of Object.values(schema.getTypeMap())) {
      if (!/^(Create|Update)?(Post|Comment|Author)/.test(type.name)) continue
      assert.ok(type.description, type.name)
      for (const field of 'getFields' in type ? Object.values(type.getFields()) : []) {
        assert.ok(field.description, `${type.name}.${field.name}`)
        for (const arg of 'args' in field ? field.args : [])
          assert.ok(arg.description, `${type.name}.${field.name}(${arg.name})`)
      }
    }
  }
})

test('each audience is shown what it may use, and no more', async () => {
  const roots = async (ctx: Context) => {
    const schema = await schemas.for(ctx)
    return [schema.getQueryType(), schema.getMutationType(), schema.getSubscriptionType()].flatMap((type) =>
      Object.keys(type?.getFields() ?? {}),
    )
  }
  const [owner, guest, user, reader, writer, none] = await Promise.all(
    [
      blog.owner,
      blog.as(null),
      blog.as('ann'),
      blog.key('documents.read'),
      blog.key('documents.write'),
      blog.key('users.read'),
    ].map(roots),
  )
  const has = (fields: string[] | undefined, ...names: string[]) => names.map((name) => fields?.includes(name))
  assert.deepEqual(has(owner, 'notes', 'createNote', 'posts', 'postChanged'), [true, true, true, true])
  assert.deepEqual(
    has(
      guest,
      'authors',
      'author',
      'authorChanged',
      'createAuthor',
      'posts',
      'notes',
      'createPost',
      'users',
      'projects',
    ),
    [true, true, true, false, false, false, false, false, false],
  )
  assert.deepEqual(
    has(
      user,
      'authors',
      'posts',
      'createPost',
      'updatePost',
      'deletePost',
      'createAuthor',
      'notes',
      'createNote',
      'users',
    ),
    [true, true, true, true, true, true, false, false, false],
  )
  assert.deepEqual(has(reader, 'notes', 'createNote', 'users'), [true, false, false])
  assert.deepEqual(has(writer, 'notes', 'createNote'), [false, true])
  assert.deepEqual(has(none, 'notes', 'createNote', 'users'), [false, false, true])
  const console = await schemas.for(world.context('console'))
  assert.deepEqual(
    named(console).filter((name) => /Post|Author|User$/.test(name)),
    [],
  )
})

test('a guest finds no name of what guests cannot use in any byte of the schema', async () => {
  const text = printSchema(await schemas.for(blog.as(null)))
  for (const word of ['Post', 'Comment', 'Note', 'note', 'createKey', 'Member', 'Project', 'ApiKey', 'CreateAuthor'])
    assert.doesNotMatch(text, new RegExp(word), word)
})

test('a schema that did not change is the same object, for all callers of a class', async () => {
  const schema = await schemas.for(blog.as('ann'))
  assert.equal(await schemas.for(blog.as('bob', ['staff'])), schema)
  assert.notEqual(await schemas.for(blog.as(null)), schema)
})

test("what asks for nothing that is a project's own is validated once for all projects", async () => {
  const schema = await schemas.for(blog.as('ann'))
  const { base } = schema.extensions
  const own = [
    '{ __typename account { id } }',
    'mutation ($i: UpdateAccountInput!) { updateAccount(input: $i) { id } }',
  ]
  const others = [
    '{ posts { nodes { id } } }',
    '{ account { id } posts { nodes { id } } }',
    '{ __schema { queryType { name } } }',
  ]
  const wrong = [
    '{ account { no } }',
    '{ no }',
    '{ account { ...F } } fragment F on Post { id }',
    'subscription { no }',
  ]
  for (const text of own) assert.equal(homeOf(schema, parseDocument(text)), base, text)
  for (const text of [...others, ...wrong]) assert.equal(homeOf(schema, parseDocument(text)), schema, text)
  for (const text of [...own, ...others]) assert.deepEqual(faultsOf(schema, parseDocument(text)), [], text)
  for (const text of wrong) assert.equal(faultsOf(schema, parseDocument(text)).length, 1, text)
})

/** How long until a node answers this. */
async function until(answers: () => Promise<boolean>): Promise<number> {
  const ms = await oldUntil(answers, (isNew) => !isNew)
  assert.ok(Number.isFinite(ms), 'it never came')
  return ms
}

test('every node has a changed schema within a second', async (t) => {
  const { projectId, owner } = await world.createProject()
  await createCollections(owner, {
    cities: { attributes: { name: { type: 'STRING' } } },
    rivers: { attributes: { name: { type: 'STRING' } } },
    bridges: { attributes: { river: { type: 'RELATION', to: 'rivers', reverseKey: 'bridges' } } },
  })
  const nodes = [schemas, elsewhere]
  for (const node of nodes) await node.for(owner)
  const river = await world.app.db.collection.findFirstOrThrow({ where: { projectId, key: 'rivers' } })
  await world.app.sql.query(`alter table "${projectId}"."${river.id}" add column length int4`)
  await world.app.db.attribute.create({
    data: {
      id: 'att_length',
      projectId,
      collectionId: river.id,
      key: 'length',
      column: 'length',
      type: 'INTEGER',
      status: 'AVAILABLE',
    },
  })
  await sqlTransaction(owner, raiseRevision)
  const waits = await Promise.all(
    nodes.map((node) =>
      until(async () => (await operate(node, owner, '{ rivers { nodes { length } } }')).errors.length === 0),
    ),
  )
  t.diagnostic(`seen after ${waits.map((ms) => `${ms.toFixed(0)} ms`).join(' and ')}`)
  assert.ok(Math.max(...waits) < 1_000)
  for (const node of nodes) assert.deepEqual(validateSchema(await node.for(owner)), [])
  assert.equal(
    (await operate(schemas, owner, 'mutation { createBridge(input: {}) { river { length } } }')).errors.length,
    0,
  )
})

test('a permission that is taken away is gone on every node within a second', async () => {
  const guest = blog.as(null)
  assert.equal((await operate(elsewhere, guest, '{ authors { totalCount } }')).errors.length, 0)
  const set = async (permissions: string[]) => {
    await world.app.db.collection.update({ where: { id: blog.ids.authors ?? '' }, data: { permissions } })
    await sqlTransaction(blog.owner, raiseRevision)
  }
  await set(['read:users'])
  assert.ok(
    (await until(async () => (await operate(elsewhere, guest, '{ authors { totalCount } }')).errors.length > 0)) <
      1_000,
  )
  assert.equal((await elsewhere.for(guest)).getType('Author'), undefined)
  await set(['read:any', 'write:label:staff'])
  await until(async () => (await operate(schemas, guest, '{ authors { totalCount } }')).errors.length === 0)
})

test('what a schema lists does not tell what it was asked before', async () => {
  const { owner } = await world.createProject()
  const names = ['apples', 'pears', 'plums']
  await createCollections(owner, Object.fromEntries(names.map((name) => [name, { attributes: {} }])))
  const [asked, fresh] = await Promise.all([schemas.for(owner), elsewhere.for(owner)])
  const mutations = asked.getMutationType()?.getFields() ?? {}
  assert.ok('createPlum' in mutations && !('createPeach' in mutations))
  assert.equal(mutations.createPlum?.name, 'createPlum')
  assert.ok(asked.getType('PlumWhere') && asked.getType('PlumEdge') && asked.getType('DateTime'))
  assert.equal(asked.getType('Peach'), undefined)
  assert.equal(asked.getType('Query'), asked.getQueryType())
  assert.equal(printSchema(asked), printSchema(fresh))
  assert.equal(asked.getQueryType()?.getFields().plums, asked.getQueryType()?.getFields().plums)
})

test('200 collections of 10 attributes: the first schema, and one after a change', async (t) => {
  const { projectId, owner } = await world.createProject()
  const types = ['STRING', 'INTEGER', 'BOOLEAN', 'DATETIME'] as const
  const key = (i: number) =>
    `things${'abcdefghij'[Math.floor(i / 100)]}${'abcdefghij'[Math.floor(i / 10) % 10]}${'abcdefghij'[i % 10]}s`
  await world.app.db.database.create({ data: { id: 'db_200', projectId, key: 'many', name: 'Many' } })
  const rows = Array.from({ length: 200 }, (_, i) => ({
    id: `col_${i}`,
    projectId,
    databaseId: 'db_200',
    key: key(i),
    typeName: `Thing${i}`,
    name: 'x',
    permissions: ['read:any'],
    documentPermissions: false,
    status: 'AVAILABLE' as const,
  }))
  await world.app.db.collection.createMany({ data: rows })
  await world.app.db.attribute.createMany({
    data: rows.flatMap(({ id: collectionId }, i) =>
      Array.from({ length: 10 }, (_, j) => {
        const related = j === 9 && i % 10 > 0
        return {
          id: `att_${i}_${j}`,
          projectId,
          collectionId,
          key: `field${j}`,
          column: `field${j}`,
          status: 'AVAILABLE' as const,
          size: null,
          type: related ? ('RELATION' as const) : (types[j % 4] ?? 'STRING'),
          relatedCollectionId: related ? `col_${i - 1}` : null,
          reverseKey: related ? `reverse${j}` : null,
        }
      }),
    ),
  })
  await sqlTransaction(owner, raiseRevision)
  const timed = async (ctx: Context) => {
    const begun = performance.now()
    const schema = await schemas.for(ctx)
    return { ms: performance.now() - begun, schema }
  }
  const first = await timed(owner)
  const again = await timed(owner)
  assert.equal(again.schema, first.schema)
  const guest = await timed(world.context(projectId))
  t.diagnostic(
    `${named(first.schema).length} types: first ${first.ms.toFixed(0)} ms, unchanged ${again.ms.toFixed(2)} ms, for guests ${guest.ms.toFixed(0)} ms`,
  )
  for (let i = 0; i < 3; i++) {
    await world.app.db.attribute.update({ where: { id: 'att_77_0' }, data: { key: `renamed${i}` } })
    await sqlTransaction(owner, raiseRevision)
    let changed = await timed(owner)
    await until(async () => {
      changed = await timed(owner)
      const type = changed.schema.getType('Thing77')
      return isObjectType(type) && `renamed${i}` in type.getFields()
    })
    t.diagnostic(`after a change of one: ${changed.ms.toFixed(0)} ms`)
    assert.deepEqual(validateSchema(changed.schema), [])
  }
})
