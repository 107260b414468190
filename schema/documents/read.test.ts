import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import { type Blog, createBlog } from '../../src/testing/blog.ts'
import { operate } from '../../src/testing/operation.ts'
import { statements } from '../../src/testing/statements.ts'
import { createWorld, type World } from '../../src/testing/world.ts'
import { createSchemas, type Schemas } from '../schemas.ts'

let world: World
let blog: Blog
let schemas: Schemas

before(async () => {
  world = await createWorld()
  blog = await createBlog(world)
  schemas = createSchemas(world.app)
  const make = async (source: string) =>
    assert.deepEqual((await operate(schemas, blog.owner, `mutation { ${source} { id } }`)).errors, [])
  for (const name of ['Ann', 'Bob']) await make(`createAuthor(input: { id: "${name}", name: "${name}" })`)
  for (let i = 0; i < 6; i++) {
    await make(
      `createPost(input: { id: "p${i}", title: "Post ${i}", views: ${i}, author: "${i % 2 ? 'Bob' : 'Ann'}", published: "2026-01-0${i + 1}T12:00:00.5+01:00" })`,
    )
    for (let j = 0; j < i; j++)
      await make(`createComment(input: { id: "c${i}${j}", body: "Comment ${j}", post: "p${i}" })`)
  }
})

after(async () => {
  await schemas.close()
  await world.close()
})

const ask = (source: string, variables = {}) => operate(schemas, blog.owner, source, variables)

test('a root field is one statement, whatever its depth', async () => {
  const source = `{
    posts(orderBy: [{ views: DESC }], first: 3) {
      totalCount
      pageInfo { hasNextPage hasPreviousPage startCursor endCursor }
      edges { cursor node { title } }
      nodes { title author { name posts(where: { views: { gt: 2 } }, first: 2) { totalCount nodes { title comments(first: 1) { pageInfo { hasNextPage } nodes { body post { id } } } } } } }
    }
  }`
  await ask(source)
  const { result, texts } = await statements(() => ask(source))
  assert.deepEqual(result.errors, [])
  assert.equal(texts.length, 1, texts.join('\n'))
  const { posts } = result.data ?? {}
  assert.equal(posts.totalCount, 6)
  assert.deepEqual(posts.nodes[0], {
    title: 'Post 5',
    author: {
      name: 'Bob',
      posts: {
        totalCount: 2,
        nodes: [
          {
            title: 'Post 3',
            comments: { pageInfo: { hasNextPage: true }, nodes: [{ body: 'Comment 0', post: { id: 'p3' } }] },
          },
          {
            title: 'Post 5',
            comments: { pageInfo: { hasNextPage: true }, nodes: [{ body: 'Comment 0', post: { id: 'p5' } }] },
          },
        ],
      },
    },
  })
  assert.deepEqual(
    posts.edges.map(({ node }: { node: { title: string } }) => node.title),
    ['Post 5', 'Post 4', 'Post 3'],
  )
})

test('two root fields are two statements, and a schema that did not change costs none', async () => {
  const { texts } = await statements(() =>
    ask('{ a: post(id: "p1") { title } b: authors { nodes { name } } __typename errorCodes }'),
  )
  assert.equal(texts.length, 2)
})

