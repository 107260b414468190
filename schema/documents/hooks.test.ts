import assert from 'node:assert/strict'
import { after, before, beforeEach, test } from 'node:test'
import type { ExecutionResult } from 'graphql'
import type { Context } from '../../src/context.ts'
import { isRaw } from '../../src/http/stream.ts'
import { updateFunction } from '../../src/modules/functions/functions.ts'
import type { HookInput } from '../../src/modules/functions/hook-rules.ts'
import { createGraphql, type Graphql } from '../../src/server.ts'
import { type Blog, createBlog } from '../../src/testing/blog.ts'
import { createCollections, type NewCollection } from '../../src/testing/collections.ts'
import { type Answer, createPeer, type PeerRun } from '../../src/testing/executor.ts'
import { makeFunction } from '../../src/testing/functions.ts'
import { createWorld, type World } from '../../src/testing/world.ts'

let world: World
let peer: Awaited<ReturnType<typeof createPeer>>
/** With and without the compiled path. */
let compiled: Graphql
let ordinary: Graphql
/** What functions are told, and what they say to it; null: nothing, ever. */
let asked: Told[] = []
let say: (told: Told, run: PeerRun) => Answer | null | Promise<Answer>

type Told = { hook: string; inputs: Record<string, unknown>[]; [key: string]: unknown }

before(async () => {
  peer = await createPeer((run) => {
    const told = JSON.parse(String(run.body)) as Told
    asked.push(told)
    return say(told, run)
  })
  world = await createWorld({ EXECUTORS: peer.url, EXECUTOR_SECRET: peer.secret })
  compiled = createGraphql(world.app)
  ordinary = createGraphql(world.app, undefined, { plans: false })
})
after(async () => {
  for (const one of [compiled, ordinary]) await one.close()
  await world.close()
  peer.close()
})
beforeEach(() => {
  asked = []
  say = allow
})

const allow = (): Answer => ({ response: { status: 204, headers: {} } })
const json = (status: number, body: object): Answer => ({
  response: { status, headers: { 'content-type': 'application/json' } },
  body: JSON.stringify(body),
})
const instead = (told: Told, change: (input: Record<string, unknown>) => object) =>
  json(200, { inputs: told.inputs.map(change) })

/** A project whose functions decide on these, in this order. */
async function hooked(...hooks: (HookInput | string)[]): Promise<Blog> {
  const blog = await createBlog(world)
  for (const hook of hooks)
    await makeFunction(blog.owner, '', { hooks: [typeof hook === 'string' ? { on: hook } : hook] })
  asked = []
  return blog
}

async function run(ctx: Context, query: string, variables: object = {}, graphql = compiled) {
  const answer = await graphql.run({ ...ctx }, { query, variables: { ...variables } }, ['query', 'mutation'])
  const { data, errors = [] } = (isRaw(answer) ? JSON.parse(answer.json) : answer) as ExecutionResult
  const lines = errors.map(({ message, extensions, path }) => {
    const at = Array.isArray(extensions.path) ? ` (${extensions.path.join('.')})` : ''
    return `${extensions.code} ${message}${at} at ${path?.join('.')}`
  })
  return { data: data && JSON.parse(JSON.stringify(data)), errors: lines }
}

async function done(ctx: Context, query: string, variables: object = {}, graphql = compiled) {
  const { data, errors } = await run(ctx, query, variables, graphql)
  assert.deepEqual(errors, [])
  return data
}

/** All that changes of documents leave behind. */
async function traces({ projectId, ids }: Blog): Promise<unknown> {
  const tables = Object.values(ids).map((id) => `"${projectId}"."${id}"`)
  const rows = tables.map(
    async (table) => (await world.app.sql.query(`select * from ${table} t order by t::text`)).rows,
  )
  const { rows: events } = await world.app.sql.query(
    `select name from events.outbox where "projectId" = $1 and type ~ '^(documents|mails)'`,
    [projectId],
  )
  const { rows: mails } = await world.app.sql.query('select id from mails where "projectId" = $1', [projectId])
  const { rows: keys } = await world.app.sql.query('select key from idempotencies where "projectId" = $1', [projectId])
  return [...(await Promise.all(rows)), events, mails, keys]
}

