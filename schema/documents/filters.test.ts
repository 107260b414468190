import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import { GraphQLInputObjectType } from 'graphql'
import type { Context } from '../../src/context.ts'
import { operatorsOf } from '../../src/documents/operators.ts'
import { types } from '../../src/documents/types.ts'
import { type Blog, createBlog } from '../../src/testing/blog.ts'
import { createCollections } from '../../src/testing/collections.ts'
import { listen, operate } from '../../src/testing/operation.ts'
import { createWorld, type World } from '../../src/testing/world.ts'
import { schema } from '../index.ts'
import { createSchemas, type Schemas } from '../schemas.ts'
import { createSharedTypes } from './shared.ts'

let world: World
let blog: Blog
let schemas: Schemas

before(async () => {
  world = await createWorld()
  blog = await createBlog(world)
  await createCollections(blog.owner, {
    workers: {
      permissions: ['read:users', 'write:label:staff'],
      attributes: {
        name: { type: 'STRING' },
        salary: { type: 'INTEGER', restricted: true, permissions: ['read:label:boss', 'update:label:boss'] },
        post: {
          type: 'RELATION',
          to: blog.ids.posts ?? '',
          reverseKey: 'editors',
          restricted: true,
          permissions: ['read:label:boss'],
        },
        twin: { type: 'RELATION', relation: 'ONE_TO_ONE', to: blog.ids.authors ?? '', reverseKey: 'worker' },
        tags: { type: 'STRING', list: true },
      },
    },
  })
  schemas = createSchemas(world.app)
  const make = async (source: string) =>
    assert.deepEqual((await operate(schemas, blog.owner, `mutation { ${source} { id } }`)).errors, [])
  for (const name of ['Ann', 'Bob', 'Cid']) await make(`createAuthor(input: { id: "${name}", name: "${name}" })`)
  for (let i = 0; i < 4; i++) {
    const readers = i % 2 ? '[{ right: READ, role: "users" }]' : '[]'
    await make(
      `createPost(input: { id: "p${i}", title: "Post ${i}", author: "${i % 2 ? 'Bob' : 'Ann'}", permissions: ${readers} })`,
    )
    await make(
      `createComment(input: { id: "c${i}", body: "${i < 2 ? 'good' : 'bad'}", post: "p${i}", permissions: ${readers} })`,
    )
    await make(`createComment(input: { id: "d${i}", body: "bad", post: "p${i}" })`)
  }
  await make('createWorker(input: { id: "w1", name: "Wu", salary: 9, twin: "Ann", tags: ["a", "b"] })')
})

after(async () => {
  await schemas.close()
  await world.close()
})

const ids = async (ctx: Context, list: string, where: object) => {
  const typeName = { posts: 'Post', authors: 'Author', workers: 'Worker' }[list]
  const { data, errors } = await operate(
    schemas,
    ctx,
    `query ($w: ${typeName}Where) { ${list}(where: $w) { nodes { id } } }`,
    { w: where },
  )
  return errors.length > 0 ? errors : data?.[list].nodes.map((node: { id: string }) => node.id)
}

test('a filter has a field for every operator, and no other', () => {
  const shared = createSharedTypes(schema)
  const namesOf = (filter: unknown) => {
    assert.ok(filter instanceof GraphQLInputObjectType)
    return Object.keys(filter.getFields())
      .filter((name) => name !== 'path')
      .sort()
  }
  for (const type of Object.keys(types) as (keyof typeof types)[]) {
    if (type === 'ENUM') continue
    assert.deepEqual(namesOf(shared.filters[type]), Object.keys(operatorsOf({ type, list: false })).sort(), type)
    const lists = shared.listFilters[type]
    if (lists) assert.deepEqual(namesOf(lists), Object.keys(operatorsOf({ type, list: true })).sort(), type)
  }
})

test('some, every and none of the related documents match', async () => {
  const { owner } = blog
  assert.deepEqual(await ids(owner, 'posts', { comments: { some: { body: { eq: 'good' } } } }), ['p0', 'p1'])
  assert.deepEqual(await ids(owner, 'posts', { comments: { every: { body: { eq: 'bad' } } } }), ['p2', 'p3'])
  assert.deepEqual(await ids(owner, 'posts', { comments: { none: { body: { eq: 'good' } } } }), ['p2', 'p3'])
  assert.deepEqual(await ids(owner, 'posts', { comments: { some: {}, none: { id: { in: ['c0', 'd2'] } } } }), [
    'p1',
    'p3',
  ])
  assert.deepEqual(await ids(owner, 'authors', { posts: { none: {} } }), ['Cid'])
  assert.deepEqual(await ids(owner, 'authors', { posts: { every: { title: { eq: 'no' } } } }), ['Cid'])
  assert.deepEqual(await ids(owner, 'authors', { posts: { some: { comments: { some: { body: { eq: 'good' } } } } } }), [
    'Ann',
    'Bob',
  ])
  assert.deepEqual(
    await ids(owner, 'authors', { not: { posts: { some: { comments: { every: { body: { icontains: 'BAD' } } } } } } }),
    ['Cid'],
  )
})

test('only related documents that the caller may read count', async () => {
  const reader = blog.as('reader')
  assert.deepEqual(await ids(reader, 'posts', { comments: { some: { body: { eq: 'bad' } } } }), ['p3'])
  assert.deepEqual(await ids(reader, 'posts', { comments: { every: { body: { eq: 'good' } } } }), ['p1'])
  assert.deepEqual(await ids(reader, 'posts', { comments: { none: { body: { eq: 'bad' } } } }), ['p1'])
  assert.deepEqual(await ids(reader, 'authors', { posts: { some: { title: { eq: 'Post 0' } } } }), [])
  assert.deepEqual(await ids(reader, 'authors', { posts: { every: { title: { startsWith: 'Post' } } } }), [
    'Ann',
    'Bob',
    'Cid',
  ])
})