test('nothing is counted or looked for that is not asked for', async () => {
  const { texts } = await statements(() => ask('{ posts(first: 2) { nodes { id } } }'))
  assert.doesNotMatch(texts[0] ?? '', /count\(|cursor|limit 3/)
})

test('aliases, fragments, variables, directives and __typename', async () => {
  const { data, errors } = await ask(
    `query ($n: Int!, $yes: Boolean!, $where: PostWhere) {
      list: posts(first: $n, where: $where) { __typename some: nodes { ...P } same: nodes { t2: title } nodes @skip(if: $yes) { id } edges { __typename at: cursor n: node { id } n: node { views } } pageInfo { more: hasNextPage } }
    }
    fragment P on Post { __typename t1: title title @include(if: $yes) author { ...A } author { n2: name } comments(first: 1) { first: nodes { b: body } all: totalCount } ... on Post { __proto__: views constructor: views } }
    fragment A on Author { n1: name posts(first: 1) { nodes { id } } }`,
    { n: 1, yes: true, where: { views: { gte: 4 } } },
  )
  assert.deepEqual(errors, [])
  const [edge] = data?.list.edges ?? []
  assert.ok(edge.at)
  assert.deepEqual(edge.n, { id: 'p4', views: 4 })
  assert.deepEqual(data?.list.same, [{ t2: 'Post 4' }])
  assert.deepEqual(data?.list.pageInfo, { more: true })
  const expected =
    '{"__typename":"Post","t1":"Post 4","title":"Post 4","author":{"n1":"Ann","posts":{"nodes":[{"id":"p0"}]},"n2":"Ann"},"comments":{"first":[{"b":"Comment 0"}],"all":4},"__proto__":4,"constructor":4}'
  assert.equal(JSON.stringify(data?.list.some[0]), expected)
})

test('more fields than one PostgreSQL function takes arguments', async () => {
  const names = Array.from({ length: 130 }, (_, i) => `${'a'.repeat(80)}${i}`)
  const { data, errors } = await ask(`{ post(id: "p1") { ${names.map((name) => `${name}: title`).join(' ')} } }`)
  assert.deepEqual(errors, [])
  assert.deepEqual(Object.keys(data?.post), names)
})

test('a moment is printed in UTC with milliseconds, wherever it is read', async () => {
  const { data } = await ask('{ post(id: "p0") { published createdAt } posts(first: 1) { nodes { published } } }')
  assert.equal(data?.post.published, '2026-01-01T11:00:00.500Z')
  assert.match(data?.post.createdAt, /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/)
  assert.equal(data?.posts.nodes[0].published, data?.post.published)
})

test('a filter through a relation', async () => {
  const ids = async (where: object) =>
    (await ask('query ($w: PostWhere) { posts(where: $w) { nodes { id } } }', { w: where })).data?.posts.nodes.map(
      (node: { id: string }) => node.id,
    )
  assert.deepEqual(await ids({ author: { name: { eq: 'Bob' } }, views: { lt: 4 } }), ['p1', 'p3'])
  assert.deepEqual(await ids({ or: [{ author: { name: { startsWith: 'A' } } }, { title: { contains: '5' } }] }), [
    'p0',
    'p2',
    'p4',
    'p5',
  ])
  assert.deepEqual(await ids({ not: { author: {} } }), [])
})

test('wrong arguments name their path and leave the rest of the answer', async () => {
  const { data, errors } = await ask(
    '{ a: author(id: "Ann") { name } post(id: "p1") { comments(first: 101) { totalCount } } }',
  )
  assert.deepEqual(errors, ['INVALID This lies between 0 and 100. (comments.first)'])
  assert.deepEqual(data, { a: { name: 'Ann' }, post: null })
})

const hostile = [
  "'",
  '"',
  '\\',
  "'; drop table projects; --",
  '$1',
  '%',
  '\u202e',
  '\n',
  '{}',
  '\u{1F600}',
  "E'\\''",
  '$' + '{1}',
  '/*',
]

test('a value is a value, whatever is in it', async () => {
  for (const [i, text] of hostile.entries()) {
    const input = { id: `h${i}`, title: text.slice(0, 20), slug: text }
    const created = await ask('mutation ($input: CreatePostInput!) { createPost(input: $input) { title slug } }', {
      input,
    })
    assert.deepEqual(created.data?.createPost, { title: input.title, slug: text })
    for (const operator of ['eq', 'contains', 'startsWith', 'endsWith', 'gte']) {
      const found = await ask(
        'query ($w: PostWhere) { posts(where: $w, orderBy: [{ slug: ASC }], first: 1) { nodes { title } edges { cursor } } }',
        { w: { slug: { [operator]: text }, id: { eq: `h${i}` } } },
      )
      assert.deepEqual(found.data?.posts.nodes, [{ title: input.title }], operator)
      const after = found.data?.posts.edges[0].cursor
      const beyond = await ask(
        'query ($a: String) { posts(orderBy: [{ slug: ASC }], last: 1, before: $a) { nodes { slug } } }',
        { a: after },
      )
      assert.deepEqual(beyond.errors, [])
    }
  }
  const { rows } = await world.app.sql.query('select count(*)::int as n from projects')
  assert.equal(rows[0].n, 2)
})

test('an id that cannot be one names nothing', async () => {
  for (const id of ['', 'x'.repeat(65), 'a b', "p1'", '\0', '../p1', '\ud800', '__proto__']) {
    assert.deepEqual(await ask('query ($id: ID!) { post(id: $id) { title } }', { id }), {
      data: { post: null },
      errors: [],
    })
  }
})

test("another project's types and rows answer what absent ones do", async () => {
  const other = await createBlog(world)
  await operate(schemas, other.owner, 'mutation { createPost(input: { id: "secret", title: "theirs" }) { id } }')
  for (const id of ['secret', 'absent']) {
    assert.deepEqual(await ask(`{ post(id: "${id}") { title } }`), { data: { post: null }, errors: [] })
    const update = await ask(`mutation { updatePost(input: { id: "${id}", title: "mine" }) { id } }`)
    assert.deepEqual(update, { data: null, errors: ['NOT_FOUND There is no such document. (input.id)'] })
    assert.deepEqual(await ask(`mutation { deletePost(id: "${id}") }`), {
      data: null,
      errors: ['NOT_FOUND There is no such document. (id)'],
    })
    const related = await ask(`mutation { createComment(input: { post: "${id}" }) { id } }`)
    assert.deepEqual(related, { data: null, errors: ['INVALID There is no such document. (input.post)'] })
  }
})
