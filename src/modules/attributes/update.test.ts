import assert from 'node:assert/strict'
import { after, before, beforeEach, test } from 'node:test'
import type { Attribute } from '../../../prisma/client/client.ts'
import type { Context } from '../../context.ts'
import { type AppError, Conflict, Invalid, NotFound } from '../../errors.ts'
import { newId } from '../../lib/ids.ts'
import { createTables, type Tables } from '../../testing/tables.ts'
import { createWorld, type World } from '../../testing/world.ts'
import { updateCollection } from '../collections/collections.ts'
import { createIndex } from '../indexes/indexes.ts'
import { createAttribute, deleteAttribute } from './attributes.ts'
import { checkAttributeChange, updateAttribute } from './update.ts'

let world: World
let tables: Tables
let ctx: Context
let id: string
let title: Attribute

before(async () => {
  world = await createWorld()
})
beforeEach(async () => {
  tables = await createTables(world)
  ctx = tables.ctx
  id = await tables.make({
    key: 'posts',
    attributes: [
      { key: 'title', type: 'STRING', size: 20 },
      { key: 'count', type: 'INTEGER', default: 1 },
      { key: 'slug', type: 'TEXT', computed: "lower(title) || '-title-' || count" },
      { key: 'parent', type: 'RELATION', relatedCollectionId: 'self', reverseKey: 'children', onDelete: 'SET_NULL' },
      { key: 'secret', type: 'TEXT', encrypted: true },
    ],
    indexes: [{ key: 'byTitle', type: 'KEY', attributes: ['title', 'createdAt'] }],
    rules: [{ right: 'read', role: 'users', where: { or: [{ title: { eq: 'a' } }, { parent: { isNull: true } }] } }],
  })
  title = await of('title')
})
after(() => world.close())

const of = (key: string) => ctx.db.attribute.findFirstOrThrow({ where: { collectionId: id, key } })
const update = async (key: string, changes: object) => updateAttribute(ctx, { id: (await of(key)).id, ...changes })

async function refuses(fn: () => Promise<unknown>, check: (error: AppError) => boolean): Promise<void> {
  const { db } = world.app
  const state = async () =>
    JSON.stringify([
      await db.attribute.findMany(),
      await db.index.findMany(),
      await db.collection.findMany(),
      await world.emitted(),
    ])
  const earlier = await state()
  await assert.rejects(fn, check)
  assert.equal(await state(), earlier, 'a refused call changed something')
}

const invalid = (part: string) => (error: AppError) => {
  assert.ok(error instanceof Invalid, String(error))
  assert.deepEqual(error.at, ['input', part])
  return true
}
const conflict = (text: string) => (error: AppError) => {
  assert.ok(error instanceof Conflict && error.message.includes(text), String(error))
  return true
}

test('another name is in force at once, and whatever names it follows', async () => {
  const count = (await world.emitted()).length
  const renamed = await update('title', { key: 'name' })
  assert.deepEqual([renamed.key, renamed.column, renamed.status], ['name', 'title', 'AVAILABLE'])
  assert.deepEqual((await world.emitted()).slice(count), ['attributes.updated', 'projects.schema-changed'])
  assert.deepEqual((await ctx.db.index.findFirstOrThrow({ where: { key: 'byTitle' } })).attributes, [
    'name',
    'createdAt',
  ])
  assert.equal((await of('slug')).computed, "lower(name) || '-title-' || count")
  const { rules } = await ctx.db.collection.findUniqueOrThrow({ where: { id } })
  assert.deepEqual(JSON.parse(rules)[0].where, { or: [{ name: { eq: 'a' } }, { parent: { isNull: true } }] })
  const again = await tables.addAttribute(id, { key: 'title', type: 'INTEGER' })
  assert.deepEqual([again.status, again.column], ['AVAILABLE', again.id])
  assert.ok((await tables.columnsOf(id)).includes(`${again.id} integer YES`))
  const index = await createIndex(ctx, { collectionId: id, key: 'both', type: 'KEY', attributes: ['title', 'name'] })
  await tables.applyAll()
  assert.equal((await ctx.db.index.findUniqueOrThrow({ where: { id: index.id } })).status, 'AVAILABLE')
})

