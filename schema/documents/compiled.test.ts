import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import type { Context } from '../../src/context.ts'
import { isRaw } from '../../src/http/stream.ts'
import { createGraphql, type Graphql } from '../../src/server.ts'
import { type Blog, createBlog } from '../../src/testing/blog.ts'
import { createCollections } from '../../src/testing/collections.ts'
import { operate } from '../../src/testing/operation.ts'
import { statements } from '../../src/testing/statements.ts'
import { createWorld, type World } from '../../src/testing/world.ts'
import { createSchemas, type Schemas } from '../schemas.ts'

let world: World
let blog: Blog
let schemas: Schemas
let compiled: Graphql
let ordinary: Graphql

before(async () => {
  world = await createWorld()
  blog = await createBlog(world)
  schemas = createSchemas(world.app)
  compiled = createGraphql(world.app)
  ordinary = createGraphql(world.app, undefined, { plans: false })
  const make = async (source: string) =>
    assert.deepEqual((await operate(schemas, blog.owner, `mutation { ${source} { id } }`)).errors, [])
  for (const name of ['Ann', 'Bob']) await make(`createAuthor(input: { id: "${name}", name: "${name}" })`)
  const readers = ['any', 'users', 'user:ann']
  for (let i = 0; i < 6; i++) {
    const permissions = `permissions: [{ right: READ, role: "${readers[i % 3]}" }]`
    await make(
      `createPost(input: { id: "p${i}", title: "Post ${i}", views: ${i}, author: "${i % 2 ? 'Bob' : 'Ann'}", ${permissions} })`,
    )
    for (let j = 0; j < i; j++)
      await make(`createComment(input: { id: "c${i}${j}", body: "Comment ${j}", post: "p${i}", ${permissions} })`)
  }
})

after(async () => {
  for (const one of [compiled, ordinary, schemas]) await one.close()
  await world.close()
})

type Variables = Record<string, unknown>

const run = async (graphql: Graphql, ctx: Context, query: string, variables: Variables) => {
  const answer = await graphql.run({ ...ctx }, { query, variables }, ['query'])
  return { isRaw: isRaw(answer), json: isRaw(answer) ? answer.json : JSON.stringify(answer) }
}

/** Asks on both paths, twice, since the second time finds what the first has made. */
async function same(ctx: Context, query: string, variables: Variables = {}, raw = true): Promise<string> {
  const expected = await run(ordinary, ctx, query, variables)
  for (let i = 0; i < 2; i++) {
    const answer = await run(compiled, ctx, query, variables)
    assert.equal(answer.json, expected.json)
    assert.equal(answer.isRaw, raw, query)
  }
  return expected.json
}

test('both paths answer the same bytes', async () => {
  for (const ctx of [blog.as('ann'), blog.as('bob', ['staff']), blog.owner, blog.key('documents.read')]) {
    await same(ctx, '{ posts(orderBy: [{ views: DESC }]) { nodes { id title views author { name } } } }')
    await same(
      ctx,
      `query ($n: Int, $w: PostWhere, $c: String) { all: posts(first: $n, where: $w, after: $c) { __typename totalCount
        edges { cursor node { __typename t: title permissions { r: right __typename role } } }
        pageInfo { __typename next: hasNextPage hasPreviousPage startCursor endCursor } } }`,
      { n: 2, w: { or: [{ title: { contains: 'o' } }, { views: { in: [1, 2] } }] } },
    )
    await same(
      ctx,
      'query ($id: ID!) { post(id: $id) { ...F } none: post(id: "none") { id } } fragment F on Post { id version }',
      { id: 'p1' },
    )
    await same(ctx, 'query ($yes: Boolean!) { posts { nodes { id @include(if: $yes) title @skip(if: $yes) } } }', {
      yes: true,
    })
  }
})

test('a value is a value, and what is wrong is told by ordinary execution', async () => {
  const { owner } = blog
  const where = 'query ($t: String) { posts(where: { title: { eq: $t } }) { totalCount } }'
  for (const t of ["'; drop table x; --", '"', '\\', 'é\u0001', '$1']) await same(owner, where, { t })
  await same(owner, where, { t: null }, false)
  await same(owner, where, { t: 'a\0' }, false)
  await same(owner, where, { t: 5 }, false)
  await same(owner, '{ posts(first: 101) { totalCount } }', {}, false)
  await same(owner, 'query ($n: Int) { posts(first: $n) { totalCount } }', { n: -1 }, false)
  await same(owner, 'query ($c: String) { posts(after: $c) { nodes { id } } }', { c: 'no cursor' }, false)
  await same(owner, '{ posts { nodes { nothing } } }', {}, false)
})

test('null and zero, absent and given, are different values, whichever comes first', async () => {
  const lists = [
    'posts(first: $n) { nodes { id } }',
    'postsAggregate(groupBy: [{ title: VALUE }], first: $n) { count }',
  ]
  const orders = [
    [null, 0, undefined],
    [0, null, 1],
    [undefined, 0, null],
  ]
  for (const list of lists)
    for (const [i, values] of orders.entries())
      for (const n of values) await same(blog.owner, `query Q${i}($n: Int) { ${list} }`, n === undefined ? {} : { n })
})

test('a cursor in a variable, in an order with nulls and in one without', async () => {
  for (const orderBy of ['[{ views: ASC }]', '[{ published: DESC }, { title: ASC }]']) {
    const query = `query ($c: String) { posts(orderBy: ${orderBy}, first: 2, after: $c) { nodes { id } pageInfo { endCursor } } }`
    let c: string | null = null
    const seen: string[] = []
    for (let i = 0; i < 4; i++) {
      const answer: string = await same(blog.owner, query, { c })
      const { posts } = JSON.parse(answer).data
      seen.push(...posts.nodes.map(({ id }: { id: string }) => id))
      c = posts.pageInfo.endCursor ?? c
    }
    assert.equal(new Set(seen).size, 6)
    assert.equal(seen.length, 6)
  }
})

