import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import type { Context } from '../src/context.ts'
import { createUser, updateUser } from '../src/modules/users/users.ts'
import { type Blog, createBlog } from '../src/testing/blog.ts'
import { createCollections } from '../src/testing/collections.ts'
import { listen, operate, type Payloads } from '../src/testing/operation.ts'
import { within } from '../src/testing/stream.ts'
import { createWorld, type World } from '../src/testing/world.ts'
import { startRelay } from '../workers/relay.ts'
import { createSchemas, type Schemas } from './schemas.ts'

let world: World
let schemas: Schemas
let relay: ReturnType<typeof startRelay>
let blog: Blog

before(async () => {
  world = await createWorld()
  schemas = createSchemas(world.app)
  relay = startRelay(world.app)
  blog = await createBlog(world)
  await createCollections(blog.owner, {
    letters: {
      permissions: ['read:users'],
      attributes: {
        text: { type: 'STRING' },
        secret: { type: 'STRING', encrypted: true },
        price: { type: 'INTEGER', restricted: true, permissions: ['read:label:staff'] },
      },
    },
  })
})
after(async () => {
  await relay.stop()
  await schemas.close()
  await world.close()
})

const source =
  'subscription ($names: [String!]!, $after: String) { events(names: $names, after: $after) { cursor id name type payload actorKind actorId at } }'
const open = (ctx: Context, names: string[], after: string | null = null) =>
  listen(schemas, ctx, source, { names, after })

async function next(stream: Payloads) {
  const { value } = await within(stream.next(), 5_000, 'nothing came')
  assert.deepEqual(value?.errors, [])
  return value?.data?.events
}

async function run(ctx: Context, mutation: string) {
  const { data, errors } = await operate(schemas, ctx, `mutation { made: ${mutation} }`)
  assert.deepEqual(errors, [])
  return data?.made
}

const readers = (...roles: string[]) =>
  `permissions: [${roles.map((role) => `{ right: READ, role: "${role}" }`).join(', ')}]`
const post = (title: string, ...roles: string[]) =>
  run(blog.owner, `createPost(input: { title: "${title}", ${readers(...roles)} }) { id }`)

test('members and keys are told all that a pattern names, by its short and its full form', async () => {
  const short = await open(blog.owner, ['documents.created'])
  const full = await open(blog.key('events.read', 'documents.read'), ['databases.*.collections.posts.documents.*.*'])
  await run(blog.owner, 'createLetter(input: { text: "t", secret: "canary" }) { id }')
  const { id } = await post('one', 'user:ann')
  const letter = await next(short)
  assert.match(letter.name, /collections\.letters\.documents\..*\.created$/)
  for (const event of [await next(short), await next(full)]) {
    assert.equal(event.type, 'documents.created')
    assert.equal(event.payload.after._read[0], 'user:ann')
    assert.deepEqual([event.payload.id, event.actorKind, event.actorId], [id, 'ACCOUNT', blog.owner.actor?.id])
  }
  await short.return()
  await full.return()
})

test('users are told of the documents that they may read, and no more of them than they may', async () => {
  const ann = await open(blog.as('ann'), ['documents.*'])
  await post('hidden', 'user:bob')
  const { id } = await run(blog.owner, 'createLetter(input: { text: "t", secret: "canary", price: 3 }) { id }')
  const told = await next(ann)
  assert.deepEqual([told.payload.id, told.actorKind, told.actorId], [id, null, null])
  assert.deepEqual(Object.keys(told.payload.after).sort(), ['createdAt', 'id', 'text', 'updatedAt', 'version'])
  await run(blog.owner, `updateLetter(input: { id: "${id}", price: 4, text: "u" }) { id }`)
  const changed = await next(ann)
  assert.deepEqual(changed.payload.changed, ['text'])
  assert.deepEqual([changed.payload.before.text, changed.payload.after.text], ['t', 'u'])
  const shared = await post('shared', 'user:ann', 'user:bob')
  assert.doesNotMatch(JSON.stringify((await next(ann)).payload), /bob|_read|canary/)
  await run(blog.owner, `updatePost(input: { id: "${shared.id}", ${readers('user:bob')}, title: "not yours" }) { id }`)
  const left = await next(ann)
  assert.equal(left.payload.after, null)
  assert.doesNotMatch(JSON.stringify(left.payload), /not yours/)
  await run(blog.owner, `deletePost(id: "${shared.id}")`)
  const last = await post('last', 'users')
  assert.equal((await next(ann)).payload.id, last.id)
  await ann.return()
})

test('users are told of their own account; guests of none', async () => {
  const users = await Promise.all(
    ['ann', 'bob'].map((name) => createUser(blog.owner, { email: `${name}@example.org`, password: 'correct horse' })),
  )
  const [ann, bob] = users.map(({ id }) => id)
  const own = await open(blog.as(ann ?? ''), ['users.*'])
  const guest = await open(blog.as(null), ['*'])
  await updateUser(blog.owner, bob ?? '', { name: 'B' })
  await updateUser(blog.owner, ann ?? '', { name: 'A' })
  assert.deepEqual((await next(own)).payload, { userId: ann })
  const { id } = await run(blog.owner, 'createAuthor(input: { name: "A" }) { id }')
  assert.equal((await next(guest)).payload.id, id)
  await own.return()
  await guest.return()
})

test('they go on from a cursor', async () => {
  const stream = await open(blog.owner, ['databases.*.collections.posts.documents.*.created'])
  await post('a')
  const { id } = await post('b')
  const { cursor } = await next(stream)
  await stream.return()
  const again = await open(blog.owner, ['documents.created'], cursor)
  assert.equal((await next(again)).payload.id, id)
  await again.return()
})

test('a key is told of documents only with the scope for them, and of nothing without this one', async () => {
  await assert.rejects(open(blog.key('documents.read'), ['*']))
  const stream = await open(blog.key('events.read'), ['*'])
  await post('unseen', 'any')
  await createUser(blog.owner, { email: 'carl@example.org', password: 'correct horse' })
  assert.equal((await next(stream)).type, 'users.created')
  await stream.return()
})

test('patterns that name nothing, and too many, are refused with their place', async () => {
  await assert.rejects(open(blog.owner, ['users.created', 'users.exploded']), /users.exploded.*\(names\.1\)/)
  await assert.rejects(open(blog.owner, ['a..b']), /INVALID/)
  await assert.rejects(open(blog.owner, []), /INVALID/)
  await assert.rejects(open(blog.owner, Array(21).fill('*')), /INVALID.*20/)
})