test('permissions, default and the reverse name are in force at once; null takes them away', async () => {
  const permissions = [{ right: 'read', role: 'users' }] as const
  await update('slug', { permissions })
  const changed = await update('count', { default: 2, permissions })
  assert.deepEqual(
    [changed.default, changed.restricted, changed.permissions, changed.status],
    ['2', true, ['read:users'], 'AVAILABLE'],
  )
  const same = await update('count', { key: 'count' })
  assert.deepEqual([same.default, same.permissions], ['2', ['read:users']])
  const gone = await update('count', { default: null, permissions: null })
  assert.deepEqual([gone.default, gone.restricted, gone.permissions], [null, false, []])
  assert.equal((await update('parent', { reverseKey: 'replies' })).reverseKey, 'replies')
  assert.equal((await update('parent', { reverseKey: null })).reverseKey, null)
  assert.equal((await tables.addAttribute(id, { key: 'children', type: 'INTEGER' })).status, 'AVAILABLE')
})

test('a name that is taken, or means something else where it is used, is refused', async () => {
  for (const key of ['count', 'children', 'parent']) await refuses(() => update('title', { key }), conflict(`“${key}”`))
  await refuses(() => update('parent', { reverseKey: 'title' }), conflict('“title”'))
  await refuses(() => update('title', { key: 'true' }), conflict('“true”'))
  for (const key of ['', '__proto__', 'id', 'a b', 'x'.repeat(1_000_000)])
    await refuses(() => update('title', { key }), invalid('key'))
})

test('a change is held to what a new attribute is held to', async () => {
  await refuses(() => update('title', { size: 0 }), invalid('size'))
  await refuses(() => update('title', { size: null }), invalid('size'))
  await refuses(() => update('title', { pattern: '(' }), invalid('pattern'))
  await refuses(() => update('title', { default: 'x'.repeat(21) }), invalid('default'))
  await refuses(() => update('count', { min: 5 }), invalid('default'))
  await refuses(() => update('count', { min: 5, max: 1 }), invalid('min'))
  await refuses(() => update('count', { unique: true }), invalid('default'))
  await refuses(() => update('count', { required: true }), invalid('default'))
  await refuses(() => update('parent', { required: true }), invalid('onDelete'))
  await refuses(() => update('secret', { unique: true }), invalid('unique'))
})

test('a type that no value could become is refused, and so is one that something else holds on to', async () => {
  await refuses(() => update('count', { type: 'UUID', default: null }), invalid('type'))
  await refuses(() => update('secret', { type: 'STRING', size: 3 }), invalid('type'))
  await refuses(() => update('slug', { type: 'STRING', size: 3 }), invalid('type'))
  await refuses(
    () => update('count', { type: 'RELATION' }),
    (error) => error instanceof Invalid,
  )
  await refuses(() => update('title', { type: 'TEXT' }), conflict('“byTitle”'))
  await refuses(() => update('title', { size: 1_000 }), conflict('“byTitle”'))
  await refuses(() => update('count', { type: 'BIGINT', default: null }), conflict('“slug”'))
  await refuses(() => update('title', { type: 'EMAIL' }), conflict('“slug”'))
})

test('what is used is not deleted: by an index, a rule, a computed attribute', async () => {
  const index = await ctx.db.index.findFirstOrThrow({ where: { collectionId: id } })
  await refuses(() => deleteAttribute(ctx, title.id), conflict('The index “byTitle”'))
  await ctx.db.index.delete({ where: { id: index.id } })
  await refuses(() => deleteAttribute(ctx, title.id), conflict('The computed attribute “slug”'))
  await deleteAttribute(ctx, (await of('slug')).id)
  await refuses(() => deleteAttribute(ctx, title.id), conflict('The rule 1'))
  await refuses(async () => deleteAttribute(ctx, (await of('parent')).id), conflict('The rule 1'))
  await updateCollection(ctx, id, { rules: [] })
  await deleteAttribute(ctx, title.id)
})

test('what was computed before it had a limit is no obstacle to changes, but for a name that makes it too long', async () => {
  const computed = Array(60).fill('title').join(' || ')
  const add = () => createAttribute(ctx, { collectionId: id, key: 'long', type: 'TEXT', computed })
  await refuses(add, invalid('computed'))
  const slug = await of('slug')
  await ctx.db.attribute.update({ where: { id: slug.id }, data: { computed } })
  await update('slug', { key: 'long' })
  await refuses(() => update('title', { key: 'quite_a_long_name' }), conflict('too long'))
  await update('title', { key: 'name' })
  assert.equal((await of('long')).computed, computed.replaceAll('title', 'name'))
  await refuses(() => deleteAttribute(ctx, title.id), conflict('The index “byTitle”'))
  await deleteAttribute(ctx, (await of('count')).id)
  await deleteAttribute(ctx, slug.id)
})

