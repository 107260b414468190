import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { buildSchema, getIntrospectionQuery, parse, validate } from 'graphql'
import { schema as api } from '../../schema/index.ts'
import { LimitExceeded } from '../errors.ts'
import { type Cost, compileCost, costOf, requireCost } from './cost.ts'
import { parseDocument } from './document.ts'
import { costLimits, limits } from './limits.ts'

const schema = buildSchema(`
  input Text { eq: String in: [String!] search: String }
  input PostWhere { title: Text comments: CommentsWhere or: [PostWhere!] }
  input CommentsWhere { some: PostWhere every: PostWhere none: PostWhere count: Number }
  input Number { gt: Int }
  input PostOrder { title: String random: Boolean }
  input PostInput { title: String author: AuthorInput comments: CommentsInput }
  input AuthorInput { connect: ID create: PostInput }
  input CommentsInput { create: [PostInput!] }
  interface Named { name: String }
  type Permission { role: String }
  type PageInfo { hasNextPage: Boolean }
  type Author implements Named { id: ID name: String posts(where: PostWhere, first: Int, last: Int): PostConnection! }
  type Post { id: ID title: String tags: [String!]! permissions: [Permission!]! author: Author
    comments(where: PostWhere, first: Int, last: Int, offset: Int): PostConnection! }
  type PostEdge { cursor: String node: Post! }
  type PostConnection { nodes: [Post!]! edges: [PostEdge!]! pageInfo: PageInfo! totalCount: Int! aggregate: PostAggregate! }
  type PostAggregate { count: Int title: String }
  type PostBulkResult { count: Int! }
  type PostChange { kind: String node: Post }
  type Query {
    post(id: ID!): Post
    named: Named
    posts(where: PostWhere, orderBy: [PostOrder!], first: Int, last: Int, offset: Int): PostConnection!
    postsAggregate(where: PostWhere, groupBy: [String!], first: Int): [PostAggregate!]!
  }
  type Mutation {
    createPost(input: PostInput!): Post!
    createPosts(inputs: [PostInput!]!): [Post!]!
    updatePosts(where: PostWhere!, set: PostInput!): PostBulkResult!
    deletePost(id: ID!): ID!
  }
  type Subscription { postChanged(where: PostWhere): PostChange }
`)

function cost(text: string, variables: Record<string, unknown> = {}, operationName?: string): Cost {
  const document = parse(text)
  assert.deepEqual(validate(schema, document), [], text)
  const known = costOf(schema, document, operationName, variables)
  assert.deepEqual(costOf(schema, document, operationName, variables), known, 'the same from the cache')
  return known
}
const requested = (text: string, variables = {}) => cost(text, variables).requested

