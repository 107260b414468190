import assert from 'node:assert/strict'
import { after, before, beforeEach, test } from 'node:test'
import type { ExecutionResult } from 'graphql'
import type { Context } from '../../src/context.ts'
import { createGraphql, type Graphql } from '../../src/server.ts'
import { type Blog, createBlog } from '../../src/testing/blog.ts'
import { eventually } from '../../src/testing/receiver.ts'
import { withoutCost } from '../../src/testing/server.ts'
import { createWorld, type World } from '../../src/testing/world.ts'

let world: World
let blog: Blog
let graphql: Graphql

before(async () => {
  world = await createWorld()
  blog = await createBlog(world)
  graphql = createGraphql(world.app)
})

beforeEach(async () => {
  await world.app.sql.query(`truncate ${Object.keys(blog.ids).map(tableOf).join(', ')}`)
  await world.app.sql.query('truncate events.outbox, idempotencies')
  const names = ['a', 'b', 'c', 'd'].map((id) => `{ id: "${id}", name: "${id < 'c' ? 'black' : 'white'}" }`)
  await done(`mutation { createAuthors(inputs: [${names}]) { id } }`)
  await done('mutation { createNotes(inputs: [{ id: "m", text: "m" }, { id: "n", text: "n" }]) { id } }')
  await world.app.sql.query('truncate events.outbox')
})

after(async () => {
  await graphql.close()
  await world.close()
})

const tableOf = (key: string) => `"${blog.projectId}"."${blog.ids[key]}"`

/** `CODE message (response key)` for each error. */
async function run(query: string, variables = {}, ctx: Context = blog.owner) {
  const answer = (await graphql.run({ ...ctx }, { query, variables }, ['mutation', 'query'])) as
    | ExecutionResult
    | { json: string }
  const { data, errors = [] } = withoutCost('json' in answer ? JSON.parse(answer.json) : answer) as ExecutionResult
  const lines = errors.map(
    ({ message, extensions, path }) => `${extensions.code} ${message} (${path?.join('.') ?? ''})`,
  )
  return { data: data && JSON.parse(JSON.stringify(data)), errors: lines }
}

async function done(query: string, variables = {}) {
  const { data, errors } = await run(query, variables)
  assert.deepEqual(errors, [])
  return data
}

async function state(): Promise<string> {
  const tables = [...Object.keys(blog.ids).map(tableOf), 'events.outbox', 'idempotencies']
  const rows = tables.map(
    async (table) => (await world.app.sql.query(`select * from ${table} t order by t::text`)).rows,
  )
  return JSON.stringify(await Promise.all(rows))
}

async function nothing(query: string, error: string | RegExp, variables = {}, isRun = true) {
  const before = await state()
  const outcome = await run(query, variables)
  assert.equal(outcome.errors.length, 1, outcome.errors.join('\n'))
  if (typeof error === 'string') assert.equal(outcome.errors[0], error)
  else assert.match(outcome.errors[0] ?? '', error)
  assert.equal(outcome.data, isRun ? null : undefined)
  assert.equal(await state(), before, 'something of it was done')
}

async function names(): Promise<string> {
  const { rows } = await world.app.sql.query(`select name from ${tableOf('authors')} order by "_id"`)
  return rows.map(({ name }) => name).join(' ')
}

/** Whoever changes a note goes to sleep meanwhile, so that all that begin together are under way together. */
async function slowly<T>(work: () => Promise<T>): Promise<T> {
  const { sql } = world.app
  await sql.query(`create function doze() returns trigger language plpgsql as $$ begin perform pg_sleep(0.5); return new; end $$;
    create trigger doze before update on ${tableOf('notes')} for each row execute function doze()`)
  try {
    return await work()
  } finally {
    await sql.query('drop function doze cascade')
  }
}

async function asleep(): Promise<number[]> {
  const { rows } = await world.app.sql.query(
    `select pid from pg_stat_activity where datname = current_database() and wait_event = 'PgSleep'`,
  )
  return rows.map(({ pid }) => pid)
}

const touch = (id: string) => `${id}: updateNote(input: { id: "${id}", text: "seen" }) { id }`

test('every change of documents: all are done, later ones see earlier ones, and their events are there', async () => {
  const data = await done(`mutation @transaction {
    one: createAuthor(input: { id: "Ann", name: "Ann" }) { id name }
    createPosts(inputs: [{ id: "p", title: "P", author: "Ann" }]) { author { name posts { nodes { id } } } }
    two: upsertAuthor(input: { id: "Ann", name: "Ann 2" }) { version posts { totalCount } }
    three: upsertAuthor(input: { id: "Bob", name: "Bob" }) { version }
    updateAuthor(input: { id: "Bob", name: "Bob 2" }) { name }
    updateAuthors(where: { name: { eq: "black" } }, set: { name: "grey" }) { count }
    deletePosts(where: { author: { id: { eq: "Ann" } } }) { ids }
    deleteAuthor(id: "Ann")
  }`)
  assert.deepEqual(data, {
    one: { id: 'Ann', name: 'Ann' },
    createPosts: [{ author: { name: 'Ann', posts: { nodes: [{ id: 'p' }] } } }],
    two: { version: 2, posts: { totalCount: 1 } },
    three: { version: 1 },
    updateAuthor: { name: 'Bob 2' },
    updateAuthors: { count: 2 },
    deletePosts: { ids: ['p'] },
    deleteAuthor: 'Ann',
  })
  const actions = (await world.emitted()).map((type) => type.replace('documents.', '')).join(' ')
  assert.equal(actions, 'created created updated created updated updated updated deleted deleted')
  assert.equal(await names(), 'Bob 2 grey grey white white')
})

