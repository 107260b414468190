import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import { printSchema } from 'graphql'
import type { Context } from '../src/context.ts'
import { createDatabase } from '../src/modules/databases/databases.ts'
import { operate } from '../src/testing/operation.ts'
import { createWorld, type World } from '../src/testing/world.ts'
import { applySchemaChanges } from '../workers/databases/apply.ts'
import { startRelay } from '../workers/relay.ts'
import { createSchemas, type Schemas } from './schemas.ts'

let world: World
let relay: ReturnType<typeof startRelay>
let schemas: Schemas
let elsewhere: Schemas
let ctx: Context
let databaseId: string
const ids: Record<string, string> = {}

before(async () => {
  world = await createWorld()
  ;[schemas, elsewhere] = [createSchemas(world.app), createSchemas(world.app)]
  relay = startRelay(world.app)
  ctx = (await world.createProject()).owner
  databaseId = (await createDatabase(ctx, { key: 'main' })).id
  const everybody = [{ right: 'READ', role: 'any' }]
  const writers = [...everybody, { right: 'WRITE', role: 'users' }]
  const { data } = await done('createCollection', 'CreateCollectionInput', {
    databaseId,
    key: 'authors',
    permissions: everybody,
    attributes: [{ key: 'name', type: 'STRING', size: 80 }],
  })
  ids.authors = data?.made.id
  const posts = await done('createCollection', 'CreateCollectionInput', {
    databaseId,
    key: 'posts',
    description: 'What stands on the blog.\nIn “two” lines.',
    permissions: writers,
    attributes: [
      { key: 'slug', type: 'STRING', size: 40, pattern: '^[a-z]+$', description: 'The end of its address.' },
      {
        key: 'note',
        type: 'TEXT',
        description: 'For the staff.',
        permissions: [{ right: 'READ', role: 'label:staff' }],
      },
      { key: 'plain', type: 'BOOLEAN' },
    ],
  })
  ids.posts = posts.data?.made.id
  await applyAll()
  await done('createAttribute', 'CreateAttributeInput', {
    collectionId: ids.posts,
    key: 'author',
    type: 'RELATION',
    relatedCollectionId: ids.authors,
    reverseKey: 'posts',
    onDelete: 'CASCADE',
    description: 'Who wrote it.',
  })
  await done('createAttribute', 'CreateAttributeInput', {
    collectionId: ids.posts,
    key: 'friends',
    type: 'RELATION',
    relation: 'MANY_TO_MANY',
    relatedCollectionId: ids.authors,
    description: 'Who helped.',
  })
  await applyAll()
  await eventually(async () => (await said('Post')).friends !== undefined)
})
after(async () => {
  await relay.stop()
  for (const one of [schemas, elsewhere]) await one.close()
  await world.close()
})

const applyAll = () => applySchemaChanges(ctx, { signal: new AbortController().signal, graceMs: 0 })

const ask = (field: string, type: string, input: object) =>
  operate(schemas, ctx, `mutation ($input: ${type}!) { made: ${field}(input: $input) { id description } }`, { input })

async function done(field: string, type: string, input: object) {
  const answer = await ask(field, type, input)
  assert.deepEqual(answer.errors, [])
  return answer
}

async function attribute(key: string): Promise<{ id: string; description: string | null }> {
  const { data } = await operate(
    schemas,
    ctx,
    `{ collection(id: "${ids.posts}") { attributes(first: 50) { nodes { id key description } } } }`,
  )
  return data?.collection.attributes.nodes.find((one: { key: string }) => one.key === key)
}

/** What a node says of a type and of its fields. */
async function said(type: string, by: Context = ctx, node: Schemas = schemas): Promise<Record<string, string>> {
  const members = '{ name description }'
  const { data } = await operate(
    node,
    by,
    `{ type: __type(name: "${type}") { description fields ${members} inputFields ${members} } }`,
  )
  const fields = (data?.type?.fields ?? data?.type?.inputFields ?? []) as { name: string; description: string }[]
  return { type: data?.type?.description, ...Object.fromEntries(fields.map((one) => [one.name, one.description])) }
}

const guest = () => world.context(ctx.projectId, null)

async function eventually(holds: () => Promise<boolean>) {
  const end = performance.now() + 1_000
  while (!(await holds())) {
    assert.ok(performance.now() < end, 'it never came')
    await new Promise((resolve) => setTimeout(resolve, 20))
  }
}

/** Waits until the other node says so to guests. */
async function until(key: 'type' | 'slug', is: RegExp) {
  await eventually(async () => is.test((await said('Post', guest(), elsewhere))[key] ?? ''))
}