describe('the cost of a query', () => {
  const cases: Record<string, { text: string; variables?: Record<string, unknown>; expected: number }> = {
    'one thing': { text: '{ post(id: 1) { id title tags permissions { role } } }', expected: 1 },
    'one thing and another': { text: '{ post(id: 1) { author { name } } }', expected: 2 },
    'a page is 25': { text: '{ posts { nodes { id } } }', expected: 1 + 25 },
    'a page as long as first says': { text: '{ posts(first: 3) { nodes { id } } }', expected: 1 + 3 },
    'last too': { text: '{ posts(last: 4) { nodes { id } } }', expected: 1 + 4 },
    'of no more than 100': { text: '{ posts(first: 2000000000) { nodes { id } } }', expected: 101 },
    'an empty page': { text: '{ posts(first: 0) { nodes { id author { id } } } }', expected: 1 },
    'edges and page info': {
      text: '{ posts(first: 2) { edges { cursor node { author { id } } } pageInfo { hasNextPage } } }',
      expected: 1 + 2 * 2,
    },
    'pages within pages multiply': {
      text: '{ posts(first: 10) { nodes { author { posts(first: 5) { nodes { comments(first: 2) { nodes { id } } } } } } } }',
      expected: 1 + 10 * (1 + 1 + 1 + 5 * (1 + 1 + 2)),
    },
    'a variable': { text: 'query ($n: Int) { posts(first: $n) { nodes { id } } }', variables: { n: 7 }, expected: 8 },
    'a variable that is not given': { text: 'query ($n: Int) { posts(first: $n) { nodes { id } } }', expected: 26 },
    'a variable that is null': {
      text: 'query ($n: Int) { posts(first: $n) { nodes { id } } }',
      variables: { n: null },
      expected: 26,
    },
    "a variable's default": { text: 'query ($n: Int = 9) { posts(first: $n) { nodes { id } } }', expected: 10 },
    'nonsense, which is refused later': {
      text: 'query ($n: Int) { posts(first: $n) { nodes { id } } }',
      variables: { n: 'many' },
      expected: 26,
    },
    'the number of all': { text: '{ posts { totalCount } }', expected: 51 },
    'the number of all, of each': {
      text: '{ posts(first: 10) { nodes { comments { totalCount } } } }',
      expected: 1 + 10 * 52,
    },
    aggregates: { text: '{ postsAggregate(groupBy: ["title"], first: 10) { count } }', expected: 1 + 100 + 10 },
    'a count of related rows': {
      text: '{ posts(first: 1, where: { comments: { count: { gt: 1 } } }) { nodes { id } } }',
      expected: 13,
    },
    'aggregates of each': {
      text: '{ posts(first: 10) { nodes { comments(first: 0) { aggregate { count } } } } }',
      expected: 1 + 10 * (1 + 1 + 100),
    },
    'a simple filter': { text: '{ posts(first: 1, where: { title: { eq: "a" } }) { nodes { id } } }', expected: 3 },
    'a filter on related rows': {
      text: '{ posts(first: 1, where: { comments: { some: { title: { eq: "a" } } } }) { nodes { id } } }',
      expected: 13,
    },
    'the same in a variable': {
      text: 'query ($w: PostWhere) { posts(first: 1, where: $w) { nodes { id } } }',
      variables: { w: { comments: { some: { title: { eq: 'a' } } } } },
      expected: 13,
    },
    'the same with a variable within': {
      text: 'query ($t: String) { posts(first: 1, where: { comments: { some: { title: { eq: $t } } } }) { nodes { id } } }',
      variables: { t: 'a' },
      expected: 13,
    },
    'full text': { text: '{ posts(first: 1, where: { title: { search: "a" } }) { nodes { id } } }', expected: 23 },
    'a long list': {
      text: 'query ($in: [String!]) { posts(first: 1, where: { title: { in: $in } }) { nodes { id } } }',
      variables: { in: Array.from({ length: 5_000 }, () => 'a') },
      expected: 53,
    },
    'an order by chance': { text: '{ posts(first: 1, orderBy: [{ random: true }]) { nodes { id } } }', expected: 53 },
    'rows that are skipped': { text: '{ posts(first: 1, offset: 10000) { nodes { id } } }', expected: 102 },
    'fragments and interfaces': {
      text: '{ named { name ... on Author { ...A } } } fragment A on Author { posts(first: 2) { nodes { id } } }',
      expected: 1 + 1 + 2,
    },
    'aliases, each': { text: '{ a: post(id: 1) { id } b: post(id: 2) { id } }', expected: 2 },
    'what is skipped counts': { text: '{ post(id: 1) @skip(if: true) { id } }', expected: 1 },
    'a type name': { text: '{ __typename }', expected: 0 },
    'one input': { text: 'mutation { createPost(input: { title: "a" }) { id } }', expected: 10 + 1 + 1 },
    'nested writes': {
      text: 'mutation { createPost(input: { author: { connect: 1 } comments: { create: [{ title: "a" }, { title: "b" }] } }) { id } }',
      expected: 10 + 1 + 3 + 1,
    },
    'a thousand inputs': {
      text: 'mutation ($inputs: [PostInput!]!) { createPosts(inputs: $inputs) { id author { id } } }',
      variables: { inputs: Array.from({ length: 1_000 }, () => ({ title: 'a' })) },
      expected: 1 + 10 + 1_000 + 1_000 * 2,
    },
    'all that match': {
      text: 'mutation { updatePosts(where: { title: { eq: "a" } }, set: { title: "b" }) { count } }',
      expected: Math.ceil(10 + 100 + 0.2 + 1),
    },
    'a deletion': { text: 'mutation { deletePost(id: 1) }', expected: 10 },
    'one event': { text: 'subscription { postChanged { node { author { id } } } }', expected: 3 },
  }
  for (const [name, { text, variables, expected }] of Object.entries(cases)) {
    test(name, () => assert.equal(requested(text, variables), expected))
  }

  test('is of the operation that runs', () => {
    const text = 'query A { post(id: 1) { id } } query B { posts { nodes { id } } }'
    assert.equal(cost(text, {}, 'A').requested, 1)
    assert.equal(cost(text, {}, 'B').requested, 26)
    assert.equal(cost(text, {}, 'C').requested, 0, 'which is refused elsewhere')
  })

  test('never goes down when a page gets longer', () => {
    const document = parse(
      'query ($a: Int, $b: Int) { posts(first: $a) { nodes { comments(last: $b) { nodes { id } } } } }',
    )
    const compiled = compileCost(schema, document, null)
    let before = 0
    for (let n = 0; n <= 120; n += 1) {
      const { requested } = compiled({ a: n, b: n })
      assert.ok(requested >= before)
      before = requested
    }
    assert.equal(before, 1 + 100 * (1 + 1 + 100))
  })
})