test('one change after the other', async () => {
  assert.equal((await update('count', { max: 5 })).status, 'CHANGING')
  await refuses(() => update('count', { max: 6 }), conflict('being changed'))
  await refuses(() => update('count', { key: 'n' }), conflict('being changed'))
  const { id: late } = await createAttribute(ctx, { collectionId: id, key: 'late', type: 'INTEGER' })
  await refuses(() => updateAttribute(ctx, { id: late, key: 'n' }), conflict('still being made'))
  await tables.applyAll()
  assert.equal((await update('count', { max: 6 })).status, 'CHANGING')
  await deleteAttribute(ctx, (await of('slug')).id)
  await deleteAttribute(ctx, (await of('count')).id)
  await refuses(() => update('count', { key: 'n' }), conflict('being deleted'))
  await tables.applyAll()
  assert.equal(await ctx.db.attribute.count({ where: { collectionId: id, key: 'count' } }), 0)
})

test('what is computed of an attribute with permissions has permissions of its own', async () => {
  const permissions = [{ right: 'read', role: 'label:boss' }] as const
  const length = { collectionId: id, key: 'titleLength', type: 'INTEGER', computed: 'length(title)' } as const
  await refuses(() => update('title', { permissions }), conflict('The computed attribute “slug”'))
  await update('slug', { permissions })
  await update('title', { permissions })
  await refuses(() => createAttribute(ctx, length), invalid('permissions'))
  await createAttribute(ctx, { ...length, permissions: [] })
  await refuses(() => update('slug', { permissions: null }), invalid('permissions'))
  await update('title', { permissions: null })
  await update('slug', { permissions: null })
})

test('a look at a change is refused where the change would be, and changes nothing', async () => {
  const check = (changes: object) => checkAttributeChange(ctx, { id: title.id, ...changes })
  await refuses(() => check({ key: 'count' }), conflict('“count”'))
  await refuses(() => check({ size: 0 }), invalid('size'))
  const count = (await world.emitted()).length
  assert.deepEqual(await check({ key: 'name' }), { possible: true, failing: 0, examples: [] })
  await tables.insertDocuments(id, 12, ', title', ", 'abc'")
  const { failing, examples, possible } = await check({ size: 2 })
  assert.deepEqual([possible, failing, examples.length], [false, 12, 10])
  assert.equal((await world.emitted()).length, count)
})

test('another project’s attribute and one that is not there cannot be told apart', async () => {
  const stranger = (await world.createProject()).owner
  for (const id of [title.id, newId('att'), 'att_\0', '__proto__']) {
    for (const fn of [updateAttribute, checkAttributeChange]) {
      await assert.rejects(
        fn(stranger, { id, key: 'a' }),
        (error) => error instanceof NotFound && error.message === 'There is no such attribute.',
      )
    }
  }
})

test('what PostgreSQL has to say of a pattern, a default or an expression is said at once', async () => {
  const add = (input: object) => createAttribute(ctx, { collectionId: id, key: 'a', type: 'STRING', size: 5, ...input })
  for (const pattern of ['(', '[', 'a{2,1}', '\\', '***x', 'a**'])
    await refuses(() => add({ pattern }), invalid('pattern'))
  await refuses(() => add({ pattern: '^[a-z]+$', default: 'A' }), invalid('default'))
  await refuses(() => add({ default: 'abcdef' }), invalid('default'))
  await refuses(() => add({ type: 'INTEGER', size: null, min: 5, default: 4 }), invalid('default'))
  await refuses(() => add({ type: 'ENUM', size: null, elements: ['a'], default: 'b' }), invalid('default'))
  const wrong = [
    'absent',
    'a',
    'slug',
    'secret',
    'parent',
    'title + 1',
    'lower(count)',
    'title > 1',
    'if(title, 1, 2)',
    'count and true',
    "left(title, 'x')",
  ]
  for (const computed of wrong) await refuses(() => add({ computed }), invalid('computed'))
  await refuses(() => add({ type: 'INTEGER', size: null, computed: 'title' }), invalid('computed'))
  await refuses(() => add({ type: 'INTEGER', size: null, computed: '2147483647 + 1' }), invalid('computed'))
})

test('more changes at once than there are connections wait for each other, and none for itself', async () => {
  const keys = Array.from({ length: 2 * world.env.DATABASE_POOL }, (_, i) => `n${i}`)
  const made = keys.map((key) =>
    createAttribute(ctx, { collectionId: id, key, type: 'STRING', size: 9, pattern: '^a', computed: 'lower(title)' }),
  )
  assert.equal((await Promise.all(made)).length, keys.length)
})
