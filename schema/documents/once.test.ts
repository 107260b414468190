import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { after, before, beforeEach, test } from 'node:test'
import { setTimeout as wait } from 'node:timers/promises'
import type { Context } from '../../src/context.ts'
import { hashSecret, newSecret } from '../../src/lib/secrets.ts'
import { createGraphql, type Graphql } from '../../src/server.ts'
import { type Blog, createBlog } from '../../src/testing/blog.ts'
import { createCollections } from '../../src/testing/collections.ts'
import { operate } from '../../src/testing/operation.ts'
import { createWorld, type World } from '../../src/testing/world.ts'
import { createSchemas, type Schemas } from '../schemas.ts'

let world: World
let blog: Blog
let schemas: Schemas
let graphql: Graphql

before(async () => {
  world = await createWorld()
  blog = await createBlog(world)
  await createCollections(blog.owner, {
    secrets: { attributes: { word: { type: 'STRING', encrypted: true } } },
    visits: { permissions: ['create:any'], attributes: { page: { type: 'STRING' } } },
  })
  schemas = createSchemas(world.app)
  graphql = createGraphql(world.app)
})

beforeEach(async () => {
  await world.app.sql.query(`truncate ${['authors', 'posts', 'comments', 'notes'].map(tableOf).join(', ')}`)
  await world.app.sql.query('truncate events.outbox, idempotencies')
})

after(async () => {
  await graphql.close()
  await schemas.close()
  await world.close()
})

const tableOf = (key: string) => `"${blog.projectId}"."${blog.ids[key]}"`
const run = (ctx: Context, source: string, variables = {}) => operate(schemas, ctx, source, variables)

async function count(what: string): Promise<number> {
  return (await world.app.sql.query(`select count(*)::int as n from ${what}`)).rows[0].n
}

const create =
  'mutation ($key: String, $name: String!) { createAuthor(input: { name: $name }, idempotencyKey: $key) { id name createdAt version } }'

async function twice(source: string, variables = {}): Promise<unknown> {
  const first = await run(blog.owner, source, variables)
  assert.deepEqual(first.errors, [])
  const events = await count('events.outbox')
  assert.deepEqual(await run(blog.owner, source, variables), first)
  assert.equal(await count('events.outbox'), events, source)
  return first.data
}

test('the same again is answered the same, and changes nothing', async () => {
  await twice(create, { key: 'one', name: 'Ann' })
  assert.equal(await count(tableOf('authors')), 1)
  await twice(
    'mutation { createAuthors(inputs: [{ id: "a", name: "A" }, { id: "b", name: "B" }], idempotencyKey: "m") { id } }',
  )
  await twice('mutation { updateAuthor(input: { id: "a", name: "A2" }, idempotencyKey: "u") { name version } }')
  await twice(
    'mutation { updateAuthors(where: { id: { eq: "a" } }, set: { name: "A3" }, idempotencyKey: "us") { count ids } }',
  )
  await twice('mutation { upsertAuthor(input: { id: "new", name: "N" }, idempotencyKey: "up") { name version } }')
  await twice('mutation { upsertAuthor(input: { id: "new", name: "M" }, idempotencyKey: "up2") { name version } }')
  await twice('mutation { deleteAuthor(id: "a", idempotencyKey: "d") }')
  await twice('mutation { deleteAuthors(where: { id: { eq: "b" } }, idempotencyKey: "ds") { count ids } }')
  await twice('mutation { createSecret(input: { word: "plain" }, idempotencyKey: "s") { id word } }')
  const { rows } = await world.app.sql.query('select answer, hash from idempotencies')
  assert.equal(rows.length, 9)
  assert.ok(rows.every(({ answer, hash }) => /^[\w.-]{20,}$/.test(answer) && hash.length === 64))
})

test('the compiled path gives way to a key, and answers the same bytes', async () => {
  const ask = async (key?: string) =>
    JSON.stringify(
      await graphql.run({ ...blog.owner }, { query: create, variables: { name: 'Ann', key } }, ['mutation']),
    )
  await ask()
  const first = await ask('k')
  assert.equal(await ask('k'), first)
  await ask()
  assert.equal(await count(tableOf('authors')), 3)
})