const create = 'mutation ($input: CreatePostInput!) { createPost(input: $input) { id title views } }'
const createAll = 'mutation ($inputs: [CreatePostInput!]!) { createPosts(inputs: $inputs) { title views } }'

test('a hook is told what is about to be created, once for the whole batch, on both paths', async () => {
  const blog = await hooked('documents.before-create')
  const inputs = Array.from({ length: 1_000 }, (_, i) => ({ title: `t${i}`, views: i }))
  for (const graphql of [compiled, ordinary]) {
    const data = await done(blog.as('ann'), createAll, { inputs }, graphql)
    assert.deepEqual(data.createPosts, inputs)
  }
  assert.equal(asked.length, 2)
  const collection = { id: blog.ids.posts, key: 'posts', databaseId: (await databaseOf(blog)).id }
  for (const told of asked) {
    assert.deepEqual(told, {
      hook: 'documents.before-create',
      project: blog.projectId,
      collection,
      actor: { kind: 'user', id: 'ann' },
      inputs,
    })
  }
  const executions = await world.app.db.execution.findMany({ where: { projectId: blog.projectId } })
  assert.deepEqual(
    executions.map(({ trigger, status, actorId }) => [trigger, status, actorId]),
    [1, 2].map(() => ['HOOK', 'COMPLETED', 'ann']),
  )
})

const databaseOf = ({ projectId }: Blog) => world.app.db.database.findFirstOrThrow({ where: { projectId } })

test('what it refuses is not done: nothing is left behind, and the caller is told where it is wrong', async () => {
  const blog = await hooked('databases.*.collections.posts.documents.before-create')
  const was = await traces(blog)
  say = ({ inputs }) => json(422, { message: 'No shouting.', path: ['inputs', inputs.length - 1, 'title'] })
  for (const graphql of [compiled, ordinary]) {
    const one = await run(blog.as('ann'), create, { input: { title: 'AH' } }, graphql)
    assert.deepEqual(one, { data: null, errors: ['INVALID No shouting. (input.title) at createPost'] })
    const many = await run(blog.as('ann'), createAll, { inputs: [{ title: 'a' }, { title: 'AH' }] }, graphql)
    assert.deepEqual(many.errors, ['INVALID No shouting. (inputs.1.title) at createPosts'])
  }
  say = () => json(403, { message: 'x'.repeat(5_000) })
  const { errors } = await run(blog.as('ann'), create, { input: { title: 'a' } })
  assert.equal(errors[0], `FORBIDDEN ${'x'.repeat(300)} at createPost`)
  say = () => ({ response: { status: 400, headers: {} }, body: '<html>' })
  assert.deepEqual((await run(blog.as('ann'), create, { input: { title: 'a' } })).errors, [
    'INVALID A function that decides on this has refused it. () at createPost',
  ])
  assert.deepEqual(await traces(blog), was)
  // Other collections are none of its business.
  await done(blog.owner, 'mutation { createNote(input: { text: "n" }) { id } }')
  assert.equal(asked.length, 6)
})

test('whoever may not create there costs no run', async () => {
  const blog = await hooked('documents.before-create')
  const { errors } = await run(blog.as('ann'), 'mutation { createAuthor(input: { name: "a" }) { id } }')
  assert.deepEqual(errors, ['FORBIDDEN You may not create documents here. at createAuthor'])
  assert.deepEqual(asked, [])
})