test('nothing is done when a field fails, whatever comes before and after it', async () => {
  const create = 'createAuthor(input: { id: "Ann", name: "Ann" }, idempotencyKey: "k") { id }'
  for (const level of ['', '(isolation: REPEATABLE_READ)', '(isolation: SERIALIZABLE)']) {
    const head = `mutation @transaction${level}`
    await nothing(
      `${head} { ${create} last: createAuthor(input: { id: "a", name: "A" }) { id } }`,
      'CONFLICT Another document has this id. (last)',
    )
    await nothing(
      `${head} { ${create} gone: updateAuthor(input: { id: "x", name: "X" }) { id } deleteAuthors(where: {}) { count } }`,
      'NOT_FOUND There is no such document. (gone)',
    )
    await nothing(
      `${head} { deleteAuthors(where: {}) { count } createPost(input: { title: "x", author: "a" }) { id } }`,
      'INVALID There is no such document. (createPost)',
    )
  }
  const { errors } = await run(`mutation { ${create} last: createAuthor(input: { id: "a", name: "A" }) { id } }`)
  assert.deepEqual(errors, ['CONFLICT Another document has this id. (last)'])
  assert.equal(await names(), 'Ann black black white white', 'without the directive each is by itself')
})

test('a key is answered as before, and kept only with the rest', async () => {
  const source = 'createAuthor(input: { name: "Ann" }, idempotencyKey: "k") { id }'
  const data = await done(`mutation @transaction { one: ${source} two: ${source} }`)
  assert.deepEqual(data.one, data.two)
  assert.deepEqual(await done(`mutation @transaction(isolation: SERIALIZABLE) { one: ${source} two: ${source} }`), data)
  await nothing(
    `mutation @transaction { first: createAuthor(input: { name: "Cid" }) { id } other: createAuthor(input: { name: "Bob" }, idempotencyKey: "k") { id } }`,
    'CONFLICT This key was given with another request: with one key, ask the same. (other)',
  )
})

test('aliases, fragments, variables, conditions', async () => {
  const source = `mutation ($level: TransactionIsolation!, $yes: Boolean!, $name: String!) @transaction(isolation: $level) {
    ...F @include(if: $yes)
    ... on Mutation @skip(if: $yes) { skipped: createWebhook(input: { name: "w", url: "https://a.example", events: ["*"] }) { secret } }
    __typename
    two: createAuthor(input: { id: "a", name: $name }) @skip(if: $yes) { id }
  } fragment F on Mutation { one: createAuthor(input: { name: $name }) { name } }`
  const level = 'SERIALIZABLE'
  assert.deepEqual(await done(source, { level, yes: true, name: 'Ann' }), {
    one: { name: 'Ann' },
    __typename: 'Mutation',
  })
  const { errors } = await run(source, { level: 'NONE', yes: true, name: 'Ann' })
  assert.match(errors[0] ?? '', /^INVALID .*NONE/)
})

test('what else a mutation may do is refused before anything is done', async () => {
  await nothing(
    'mutation @transaction { createAuthor(input: { name: "Ann" }) { id } hook: createWebhook(input: { name: "w", url: "https://a.example", events: ["*"] }) { secret } }',
    'INVALID Only changes of documents are made in a transaction, and `createWebhook` is none. ()',
    {},
    false,
  )
})

test('isolation: a write skew happens under REPEATABLE_READ, and cannot under SERIALIZABLE', async () => {
  const paint = (note: string, level: string, from: string, to: string) =>
    done(`mutation @transaction(isolation: ${level}) {
      ${touch(note)}
      updateAuthors(where: { name: { eq: "${from}" } }, set: { name: "${to}" }) { count }
    }`)
  const both = (level: string) =>
    slowly(() => Promise.all([paint('m', level, 'black', 'white'), paint('n', level, 'white', 'black')]))
  await both('REPEATABLE_READ')
  assert.equal(await names(), 'white white black black')
  await both('SERIALIZABLE')
  assert.match(await names(), /^(black black black black|white white white white)$/)
})

test('isolation: a lost update is told by a conflict of snapshots, and the loser is tried again', async () => {
  const post = 'createPost(input: { id: "p", title: "P" }) { id }'
  await done(`mutation { ${post} }`)
  const add = (note: string) =>
    done(`mutation @transaction(isolation: REPEATABLE_READ) {
      ${touch(note)}
      updatePost(input: { id: "p" }, apply: { views: { increment: 1 } }) { views }
    }`)
  const answers = await slowly(() => Promise.all([add('m'), add('n')]))
  assert.deepEqual(answers.map(({ updatePost }) => updatePost.views).sort(), [1, 2])
  const upsert = (note: string) =>
    done(`mutation @transaction(isolation: REPEATABLE_READ) {
      ${touch(note)}
      upsertAuthor(input: { id: "new", name: "New" }) { version }
    }`)
  const versions = await slowly(() => Promise.all([upsert('m'), upsert('n')]))
  assert.deepEqual(versions.map(({ upsertAuthor }) => upsertAuthor.version).sort(), [1, 2])
})