test('a key is for one request: other arguments, another selection, another field', async () => {
  const conflict = 'CONFLICT This key was given with another request: with one key, ask the same. (idempotencyKey)'
  const key = 'k'
  assert.deepEqual((await run(blog.owner, create, { key, name: 'Ann' })).errors, [])
  assert.deepEqual((await run(blog.owner, create, { key, name: 'Bob' })).errors, [conflict])
  const others = [
    'mutation { createAuthor(input: { name: "Ann" }, idempotencyKey: "k") { id } }',
    'mutation { deleteAuthor(id: "Ann", idempotencyKey: "k") }',
  ]
  for (const other of others) assert.deepEqual((await run(blog.owner, other)).errors, [conflict])
  assert.equal(await count(tableOf('authors')), 1)

  const fragment = (fields: string, key: string, yes: boolean) =>
    run(
      blog.owner,
      `mutation ($yes: Boolean!) { createAuthor(input: { name: "Ann" }, idempotencyKey: "${key}") { ...F } } fragment F on Author { ${fields} @include(if: $yes) }`,
      { yes },
    )
  const { data } = await fragment('id name', 'f', true)
  assert.deepEqual((await fragment('id name', 'f', true)).data, data)
  assert.deepEqual((await fragment('id', 'f', true)).errors, [conflict])
  assert.deepEqual((await fragment('id name', 'f', false)).errors, [conflict])
})

test('keys of different callers never meet; guests have none', async () => {
  const staff = (name: string) => blog.as(name, ['staff'])
  for (const caller of [blog.owner, staff('ann'), staff('bob'), blog.key('documents.write', 'documents.read')]) {
    const { errors } = await run(caller, create, { key: 'k', name: caller.actor?.id.slice(0, 20) })
    assert.deepEqual(errors, [])
  }
  assert.equal(await count(tableOf('authors')), 4)
  const other = { ...staff('ann'), actor: { ...staff('ann').actor, sessionId: 'ses_2' } } as Context
  assert.deepEqual((await run(other, create, { key: 'k', name: 'ann' })).errors, [])
  assert.equal(await count(tableOf('authors')), 4)
  assert.deepEqual(
    (await run(blog.as(null), 'mutation { createVisit(input: {}, idempotencyKey: "k") { id } }')).errors,
    ['UNAUTHENTICATED A key needs a credential: guests cannot be told apart.'],
  )
})

test('keys are 1 to 128 printable characters, null is none', async () => {
  for (const key of ['', 'a\nb', '\u0000', 'x'.repeat(129), '\ud800']) {
    assert.deepEqual((await run(blog.owner, create, { key, name: 'Ann' })).errors, [
      'INVALID A key has 1 to 128 printable characters. (idempotencyKey)',
    ])
  }
  for (const key of ['x'.repeat(128), 'key \u{1f511}', null, null]) {
    assert.deepEqual((await run(blog.owner, create, { key, name: 'Ann' })).errors, [])
  }
  assert.equal(await count('idempotencies'), 2)
  assert.equal(await count(tableOf('authors')), 4)
})

test('what was refused may be tried again with its key', async () => {
  const source = 'mutation { createPost(input: { title: "Hi", author: "Ann" }, idempotencyKey: "k") { title } }'
  assert.deepEqual((await run(blog.owner, source)).errors, ['INVALID There is no such document. (input.author)'])
  assert.equal(await count('idempotencies'), 0)
  await run(blog.owner, 'mutation { createAuthor(input: { id: "Ann", name: "Ann" }) { id } }')
  await twice(source)
  assert.equal(await count(tableOf('posts')), 1)
})

test('twenty at once are one', async () => {
  const answers = await Promise.all(
    Array.from({ length: 20 }, () => run(blog.owner, create, { key: 'k', name: 'Ann' })),
  )
  assert.deepEqual(answers[0]?.errors, [])
  for (const answer of answers) assert.deepEqual(answer, answers[0])
  assert.equal(await count(tableOf('authors')), 1)
  assert.equal(await count('events.outbox'), 1)
})

test('a concurrent one waits, and takes the place of a first one that fails', async () => {
  const { sql } = world.app
  const client = await sql.connect()
  await client.query('begin')
  await client.query(
    `insert into ${tableOf('authors')} ("_id", "_createdAt", "_updatedAt", name) values ('Ann', now(), now(), 'Ann')`,
  )
  const source = 'mutation { createAuthor(input: { id: "Ann", name: "Ann" }, idempotencyKey: "k") { id } }'
  const outcomes = Promise.all([run(blog.owner, source), run(blog.owner, source)])
  await wait(300)
  await client.query('commit')
  client.release()
  for (const { errors } of await outcomes)
    assert.deepEqual(errors, ['CONFLICT Another document has this id. (input.id)'])
  assert.equal(await count('idempotencies'), 0)
})

type Node = { url: string; kill: () => Promise<unknown> }

async function startNode(): Promise<Node> {
  const { DATABASE_URL, REDIS_URL } = world.env
  const SECRET_KEYS = Buffer.alloc(32, 7).toString('base64')
  const child = spawn(process.execPath, ['src/main.ts'], {
    env: { PATH: process.env.PATH, DATABASE_URL, REDIS_URL, SECRET_KEYS, PORT: '0' },
    stdio: ['ignore', 'pipe', 'pipe'],
  })
  const exited = once(child, 'exit')
  let text = ''
  for (const stream of [child.stdout, child.stderr]) stream.on('data', (chunk) => (text += chunk))
  const url = () => /listening at (http:\S+?)"/.exec(text)?.[1]
  for (let i = 0; i < 300 && !url() && child.exitCode === null; i += 1) await wait(100)
  assert.ok(url(), text)
  const kill = () => {
    child.kill('SIGKILL')
    return exited
  }
  return { url: `${url()}/projects/${blog.projectId}/graphql`, kill }
}

