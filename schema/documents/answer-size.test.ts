import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import { setTimeout as delay } from 'node:timers/promises'
import { setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'
import type { Context } from '../../src/context.ts'
import { isRaw, isStream } from '../../src/http/stream.ts'
import { createGraphql, type Graphql } from '../../src/server.ts'
import { type Documents, openDocuments } from '../../src/testing/documents.ts'
import { statements } from '../../src/testing/statements.ts'
import { startRelay } from '../../workers/relay.ts'
import { createSchemas, type Schemas } from '../schemas.ts'

let documents: Documents
let schemas: Schemas
let compiled: Graphql
let ordinary: Graphql

const large = 'a'.repeat(900_000)

before(async () => {
  documents = await openDocuments({
    posts: {
      attributes: { text: { type: 'TEXT' } },
    },
    notes: {
      attributes: {
        title: { type: 'STRING', size: 100 },
        post: { type: 'RELATION', relation: 'MANY_TO_ONE', to: 'posts', reverseKey: 'notes' },
      },
    },
  })
  schemas = createSchemas(documents.world.app)
  compiled = createGraphql(documents.world.app, schemas)
  ordinary = createGraphql(documents.world.app, schemas, { plans: false })
  for (let i = 0; i < 25; i++) {
    const create = 'mutation ($id: ID!, $text: String!) { createPost(input: { id: $id, text: $text }) { id } }'
    await documents.done(documents.owner, create, { id: `p${i}`, text: large })
  }
})

after(async () => {
  for (const one of [compiled, ordinary, schemas]) await one.close()
  await documents.close()
})

type Asked = { query: string; variables?: Record<string, unknown> }

/** `OK`, or the code of its one error, on one path. */
async function outcome(graphql: Graphql, ctx: Context, asked: Asked): Promise<string> {
  const answer = await graphql.run({ ...ctx }, asked, ['query', 'mutation'])
  const { errors = [] } = isRaw(answer) ? JSON.parse(answer.json) : JSON.parse(JSON.stringify(answer))
  assert.ok(errors.length < 2, JSON.stringify(errors))
  return errors[0] ? `${errors[0].extensions.code} ${errors[0].message}` : 'OK'
}

const tooLarge =
  'LIMIT_EXCEEDED An answer has at most 20,000,000 bytes of documents: ask for fewer of them, or for less of each.'

async function both(ctx: Context, asked: Asked, expected: string): Promise<void> {
  assert.equal(await outcome(compiled, ctx, asked), expected, 'compiled')
  assert.equal(await outcome(ordinary, ctx, asked), expected, 'ordinary')
}

const aliases = (times: number, first: number) =>
  `{ ${Array.from({ length: times }, (_, i) => `a${i}: posts(first: ${first}) { nodes { text } }`).join(' ')} }`

test('an operation is answered 20,000,000 bytes of documents at most, in one field or in several', async () => {
  const { owner } = documents
  await both(owner, { query: '{ posts(first: 25) { nodes { text } } }' }, tooLarge)
  await both(owner, { query: '{ posts(first: 25) { nodes { id } } }' }, 'OK')
  await both(owner, { query: aliases(2, 10) }, 'OK')
  await both(owner, { query: aliases(3, 10) }, tooLarge)
  await both(owner, { query: `query @cached(maxAge: 10) ${aliases(3, 10)}` }, tooLarge)
})

test('what is kept or to be kept is asked for no more once there was too much', async () => {
  const fields = Array.from(
    { length: 24 },
    (_, i) => `a${i}: posts(first: 11, where: { id: { ne: "x${i}" } }) { nodes { text } }`,
  )
  const query = `query @cached(maxAge: 10) { ${fields.join(' ')} }`
  const { shares, sql } = documents.world.app
  const { texts } = await statements(async () => {
    assert.equal(await outcome(ordinary, documents.owner, { query }), tooLarge)
    // The others go on, though their answers are for nobody.
    while (shares.waiting() > 0 || sql.totalCount > sql.idleCount) await delay(20)
  })
  const reads = texts.filter((text) => text.includes(documents.ids.posts ?? '?'))
  assert.ok(reads.length > 2 && reads.length < 16, `${reads.length} reads`)
})

const noteOf = (i: number) => ({ id: `n${i}`, title: 'Note', post: 'p0' })
const createMany = (selected: string) =>
  `mutation ($inputs: [CreateNoteInput!]!) { createNotes(inputs: $inputs) { ${selected} } }`
const inputs = Array.from({ length: 25 }, (_, i) => noteOf(i))

const countOf = async () => (await documents.done(documents.owner, '{ notes { totalCount } }')).notes.totalCount

test('what a change answers is bounded as well: it is not made where it is too large', async () => {
  const { owner } = documents
  for (const selected of ['post { text }', 'post { text notes { totalCount } }']) {
    await both(owner, { query: createMany(selected), variables: { inputs } }, tooLarge)
    assert.equal(await countOf(), 0)
  }
  const upsert = 'mutation ($inputs: [UpsertNoteInput!]!) { upsertNotes(inputs: $inputs) { post { text } } }'
  await both(owner, { query: upsert, variables: { inputs } }, tooLarge)
  assert.equal(await countOf(), 0)
})

test('changes of one operation are bounded together, and in a transaction undone together', async () => {
  const { owner } = documents
  const changes = (from: number, count: number) =>
    Array.from({ length: 3 }, (_, i) => {
      const some = inputs.slice(from, from + count).map(({ title, post }) => `{ title: "${title}", post: "${post}" }`)
      return `c${i}: createNotes(inputs: [${some.join()}]) { post { text } }`
    }).join(' ')
  for (const graphql of [compiled, ordinary]) {
    assert.equal(await outcome(graphql, owner, { query: `mutation @transaction { ${changes(0, 10)} }` }), tooLarge)
    assert.equal(await countOf(), 0)
  }
  for (const [i, graphql] of [compiled, ordinary].entries()) {
    assert.equal(await outcome(graphql, owner, { query: `mutation { ${changes(0, 10)} }` }), tooLarge)
    assert.equal(await countOf(), (i + 1) * 20, 'the third was not made')
  }
})

test('each payload of a subscription is an answer of its own, and a live list is bounded', async () => {
  const { owner, world } = documents
  const relay = startRelay(world.app)
  const subscribe = async (query: string) => {
    const answer = await ordinary.run({ ...owner }, { query }, ['subscription'])
    assert.ok(isStream(answer))
    return answer
  }
  const changes = await subscribe('subscription { noteChanged { node { post { text } } } }')
  const list = inputs.map(({ title, post }) => `{ title: "${title}", post: "${post}" }`)
  await documents.done(owner, `mutation { createNotes(inputs: [${list.join()}]) { id } }`)
  for (let i = 0; i < 25; i++) {
    const { value } = await changes.next()
    assert.equal(value?.errors, undefined)
    assert.equal(value?.data?.noteChanged.node.post.text, large)
  }
  await changes.return?.()
  const live = await ordinary.run({ ...owner }, { query: 'subscription { postsLive { nodes { text } } }' }, [
    'subscription',
  ])
  const first = isStream(live) ? (await live.next()).value : live
  assert.equal(first?.errors?.[0]?.extensions.code, 'LIMIT_EXCEEDED')
  if (isStream(live)) await live.return?.()
  await relay.stop()
})

test('who has not asked for more of a live list holds what it was told, and who waits for more holds nothing', async () => {
  setFlagsFromString('--expose-gc')
  const collect: () => void = runInNewContext('gc')
  const heap = async () => {
    await delay(100)
    collect()
    return process.memoryUsage().heapUsed
  }
  const { owner, world } = documents
  const relay = startRelay(world.app)
  const open = []
  const sizes = []
  const notes = Array.from({ length: 8 }, (_, i) => `{ id: "s${i}", title: "slow", post: "p${i}" }`)
  await documents.done(owner, `mutation { createNotes(inputs: [${notes}]) { id } }`)
  const query =
    'subscription { notesLive(first: 8, where: { title: { startsWith: "slow" } }) { nodes { title post { text } } } }'
  for (let i = 0; i < 6; i++) {
    const where = '{ title: { startsWith: "slow" } }'
    await documents.done(owner, `mutation { updateNotes(where: ${where}, set: { title: "slow ${i}" }) { count } }`)
    while ((await world.emitted()).length > 0) await delay(20)
    const stream = await ordinary.run({ ...owner }, { query }, ['subscription'])
    assert.ok(isStream(stream))
    assert.equal((await stream.next()).value?.errors, undefined)
    open.push(stream)
    sizes.push(await heap())
  }
  const [least = 0] = sizes
  // Five lists of 7.2 MB, and nothing beside them.
  const told = (sizes.at(-1) ?? 0) - least
  assert.ok(told < 50_000_000, `${told} bytes`)
  const waiting = open.map((stream) => stream.next())
  const held = (await heap()) - least
  assert.ok(held < 10_000_000, `${held} bytes`)
  for (const stream of open) await stream.return?.()
  await Promise.all(waiting)
  await relay.stop()
})

test('the live lists of a project are bounded together, for as long as somebody looks at them', async () => {
  const watch = async (first: number) => {
    const query = `subscription { postsLive(first: ${first}) { nodes { id text } } }`
    const stream = await ordinary.run({ ...documents.owner }, { query }, ['subscription'])
    assert.ok(isStream(stream))
    const { value } = await stream.next()
    return { code: value?.errors?.[0]?.extensions.code ?? 'OK', leave: () => stream.return?.() }
  }
  const open = [await watch(20), await watch(19), await watch(20)]
  assert.deepEqual(
    open.map(({ code }) => code),
    ['OK', 'OK', 'OK'],
  )
  assert.equal((await watch(18)).code, 'LIMIT_EXCEEDED')
  await open[1]?.leave()
  const next = await watch(18)
  assert.equal(next.code, 'OK')
  for (const { leave } of [...open, next]) await leave()
})