describe('levels', () => {
  const nested = (levels: number) =>
    `{ post(id: 1) { ${'comments(first: 1) { edges { node { '.repeat(levels - 1)} id ${'} } }'.repeat(levels - 1)} } }`

  test(`${limits.levels} are taken, one more is refused`, () => {
    parseDocument(nested(limits.levels))
    assert.equal(cost(nested(limits.levels)).levels, limits.levels)
    requireCost(cost(nested(limits.levels)), costLimits.client)
    assert.throws(() => requireCost(cost(nested(limits.levels + 1)), costLimits.client), LimitExceeded)
  })
})

test('a refusal names cost and limit', () => {
  const expensive = cost(
    '{ posts(first: 100) { nodes { comments(first: 100) { totalCount nodes { author { id } } } } } }',
  )
  assert.throws(
    () => requireCost(expensive, costLimits.client),
    new LimitExceeded(
      'The operation costs 25201; 20000 is the most that one may cost here. A list counts as 25 where it names no `first`.',
    ),
  )
  requireCost(expensive, costLimits.server)
})

test('an introspection as tools make it has room, on the whole API too; one that multiplies is refused', () => {
  const text = getIntrospectionQuery({
    descriptions: true,
    inputValueDeprecation: true,
    oneOf: true,
    schemaDescription: true,
    specifiedByUrl: true,
    directiveIsRepeatable: true,
  })
  for (const each of [schema, api]) {
    const known = costOf(each, parse(text), null, {})
    assert.equal(known.requested, 0)
    requireCost(known, 0)
  }
  const bomb = '{ __schema { types { fields { type { fields { type { fields { name } } } } } } } }'
  assert.throws(
    () => requireCost(costOf(schema, parse(bomb), null, {}), costLimits.console),
    /The introspection costs \d+; 100000 is the most/,
  )
})

test('knows every field of the API that lists things', () => {
  const of = (text: string) => costOf(api, parse(text), null, {}).requested
  assert.equal(
    of('{ users(first: 10) { nodes { sessions(first: 5) { totalCount nodes { id } } } } }'),
    1 + 10 * (1 + 1 + 55),
  )
  assert.equal(of('{ projects { nodes { keys { nodes { id } } members { nodes { id } } } } }'), 1 + 25 * (1 + 26 + 26))
})

test('is told in 5 µs where the operation is simple and known', (t) => {
  const simple = 'query ($id: ID!, $n: Int) { post(id: $id) { id author { posts(first: $n) { nodes { id title } } } } }'
  const document = parse(simple)
  const run = (n: number) => {
    let total = 0
    const { user, system } = process.threadCpuUsage()
    for (let i = 0; i < n; i += 1) total += costOf(schema, document, null, { id: '1', n: i % 100 }).requested
    const used = process.threadCpuUsage()
    assert.ok(total > 0)
    return (used.user + used.system - user - system) / n
  }
  run(20_000)
  const us = run(100_000)
  t.diagnostic(`${us.toFixed(2)} µs`)
  assert.ok(us < 5, `${us} µs`)
})