test('killed before the answer is there: another node does it once, or answers what was done', async () => {
  const secret = newSecret('key')
  const scopes = ['documents.read', 'documents.write']
  await world.app.db.key.create({
    data: { id: 'key_once', projectId: blog.projectId, name: 'once', hash: hashSecret(secret), scopes },
  })
  const nodes = await Promise.all([startNode(), startNode(), startNode()])
  const [first, second, third] = nodes as [Node, Node, Node]
  const ask = async ({ url }: Node, key: string) => {
    const headers = { 'content-type': 'application/json', authorization: `Bearer ${secret}` }
    const body = JSON.stringify({ query: create, variables: { key, name: key } })
    return (await fetch(url, { method: 'POST', headers, body })).text()
  }
  const ofName = (name: string) => count(`${tableOf('authors')} where name = '${name}'`)
  try {
    // After the commit: it is killed as soon as the document is seen.
    const lost = ask(first, 'after').catch(() => null)
    while ((await ofName('after')) === 0) await wait(1)
    await first.kill()
    const told = await lost
    const again = await ask(third, 'after')
    assert.match(again, /"name":"after"/)
    if (told !== null) assert.equal(again, told)
    assert.equal(await ofName('after'), 1)

    // Before the commit: it waits for a lock on the log of events.
    const client = await world.app.sql.connect()
    await client.query('begin; lock table events.outbox in access exclusive mode')
    const failed = ask(second, 'before').catch(() => null)
    await wait(500)
    await second.kill()
    await client.query('commit')
    client.release()
    assert.equal(await failed, null)
    const done = await ask(third, 'before')
    assert.equal(await ask(third, 'before'), done)
    assert.equal(await ofName('before'), 1)
  } finally {
    await Promise.all(nodes.map((node) => node.kill()))
  }
})

test('a run of a function that is tried again makes the same change once, without a key of its own', async () => {
  const scopes = new Set(['documents.read', 'documents.write'])
  const attempt = (idempotencyKey: string, executionId = 'exe_1'): Context => ({
    ...world.context(blog.projectId, { kind: 'function', id: 'fun_1', scopes }),
    run: { functionId: 'fun_1', executionId, depth: 0, idempotencyKey },
  })
  const two =
    'mutation ($name: String!) { a: createAuthor(input: { name: $name }) { id } b: createAuthor(input: { name: $name }) { id } }'
  const first = await run(attempt('1'), two, { name: 'once' })
  assert.deepEqual(first.errors, [])
  assert.notEqual(first.data?.a.id, first.data?.b.id)
  assert.deepEqual(await run(attempt('1'), two, { name: 'once' }), first)
  assert.equal(await count(tableOf('authors')), 2)
  // Another call, another run, and a run that does something else are something else.
  for (const [ctx, name] of [
    [attempt('2'), 'once'],
    [attempt('1', 'exe_2'), 'once'],
    [attempt('1'), 'else'],
  ] as const)
    assert.deepEqual((await run(ctx, two, { name })).errors, [])
  assert.equal(await count(tableOf('authors')), 8)
})

test('the compiled path knows of it, too', async () => {
  const ctx: Context = {
    ...blog.owner,
    run: { functionId: 'fun_1', executionId: 'exe_1', depth: 0, idempotencyKey: '1' },
  }
  const query = 'mutation { createAuthor(input: { name: "compiled" }) { id } }'
  const [first, second] = [
    await graphql.run(ctx, { query }, ['mutation']),
    await graphql.run(ctx, { query }, ['mutation']),
  ]
  assert.match(JSON.stringify(first), /createAuthor/)
  assert.deepEqual(second, first)
  assert.equal(await count(tableOf('authors')), 1)
})

test('an event says which run it came from, on the compiled path and on the other', async () => {
  const attempt = (executionId: string): Context => ({
    ...blog.owner,
    run: { functionId: 'fun_1', executionId, depth: 0, idempotencyKey: null },
  })
  const query = 'mutation { createAuthor(input: { name: "event" }) { id } }'
  await graphql.run(attempt('exe_compiled'), { query }, ['mutation'])
  await run(attempt('exe_executed'), query)
  await run(blog.owner, query)
  const { rows } = await world.app.sql.query('select "executionId" from events.outbox order by position')
  assert.deepEqual(
    rows.map(({ executionId }) => executionId),
    ['exe_compiled', 'exe_executed', null],
  )
})