test('two that wait for each other are both done', async () => {
  const rename = (id: string, name: string) =>
    `${id}: updateAuthor(input: { id: "${id}", name: "${name}" }) { version }`
  const pair = (first: string, note: string, second: string) =>
    done(`mutation @transaction { ${rename(first, note)} note${touch(note)} ${rename(second, note)} }`)
  const answers = await slowly(() => Promise.all([pair('a', 'm', 'b'), pair('b', 'n', 'a')]))
  assert.deepEqual(answers.map(({ a, b }) => `${a.version} ${b.version}`).sort(), ['2 2', '3 3'])
  assert.match(await names(), /^(m m|n n) white white$/)
  assert.equal((await world.emitted()).length, 6)
})

test('a connection that breaks in the middle: UNAVAILABLE, and nothing is written', async () => {
  const before = await state()
  const { data, errors } = await slowly(async () => {
    const outcome = run(`mutation @transaction { createAuthor(input: { name: "Ann" }) { id } ${touch('m')} }`)
    await eventually(async () => assert.equal((await asleep()).length, 1))
    for (const pid of await asleep()) await world.app.sql.query('select pg_terminate_backend($1)', [pid])
    return outcome
  })
  assert.equal(data, null)
  assert.deepEqual(errors, ['UNAVAILABLE A part of the server is not available right now. Try again. (m)'])
  assert.equal(await state(), before)
  await done('mutation @transaction { createAuthor(input: { name: "Ann" }) { id } }')
})

test('twenty at once that lock the same rows in other orders are all done', async () => {
  const orders = ['abcd', 'dcba', 'bdac', 'cadb']
  for (const isolation of ['READ_COMMITTED', 'REPEATABLE_READ', 'SERIALIZABLE']) {
    const since = performance.now()
    const one = (_: unknown, i: number) => {
      const changes = [...(orders[i % 4] ?? '')].map(
        (id) => `${id}: updateAuthor(input: { id: "${id}", name: "A" }) { version }`,
      )
      return done(`mutation @transaction(isolation: ${isolation}) { ${changes} }`)
    }
    await Promise.all(Array.from({ length: 20 }, one))
    assert.ok(performance.now() - since < 8_000, `${isolation}: ${performance.now() - since} ms`)
  }
  assert.equal((await done('{ author(id: "a") { version } }')).author.version, 61)
})

test('changes that lock several documents one after the other, without a transaction of their own, are all done too', async () => {
  await done('mutation { createComments(inputs: [{ id: "x", body: "x" }, { id: "y", body: "y" }]) { id } }')
  const join = (id: string, other: string) =>
    `mutation { updateComment(input: { id: "${id}", body: "in", replies: { connect: ["${other}"] } }) { id } }`
  const twenty = Array.from({ length: 20 }, (_, i) => (i % 2 ? join('x', 'y') : join('y', 'x')))
  await Promise.all(twenty.map((source) => done(source)))
  await Promise.all(twenty.map((source) => done(source.replace('mutation', 'mutation @transaction'))))
})

test('more at once than there are connections', async () => {
  const add = `mutation @transaction {
    one: updateAuthor(input: { id: "a", name: "A" }) { version }
    createAuthor(input: { name: "new" }, idempotencyKey: "k") { id }
    two: updateAuthor(input: { id: "a", name: "A" }) { version }
  }`
  await Promise.all(Array.from({ length: 30 }, () => done(add)))
  assert.equal((await done('{ author(id: "a") { version } }')).author.version, 61)
  assert.equal(await names(), 'A black white white new')
})

test('what others stand in the way of for ten seconds is given up', async () => {
  const { sql } = world.app
  const before = performance.now()
  await sql.query(`create function clash() returns trigger language plpgsql as $$
    begin raise exception 'clash' using errcode = '40001'; end $$;
    create trigger clash before insert on ${tableOf('notes')} execute function clash()`)
  const client = await sql.connect()
  await client.query(`begin; select from ${tableOf('notes')} for update`)
  const error = 'UNAVAILABLE This met another change of the same documents. Try again.'
  const create = 'createAuthor(input: { name: "Ann" }) { id }'
  const both = [
    nothing(`mutation @transaction { ${create} ${touch('m')} }`, `${error} (m)`),
    nothing(`mutation @transaction { ${create} createNote(input: {}) { id } }`, `${error} (createNote)`),
  ]
  await Promise.all(both).finally(() => client.query('rollback'))
  client.release()
  await sql.query('drop function clash cascade')
  const seconds = (performance.now() - before) / 1000
  assert.ok(seconds > 8 && seconds < 12, `${seconds} s`)
})