test('a description comes first, before what a type or a field says of itself', async () => {
  const post = await said('Post')
  assert.equal(post.type, 'What stands on the blog.\nIn “two” lines.\n\nA document of the collection `posts`.')
  assert.equal(post.slug, 'The end of its address.\n\nA text of at most 40 characters. Matches `^[a-z]+$`.')
  assert.equal(post.plain, 'True or false.')
  assert.match(post.author ?? '', /^Who wrote it\.\n\nThe document that it points at; /)
  assert.match(post.friends ?? '', /^Who helped\.\n\nThe documents that it is linked with\./)
  // The other end is another field, of which nobody has said anything.
  assert.equal((await said('Author')).posts, 'The documents whose `author` is this one.')
  assert.equal((await said('Author')).type, 'A document of the collection `authors`.')
  for (const input of ['CreatePostInput', 'UpdatePostInput']) {
    const fields = await said(input)
    assert.match(fields.slug ?? '', /^The end of its address\.\n\nA text/)
    assert.match(fields.author ?? '', /^Who wrote it\.\n\nThe id of the document that it points at/)
    assert.match(fields.friends ?? '', /^Who helped\.\n\nThe documents that it is linked with\./)
  }
  assert.match(printSchema(await schemas.for(ctx)), /The end of its address\./)
})

test('whoever is shown a type reads them, but not those of fields that are not theirs', async () => {
  const post = await said('Post', guest())
  assert.match(post.type ?? '', /^What stands on the blog\./)
  assert.match(post.slug ?? '', /^The end of its address\./)
  assert.equal(post.note, undefined)
  assert.doesNotMatch(printSchema(await schemas.for(guest())), /For the staff/)
})

test('a description is changed and taken away at once, on every node, and what is left out stays', async () => {
  await until('type', /^What stands/)
  const collection = { id: ids.posts }
  const { data } = await done('updateCollection', 'UpdateCollectionInput', { ...collection, description: 'News.' })
  assert.equal(data?.made.description, 'News.')
  await until('type', /^News\.\n\nA document/)
  const renamed = await done('updateCollection', 'UpdateCollectionInput', { ...collection, name: 'All posts' })
  assert.equal(renamed.data?.made.description, 'News.')
  await done('updateCollection', 'UpdateCollectionInput', { ...collection, description: null })
  await until('type', /^A document of/)

  const { id } = await attribute('slug')
  await done('updateAttribute', 'UpdateAttributeInput', { id, description: 'Its name.' })
  await until('slug', /^Its name\.\n\nA text/)
  await done('updateAttribute', 'UpdateAttributeInput', { id, key: 'path' })
  await done('updateAttribute', 'UpdateAttributeInput', { id, key: 'slug' })
  assert.equal((await attribute('slug')).description, 'Its name.')
  // It waits for no change of the table.
  const { data: changed } = await done('updateAttribute', 'UpdateAttributeInput', {
    id,
    size: 50,
    description: 'Its end.',
  })
  assert.equal(changed?.made.description, 'Its end.')
  await until('slug', /^Its end\.\n\nA text of at most 40/)
  await applyAll()
  await until('slug', /^Its end\.\n\nA text of at most 50/)
  await done('updateAttribute', 'UpdateAttributeInput', { id, description: null })
  await until('slug', /^A text/)
  assert.equal((await attribute('slug')).description, null)
})

test('what is no description is refused, with its path', async () => {
  const { id } = await attribute('plain')
  const wrong = ['', ' \n', 'x'.repeat(1_001), 'a\0b', '\ud800']
  for (const description of wrong) {
    const key = 'other'
    const begins = { databaseId, key, permissions: [], attributes: [{ key: 'a', type: 'TEXT', description }] }
    const all: [string, string, object, string][] = [
      [
        'createCollection',
        'CreateCollectionInput',
        { databaseId, key, permissions: [], description },
        'input.description',
      ],
      ['createCollection', 'CreateCollectionInput', begins, 'input.attributes.0.description'],
      ['updateCollection', 'UpdateCollectionInput', { id: ids.posts, description }, 'input.description'],
      [
        'createAttribute',
        'CreateAttributeInput',
        { collectionId: ids.posts, key, type: 'TEXT', description },
        'input.description',
      ],
      ['updateAttribute', 'UpdateAttributeInput', { id, description }, 'input.description'],
    ]
    for (const [field, type, input, path] of all) {
      const { errors } = await ask(field, type, input)
      assert.match(errors.join(), /^INVALID /, field)
      assert.ok(errors[0]?.endsWith(` (${path})`), `${field}: ${errors}`)
    }
  }
  const description = '😀'.repeat(1_000)
  await done('updateAttribute', 'UpdateAttributeInput', { id, description })
  assert.equal((await attribute('plain')).description, description)
  await done('updateAttribute', 'UpdateAttributeInput', { id, description: '"""\\ `# </b>' })
  await eventually(async () => /# <\/b>/.test(printSchema(await schemas.for(ctx))))
})
