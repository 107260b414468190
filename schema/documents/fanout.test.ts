import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import type { Context } from '../../src/context.ts'
import { encodeCursor } from '../../src/cursor.ts'
import { isStream } from '../../src/http/stream.ts'
import { createGraphql, type Graphql } from '../../src/server.ts'
import { type Blog, createBlog } from '../../src/testing/blog.ts'
import { type Asked, feed as feedOf } from '../../src/testing/feed.ts'
import { operate } from '../../src/testing/operation.ts'
import { within } from '../../src/testing/stream.ts'
import { createWorld, type World } from '../../src/testing/world.ts'
import { type Relay, startRelay } from '../../workers/relay.ts'
import { createSchemas, type Schemas } from '../schemas.ts'

let world: World
let blog: Blog
let relay: Relay
let schemas: Schemas
let shared: Graphql
let ordinary: Graphql
let ann: Context

before(async () => {
  world = await createWorld()
  blog = await createBlog(world)
  ann = blog.as('ann')
  relay = startRelay(world.app)
  schemas = createSchemas(world.app)
  shared = createGraphql(world.app, schemas)
  ordinary = createGraphql(world.app, schemas, { plans: false })
})

after(async () => {
  await schemas.close()
  await relay.stop()
  await world.close()
})

async function run(source: string, ctx: Context = blog.owner) {
  assert.deepEqual((await operate(schemas, ctx, `mutation { ${source} }`)).errors, [])
}

async function here(): Promise<string> {
  const { sql, tails } = world.app
  while ((await sql.query('select from events.outbox limit 1')).rows.length > 0) await sleep(5)
  const { projectId } = blog
  return encodeCursor(world.env.SECRET_KEYS, { epoch: tails.epoch, projectId }, await tails.head(projectId))
}

const feed = (ctx: Context, asked: Asked) => feedOf(shared, ctx, asked)

/** What ordinary execution answers to the same, so many results of it. */
async function executed(ctx: Context, asked: Asked, count: number): Promise<string[]> {
  const answer = await ordinary.run(ctx, asked, ['subscription'])
  assert.ok(isStream(answer), JSON.stringify(answer))
  const texts: string[] = []
  while (texts.length < count) {
    const { value } = await within(answer.next(), 5_000, `only ${texts.length} of ${count} came`)
    texts.push(JSON.stringify(value))
  }
  await answer.return?.()
  return texts
}

let seed = 7
function random(below: number): number {
  seed = (seed * 1_103_515_245 + 12_345) % 2 ** 31
  return Math.floor((seed / 2 ** 31) * below)
}
const some = <T>(items: readonly T[]): T[] => items.filter(() => random(3) > 0)
const one = <T>(items: readonly T[]): T => items[random(items.length)] as T

const nodeFields = [
  ...[
    'id',
    'title',
    'slug',
    'views',
    'draft',
    'published',
    'version',
    'createdAt',
    'updatedAt',
    '__typename',
    't: title',
  ],
  ...['permissions { right role }', 'permissions { __typename r: role }'],
]
const steady = ['author { name }', 'a: author { id n: name __typename }']
const unsteady = [
  'comments { totalCount }',
  'some: comments(first: 2, orderBy: [{ id: ASC }]) { nodes { body post { title } } edges { cursor } }',
]
const changeFields = ['kind', 'id', 'changedFields', 'at', 'k: kind', '__typename']

function selection(relations: readonly string[]): string {
  const node = [...some(nodeFields), ...some(relations), 'id'].join(' ')
  return [
    'cursor',
    ...some(changeFields),
    `node { ${node} }`,
    ...(random(4) ? [] : ['second: node { views ...on Post { title } }']),
  ].join(' ')
}

const wheres = [
  null,
  { or: [{ views: { gt: 2 } }, { id: { eq: 'end' } }] },
  { title: { in: ['x', 'end'] } },
  { title: { in: ['x', 'y', 'end'] }, draft: { ne: true } },
  { or: [{ slug: { isNull: true } }, { views: { lt: 2 } }] },
  { not: { id: { eq: 'p1' } } },
]

function operation(relations: readonly string[], after: string): Asked {
  const name = one(['postChanged', 'changed: postChanged'])
  return {
    query: `subscription ($where: PostWhere, $after: String) { ${name}(where: $where, after: $after) { ${selection(relations)} } }`,
    variables: { where: one(wheres), after },
  }
}

async function change(step: number): Promise<void> {
  const id = `p${random(6)}`
  const grants = some(['any', 'users', 'user:ann', 'user:bob', 'label:vip']).map(
    (role) => `{ right: READ, role: "${role}" }`,
  )
  const fields = [
    `title: "${one(['x', 'y', 'a \\"b\\"\\n', 'ü'])}", views: ${random(5)}, slug: "s${step}"`,
    `draft: ${one(['true', 'false', 'null'])}, published: ${one(['null', '"2026-01-02T03:04:05.678Z"'])}`,
    `author: ${one(['"Ann"', 'null'])}, permissions: [${grants.join()}]`,
  ].join(', ')
  const { data } = await operate(schemas, blog.owner, `{ post(id: "${id}") { id } }`)
  if (data?.post === null) await run(`createPost(input: { id: "${id}", ${fields} }) { id }`)
  else if (random(4) === 0) await run(`deletePost(id: "${id}")`)
  else await run(`updatePost(input: { id: "${id}", ${random(2) ? fields : 'views: 3'} }) { id }`)
  if (random(4) === 0) await run(`createComment(input: { body: "c${step}", permissions: [${grants.join()}] }) { id }`)
}

test('what is made once for all is, byte for byte, what execution makes for each', async () => {
  await run('createAuthor(input: { id: "Ann", name: "Ann" }) { id }')
  const begin = await here()
  const callers = [blog.owner, ann, blog.as('bob', ['vip']), blog.as('sam', ['staff']), blog.key('documents.read')]
  const open = (relations: readonly string[]) =>
    Promise.all(
      Array.from({ length: 20 }, async (_, i) => {
        const ctx = callers[i % callers.length] ?? blog.owner
        const asked = operation(relations, begin)
        return { ctx, asked, fed: await feed(ctx, asked) }
      }),
    )
  const live = await open(steady)
  for (let step = 0; step < 25; step += 1) await change(step)
  await run(
    'createPost(input: { id: "end", title: "end", draft: false, permissions: [{ right: READ, role: "any" }] }) { id }',
  )
  await here()
  const late = await open([...steady, ...unsteady])
  const compare = async ({ ctx, asked, fed }: (typeof live)[number]) => {
    await fed.until((texts) => texts.some((text) => text.includes('"id":"end"')))
    assert.deepEqual(fed.texts, await executed(ctx, asked, fed.texts.length), asked.query)
    fed.leave()
    return fed.texts.length
  }
  const compared = await Promise.all([...live, ...late].map(compare))
  assert.ok(compared.reduce((sum, count) => sum + count) > 200, compared.join())
})