test('it may change inputs; they are held to what the caller may, and to what is valid', async () => {
  const blog = await hooked('documents.*')
  const input = { title: 'a', views: 1 }
  for (const graphql of [compiled, ordinary]) {
    say = (told) => instead(told, ({ title }) => ({ title: `${title}!`, views: 7 }))
    assert.partialDeepStrictEqual((await done(blog.as('ann'), create, { input }, graphql)).createPost, {
      title: 'a!',
      views: 7,
    })
    const was = await traces(blog)
    const wrong = async (change: object, expected: RegExp) => {
      say = (told) => instead(told, () => change)
      assert.match((await run(blog.as('ann'), create, { input }, graphql)).errors[0] ?? '', expected)
    }
    await wrong({ title: 'x'.repeat(21) }, /^INVALID .*\(input\.title\) at createPost$/)
    await wrong({ title: 7 }, /^INVALID A function that decides on this has made it wrong: .*\(input\.title\)/)
    await wrong({ title: 'a', nothing: 1 }, /^INVALID A function that decides on this has made it wrong: .*“?"?nothing/)
    await wrong({ title: null }, /^INVALID /)
    assert.deepEqual(await traces(blog), was)
  }
})

test('values of every type come back as they were told', async () => {
  const { owner } = await world.createProject()
  const types = [
    'STRING',
    'INTEGER',
    'BIGINT',
    'FLOAT',
    'DECIMAL',
    'BOOLEAN',
    'DATETIME',
    'DATE',
    'JSON',
    'POINT',
  ] as const
  const plain = Object.fromEntries(types.map((type) => [type.toLowerCase(), { type }]))
  const more: NewCollection['attributes'] = {
    list: { type: 'BIGINT', list: true },
    kind: { type: 'ENUM', elements: ['A', 'B'] },
  }
  await createCollections(owner, { things: { documentPermissions: true, attributes: { ...plain, ...more } } })
  await makeFunction(owner, '', { hooks: [{ on: '*.*' }] })
  const values = {
    string: 'ü',
    integer: 7,
    bigint: '9007199254740993',
    float: 0.1,
    decimal: '12.50',
    boolean: false,
    datetime: '2026-01-02T03:04:05.678Z',
    date: '2026-01-02',
    json: { a: [1, null, 'b'] },
    point: { type: 'Point', coordinates: [1.5, 2.5] },
    list: ['1', '-9223372036854775808'],
    kind: 'B',
  }
  const permissions = [{ right: 'READ', role: 'any' }]
  const query = `mutation ($input: CreateThingInput!) {
    createThing(input: $input) { ${Object.keys(values).join(' ')} permissions { right role } } }`
  say = (told) => instead(told, (input) => input)
  const { createThing } = await done(owner, query, { input: { ...values, permissions } })
  assert.deepEqual(createThing, { ...values, permissions })
  assert.deepEqual(asked[0]?.inputs, [{ ...values, permissions }])
})

test('a rule of the collection holds for what a hook has made of it', async () => {
  const blog = await hooked('documents.before-update')
  const { posts = '' } = blog.ids
  const rules = [
    { right: 'create', role: 'users', where: { views: { lt: 10 } } },
    { right: 'update', role: 'users', where: { views: { lt: 10 } } },
    { right: 'read', role: 'users', where: {} },
  ]
  await world.app.db.collection.update({
    where: { id: posts },
    data: { rules: JSON.stringify(rules), permissions: [], documentPermissions: false },
  })
  const { id } = (await done(blog.as('ann'), create, { input: { title: 'a', views: 1 } })).createPost
  const update = 'mutation ($input: UpdatePostInput!) { updatePost(input: $input) { views } }'
  say = (told) => instead(told, (input) => ({ ...input, views: 11 }))
  const was = await traces(blog)
  assert.match((await run(blog.as('ann'), update, { input: { id, title: 'b' } })).errors[0] ?? '', /^FORBIDDEN /)
  assert.deepEqual(await traces(blog), was)
  say = (told) => instead(told, (input) => ({ ...input, views: 9 }))
  assert.equal((await done(blog.as('ann'), update, { input: { id, title: 'b' } })).updatePost.views, 9)
})

test('several decide in the order in which they were made, each on what the former have made of it', async () => {
  const blog = await hooked('documents.before-create', '*')
  const marks = ['1', '2']
  say = (told) => instead(told, ({ title }) => ({ title: `${title}${marks[asked.length - 1]}` }))
  assert.equal((await done(blog.as('ann'), create, { input: { title: 'a' } })).createPost.title, 'a12')
  assert.deepEqual(
    asked.map(({ inputs }) => inputs[0]?.title),
    ['a', 'a1'],
  )
})

test('a deadline that is missed, a failure, and an answer that is none: the hook says what becomes of the change', async () => {
  const rejecting = await hooked({ on: 'documents.before-create', deadlineMs: 100 })
  const allowing = await hooked({ on: 'documents.before-create', deadlineMs: 100, onMissed: 'ALLOW' })
  const failure = (reason: 'THREW' | 'CRASHED') => ({
    response: null,
    failure: { reason, message: 'secret', stack: null },
  })
  const misses: [name: string, answer: () => Answer | null][] = [
    ['silence', () => null],
    ['an error', () => failure('THREW')],
    ['a crash', () => failure('CRASHED')],
    ['500', () => json(500, {})],
    ['a redirect', () => json(302, {})],
    ['no JSON', () => ({ body: 'yes' })],
    ['too few', () => json(200, { inputs: [] })],
    ['no objects', () => json(200, { inputs: [1] })],
    ['new documents', () => json(200, { inputs: [{ title: 'a', newAuthor: { name: 'b' } }] })],
  ]
  for (const [name, answer] of misses) {
    say = answer
    const begun = performance.now()
    const { errors } = await run(rejecting.as('ann'), create, { input: { title: 'a' } })
    assert.ok(performance.now() - begun < 900, name)
    assert.deepEqual(errors, [
      'UNAVAILABLE A function that decides on this has not answered. Nothing was changed: try again. at createPost',
    ])
    assert.equal((await done(allowing.as('ann'), create, { input: { title: name } })).createPost.title, name)
  }
  const { rows } = await world.app.sql.query(`select 1 from "${rejecting.projectId}"."${rejecting.ids.posts}"`)
  assert.equal(rows.length, 0)
  const text = await world.app.metrics.registry.metrics()
  assert.match(text, /tendril_hook_duration_seconds_count\{outcome="missed"\} [1-9]/)
})

test('a change names what is changed; ids stay', async () => {
  const blog = await hooked('documents.before-update', 'documents.before-delete')
  const ann = blog.as('ann')
  const { id } = (await done(ann, create, { input: { title: 'a', views: 1 } })).createPost
  const { id: second } = (await done(ann, create, { input: { title: 'b', views: 1 } })).createPost
  assert.deepEqual(asked, [])
  say = (told) => instead(told, (input) => ({ ...input, id: second, title: 'c' }))
  const one = `mutation { updatePost(input: { id: "${id}", title: "x" }, apply: { views: { increment: 2 } }, ifVersion: 1) { id title views } }`
  assert.deepEqual((await done(ann, one)).updatePost, { id, title: 'c', views: 3 })
  say = allow
  await done(ann, 'mutation { updatePosts(where: { title: { eq: "c" } }, set: { slug: "s" }) { count } }')
  await done(
    ann,
    'mutation { updatePosts(where: { title: { eq: "c" } }, apply: { views: { increment: 1 } }) { count } }',
  )
  await done(ann, `mutation { deletePost(id: "${id}") }`)
  await done(ann, 'mutation { deletePosts(where: { title: { eq: "b" } }) { count } }')
  const told = asked.map((one) => ({ ...(one as object), project: undefined, collection: undefined, actor: undefined }))
  const expected = [
    { hook: 'documents.before-update', inputs: [{ id, title: 'x' }], apply: { views: { increment: 2 } }, ifVersion: 1 },
    { hook: 'documents.before-update', inputs: [{ slug: 's' }], where: { title: { eq: 'c' } } },
    { hook: 'documents.before-update', inputs: [], where: { title: { eq: 'c' } }, apply: { views: { increment: 1 } } },
    { hook: 'documents.before-delete', inputs: [], ids: [id] },
    { hook: 'documents.before-delete', inputs: [], where: { title: { eq: 'b' } } },
  ]
  assert.deepEqual(
    told,
    expected.map((one) => ({ ...one, project: undefined, collection: undefined, actor: undefined })),
  )
})

test('an upsert is told as one, to whoever decides on either', async () => {
  const blog = await hooked('documents.before-create', 'documents.before-update', 'documents.before-delete')
  const upsert = 'mutation ($inputs: [UpsertPostInput!]!) { upsertPosts(inputs: $inputs) { id title } }'
  await done(blog.owner, create, { input: { id: 'p1', title: 'a' } })
  asked = []
  say = (told) => instead(told, ({ title }) => ({ title: `${title}!` }))
  const inputs = ['p1', 'p2'].map((id) => ({ id, title: 't' }))
  const data = await done(blog.owner, upsert, { inputs })
  assert.deepEqual(
    data.upsertPosts,
    inputs.map(({ id }) => ({ id, title: 't!!' })),
  )
  assert.deepEqual(
    asked.map(({ hook }) => hook),
    ['documents.before-upsert', 'documents.before-upsert'],
  )
})

test('documents within documents are decided on by collection, and so are those that are made to point elsewhere', async () => {
  const blog = await hooked('documents.before-create', 'databases.*.collections.comments.documents.before-update')
  const { owner } = blog
  say = (told) =>
    told.hook === 'documents.before-update'
      ? allow()
      : instead(told, (input) => ({ ...input, ...(input.body ? { body: `${input.body}!` } : { title: 'T' }) }))
  await done(owner, 'mutation { createComment(input: { id: "c0", body: "c0" }) { id } }')
  asked = []
  const input = (n: number) => ({
    title: 't',
    comments: { create: [{ body: `a${n}`, replies: { create: [{ body: `b${n}` }] } }] },
  })
  const connecting = { ...input(2), id: 'p2', comments: { ...input(2).comments, connect: ['c0'] } }
  const query = `mutation ($inputs: [CreatePostInput!]!) {
    createPosts(inputs: $inputs) { title comments(orderBy: [{ body: ASC }]) { nodes { body replies { nodes { body } } } } } }`
  const { createPosts } = await done(owner, query, { inputs: [input(1), connecting] })
  const comment = (n: number) => ({ body: `a${n}!`, replies: { nodes: [{ body: `b${n}!` }] } })
  assert.deepEqual(createPosts, [
    { title: 'T', comments: { nodes: [comment(1)] } },
    { title: 'T', comments: { nodes: [comment(2), { body: 'c0!', replies: { nodes: [] } }] } },
  ])
  const told = asked.map(({ hook, inputs, collection }) => [hook, (collection as { key: string }).key, inputs])
  assert.deepEqual(told, [
    ['documents.before-create', 'posts', [{ title: 't' }, { title: 't', id: 'p2', comments: { connect: ['c0'] } }]],
    ['documents.before-create', 'comments', ['a1', 'b1', 'a2', 'b2'].map((body) => ({ body }))],
    ['documents.before-update', 'comments', [{ id: 'c0', post: 'p2' }]],
  ])
  say = (told) => (told.hook === 'documents.before-update' ? json(409, { message: 'Stay.' }) : allow())
  const was = await traces(blog)
  const part = 'mutation { updatePost(input: { id: "p2", comments: { disconnect: ["c0"] } }) { id } }'
  assert.match((await run(owner, part)).errors[0] ?? '', /^INVALID Stay\./)
  assert.deepEqual(await traces(blog), was)
})

test('in a transaction all is decided before it opens, once, however often it is tried', async () => {
  const blog = await hooked('documents.before-create')
  const both = `mutation @transaction(isolation: SERIALIZABLE) {
    a: createPost(input: { title: "a" }) { title } b: createPosts(inputs: [{ title: "b" }]) { title } }`
  const open = async () => {
    const { rows } = await world.app.sql.query(
      `select 1 from pg_stat_activity where datname = current_database() and state = 'idle in transaction'`,
    )
    return rows.length
  }
  const opened: number[] = []
  say = async (told) => {
    opened.push(await open())
    return instead(told, ({ title }) => ({ title: `${title}!` }))
  }
  assert.deepEqual(await done(blog.owner, both), { a: { title: 'a!' }, b: [{ title: 'b!' }] })
  assert.deepEqual(opened, [0, 0])
  const was = await traces(blog)
  say = ({ inputs }) => (inputs[0]?.title === 'b' ? json(400, { message: 'Not b.', path: ['inputs', 0] }) : allow())
  const refused = await run(blog.owner, both)
  assert.deepEqual(refused, { data: null, errors: ['INVALID Not b. (inputs.0) at b'] })
  assert.deepEqual(await traces(blog), was)
})

test('what is tried again because others were in between is not decided on again', async () => {
  const blog = await hooked('documents.before-update')
  const { id } = (await done(blog.owner, create, { input: { title: 'a', views: 0 } })).createPost
  const query = `mutation @transaction(isolation: SERIALIZABLE) { updatePost(input: { id: "${id}" }, apply: { views: { increment: 1 } }) { id } }`
  await Promise.all([1, 2, 3, 4].map(() => done(blog.owner, query)))
  assert.equal(asked.length, 4)
  assert.equal((await done(blog.owner, `{ post(id: "${id}") { views } }`)).post.views, 4)
})

test('what is asked for again with the same key is answered again, and not decided on again', async () => {
  const blog = await hooked('documents.before-create')
  const query = 'mutation { createPost(input: { title: "a" }, idempotencyKey: "k") { id } }'
  const first = await done(blog.as('ann'), query)
  assert.deepEqual(await done(blog.as('ann'), query), first)
  assert.equal(asked.length, 1)
})

test('who signs up is decided on, without their password; so is who is added', async () => {
  const blog = await hooked('users.before-create')
  const guest = blog.as(null)
  const signUp = 'mutation ($input: SignUpInput!) { signUp(input: $input) { account { email name } } }'
  const input = { email: 'Ann@Example.org', password: 'correct horse', name: 'Ann' }
  say = (told) => instead(told, ({ email }) => ({ email, name: 'A.' }))
  assert.deepEqual((await done(guest, signUp, { input })).signUp, { account: { email: 'ann@example.org', name: 'A.' } })
  assert.deepEqual(asked[0], {
    hook: 'users.before-create',
    project: blog.projectId,
    collection: null,
    actor: null,
    inputs: [{ email: 'ann@example.org', name: 'Ann' }],
  })
  assert.equal(JSON.stringify(asked).includes('horse'), false)
  const was = await world.app.db.user.count()
  say = () => json(403, { message: 'Only people of example.com.', path: ['inputs', 0, 'email'] })
  assert.match(
    (await run(guest, signUp, { input: { ...input, email: 'b@example.org' } })).errors[0] ?? '',
    /^FORBIDDEN Only/,
  )
  const add = 'mutation { createUser(input: { email: "c@example.org", password: "correct horse" }) { id } }'
  assert.match((await run(blog.owner, add)).errors[0] ?? '', /^FORBIDDEN Only people/)
  say = (told) => instead(told, () => ({ email: 'none' }))
  assert.match((await run(blog.owner, add)).errors[0] ?? '', /^INVALID .*e-mail address.* \(input\.email\)/)
  assert.equal(await world.app.db.user.count(), was)
})

test('other hooks are other schemas: all nodes are told, and of nothing else', async () => {
  const blog = await hooked('documents.before-create')
  const [{ id } = { id: '' }] = await world.app.db.function.findMany({ where: { projectId: blog.projectId } })
  const revision = async () =>
    (await world.app.db.project.findUniqueOrThrow({ where: { id: blog.projectId } })).schemaRevision
  const raised = async (changes: Parameters<typeof updateFunction>[2]) => {
    const was = await revision()
    await updateFunction(blog.owner, id, changes)
    return (await revision()) - was
  }
  assert.equal(await raised({ name: 'other' }), 0)
  assert.equal(await raised({ hooks: [{ on: 'documents.before-delete' }] }), 1)
  assert.equal(await raised({ hooks: [{ on: 'documents.before-delete' }] }), 0)
  assert.equal(await raised({ enabled: false }), 1)
  assert.equal(await raised({ hooks: [] }), 0)
})

test('a hook that its own function takes away has been the last one', async () => {
  const blog = await hooked('documents.before-create')
  const [{ id } = { id: '' }] = await world.app.db.function.findMany({ where: { projectId: blog.projectId } })
  say = async () => {
    await updateFunction(blog.owner, id, { hooks: [] })
    return allow()
  }
  await done(blog.as('ann'), create, { input: { title: 'a' } })
  const later = createGraphql(world.app)
  await done(blog.as('ann'), create, { input: { title: 'a' } }, later)
  await later.close()
  assert.equal(asked.length, 1)
})

test('its runs count as deep as what has led to them', async () => {
  const blog = await hooked('documents.before-create')
  const within = (depth: number): Context => ({
    ...blog.owner,
    run: { functionId: 'fun_1', executionId: 'exe_1', depth, idempotencyKey: null },
  })
  await done(within(4), create, { input: { title: 'a' } })
  assert.match((await run(within(5), create, { input: { title: 'a' } })).errors[0] ?? '', /^UNAVAILABLE /)
  const executions = await world.app.db.execution.findMany({ where: { projectId: blog.projectId } })
  assert.deepEqual(executions.map(({ depth, failure }) => [depth, failure]).sort(), [
    [5, null],
    [6, 'DEPTH'],
  ])
})