test('the other end of a relation of one to one is one document', async () => {
  assert.deepEqual(await ids(blog.owner, 'authors', { worker: { name: { eq: 'Wu' } } }), ['Ann'])
  assert.deepEqual(await ids(blog.owner, 'authors', { not: { worker: {} } }), ['Bob', 'Cid'])
})

test('whoever may not read a field is refused a filter by it, whatever the documents are', async () => {
  const boss = blog.as('boss', ['boss'])
  const user = blog.as('user')
  const refusal = (key: string) => [`FORBIDDEN You may not read \`${key}\`, so you cannot ask by it.`]
  assert.deepEqual(await ids(boss, 'workers', { salary: { eq: 9 } }), ['w1'])
  for (const salary of [{ eq: 9 }, { eq: 8 }, { isNull: true }]) {
    assert.deepEqual(await ids(user, 'workers', { salary }), refusal('salary'))
    assert.deepEqual(
      await ids(user, 'workers', { or: [{ name: { eq: 'no' } }, { not: { salary } }] }),
      refusal('salary'),
    )
    assert.deepEqual(await ids(user, 'authors', { worker: { salary } }), refusal('salary'))
  }
  assert.deepEqual(await ids(user, 'workers', { post: {} }), refusal('post'))
  assert.deepEqual(await ids(user, 'posts', { editors: { none: {} } }), refusal('editors'))
  await assert.rejects(async () => {
    await (await listen(schemas, user, 'subscription { workerChanged(where: { salary: { eq: 9 } }) { id } }')).next()
  }, /FORBIDDEN You may not read `salary`/)
})

test('a pattern that is none is refused, with its path', async () => {
  const refused = ['INVALID This is not a regular expression of PostgreSQL.']
  const said = async (where: object) => (await ids(blog.owner, 'posts', where)) as string[]
  assert.deepEqual(await said({ title: { regex: '(' } }), [`${refused} (where.title.regex)`])
  assert.deepEqual(await said({ or: [{ title: { regex: 'x' } }, { author: { name: { regex: '[' } } }] }), [
    `${refused} (where.or.1.author.name.regex)`,
  ])
  assert.deepEqual(await said({ title: { regex: '^Post [01]$' } }), ['p0', 'p1'])
})

test('lists, words and live filters', async () => {
  const { owner } = blog
  assert.deepEqual(await ids(owner, 'workers', { tags: { has: 'a', length: { gte: 2, lt: 3 }, isEmpty: false } }), [
    'w1',
  ])
  assert.deepEqual(await ids(owner, 'workers', { tags: { hasNone: ['a'] } }), [])
  assert.deepEqual(await ids(owner, 'posts', { title: { search: { words: 'posts 1', language: 'ENGLISH' } } }), ['p1'])
  assert.deepEqual(await ids(owner, 'posts', { title: { search: { words: 'posts 1' } } }), [])
  for (const where of ['{ title: { regex: "x" } }', '{ title: { search: { words: "x" } } }']) {
    await assert.rejects(async () => {
      await (await listen(schemas, owner, `subscription { postChanged(where: ${where}) { id } }`)).next()
    }, /INVALID A live filter/)
  }
})

test('where there is an index for searching, its language is the one', async () => {
  const { projectId, owner } = await world.createProject()
  await createCollections(owner, {
    texts: {
      attributes: { body: { type: 'TEXT' } },
      indexes: { words: { type: 'FULLTEXT', attributes: ['body'], language: 'english' } },
    },
  })
  const ctx = world.context(projectId, {
    kind: 'key',
    id: 'key_1',
    scopes: new Set(['documents.read', 'documents.write']),
  })
  await operate(schemas, ctx, 'mutation { createText(input: { id: "t", body: "running dogs" }) { id } }')
  const { data } = await operate(
    schemas,
    ctx,
    '{ texts(where: { body: { search: { words: "dog run" } } }) { nodes { id } } }',
  )
  assert.deepEqual(data?.texts.nodes, [{ id: 't' }])
})

test('an order by related documents takes unreadable ones for none, and refuses unreadable fields', async () => {
  const list = async (ctx: Context, source: string) => {
    const { data, errors } = await operate(schemas, ctx, source)
    return errors.length > 0 ? errors : data?.list.nodes.map((node: { id: string }) => node.id)
  }
  const comments = (order: string) =>
    `{ list: comments(where: { id: { between: ["c", "d"] } }, orderBy: [${order}]) { nodes { id } } }`
  assert.deepEqual(await list(blog.owner, comments('{ post: { author: { name: DESC } } }, { id: ASC }')), [
    'c1',
    'c3',
    'c0',
    'c2',
  ])
  assert.deepEqual(await list(blog.owner, comments('{ post: { title: DESC } }')), ['c3', 'c2', 'c1', 'c0'])
  const reader = blog.as('reader')
  const grant = `mutation { updateComment(input: { id: "c2", permissions: [{ right: READ, role: "users" }] }) { id } }`
  assert.deepEqual((await operate(schemas, blog.owner, grant)).errors, [])
  assert.deepEqual(await list(reader, comments('{ post: { title: ASC } }')), ['c1', 'c3', 'c2'])
  for (const order of ['{ salary: ASC }', '{ post: { title: ASC } }', '{ twin: { worker: { salary: DESC } } }']) {
    const key = order.includes('salary') ? 'salary' : 'post'
    const source = `{ list: workers(orderBy: [${order}]) { nodes { id } } }`
    assert.deepEqual(await list(blog.as('user'), source), [
      `FORBIDDEN You may not read \`${key}\`, so you cannot ask by it.`,
    ])
  }
})