test('callers of one schema with other rights are not given each others statements', async () => {
  const query = '{ posts { totalCount nodes { id } } }'
  const counts = new Map<string, number>()
  for (let round = 0; round < 2; round++) {
    for (const name of ['ann', 'bob', 'cid']) {
      counts.set(name, JSON.parse(await same(blog.as(name), query)).data.posts.totalCount)
    }
  }
  assert.deepEqual([...counts.values()], [6, 4, 4])
})

test('an encrypted field is left to ordinary execution, and opened', async () => {
  const { projectId, owner } = await world.createProject()
  await createCollections(owner, { secrets: { permissions: ['read:any'], attributes: { text: { type: 'STRING' } } } })
  const attribute = await owner.db.attribute.findFirstOrThrow({ where: { projectId } })
  await owner.db.attribute.update({ where: { id: attribute.id }, data: { encrypted: true } })
  await owner.db.project.update({ where: { id: projectId }, data: { schemaRevision: { increment: 1 } } })
  const asked = await same(owner, '{ secrets { nodes { text } } }', {}, false)
  assert.deepEqual(JSON.parse(asked).data, { secrets: { nodes: [] } })
})

test('one statement for each root field, to a depth of six, on both paths', async () => {
  const levels = [
    'author { name',
    'posts(first: 2) { nodes { title',
    'comments(first: 2) { nodes { body',
    'post { title',
    'author { name',
    'posts(first: 2) { nodes { id',
  ]
  for (let depth = 0; depth <= 6; depth++) {
    const inner = levels
      .slice(0, depth)
      .map((level) => ` ${level}`)
      .join('')
    const open = [...inner].filter((character) => character === '{').length
    const query = `{ posts(first: 3) { nodes { id${inner}${' }'.repeat(open)} } } }`
    await same(blog.owner, query)
    for (const graphql of [compiled, ordinary]) {
      const { texts } = await statements(() => run(graphql, blog.owner, query, {}))
      assert.equal(texts.length, 1, `depth ${depth}`)
    }
  }
})

test('documents are created by one statement that answers, and by ordinary execution what it cannot serve', async () => {
  const ctx = blog.as('dan')
  const create = async (graphql: Graphql, query: string, variables: Variables) => {
    const answer = await graphql.run({ ...ctx }, { query, variables }, ['mutation'])
    return isRaw(answer) ? { isRaw: true, json: answer.json } : { isRaw: false, json: JSON.stringify(answer) }
  }
  const both = async (query: string, variables: Variables, raw: boolean) => {
    const { result, texts } = await statements(() => create(compiled, query, variables))
    assert.equal(result.isRaw, raw, result.json)
    assert.equal(result.json, (await create(ordinary, query, variables)).json)
    return texts
  }
  const one =
    'mutation ($i: CreatePostInput!) { made: createPost(input: $i) { title views author { name } __typename } }'
  await both(one, { i: { title: 'é"\u0001', author: 'Ann' } }, true)
  assert.equal((await both(one, { i: { title: 'Two', views: 2 } }, true)).length, 1)
  const many = 'mutation ($i: [CreatePostInput!]!) { createPosts(inputs: $i) { title permissions { right role } } }'
  assert.equal((await both(many, { i: [{ title: '1' }, { title: '2', views: null }] }, true)).length, 1)
  await both(many, { i: [] }, true)
  await both('mutation ($t: String!) { createPost(input: { title: $t }) { title } }', { t: 'Three' }, true)
  await both(one, { i: { title: 'x'.repeat(21) } }, false)
  await both(one, { i: { title: 'x', author: 'nobody' } }, false)
  await both(one, { i: { title: null } }, false)
  await both(many, { i: [{ title: '1' }, { title: '2', author: 'nobody' }] }, false)
  await both('mutation { createPost(input: { title: "x" }) { title comments { totalCount } } }', {}, false)
  const { rows } = await world.app.sql.query(
    `select count(*)::int as posts, (select count(*)::int from events.outbox where type = 'documents.created' and "actorId" = 'dan') as events
     from "${blog.projectId}"."${blog.ids.posts}" where 'user:dan' = any ("_read")`,
  )
  assert.deepEqual(rows, [{ posts: 12, events: 12 }])
  const twice = 'mutation ($i: CreatePostInput!) { createPost(input: $i) { id } }'
  assert.equal((await create(compiled, twice, { i: { id: 'same', title: 'x' } })).isRaw, true)
  assert.match((await create(compiled, twice, { i: { id: 'same', title: 'x' } })).json, /"CONFLICT"/)
  const got = await compiled.run({ ...ctx }, { query: one, variables: { i: { title: 'x' } } }, ['query'])
  assert.equal(isRaw(got), false)
})

test('names of every object of JavaScript are aliases, fragments and variables like others', async () => {
  const source = `query ($first: Int, $constructor: ID!, $valueOf: Int, $toString: String) {
    __proto__: authors(first: $first, where: { name: { eq: $toString } }) { constructor: nodes { ...__proto__ } }
    toString: author(id: $constructor) { ...__proto__ valueOf: posts(first: $valueOf) { nodes { id } } }
  } fragment __proto__ on Author { __proto__: name hasOwnProperty: id }`
  const answer = await same(blog.owner, source, { first: 1, constructor: 'Ann' })
  assert.match(answer, /"__proto__":\{"constructor":\[\{"__proto__":"Ann","hasOwnProperty":"Ann"\}\]\}/)
})
