import assert from 'node:assert/strict'
import { after, before, beforeEach, test } from 'node:test'
import type { Context } from '../../src/context.ts'
import { type Documents, openDocuments } from '../../src/testing/documents.ts'
import { statements } from '../../src/testing/statements.ts'

let documents: Documents
let owner: Context

before(async () => {
  documents = await openDocuments({
    items: {
      documentPermissions: true,
      permissions: ['create:users'],
      attributes: {
        slug: { type: 'STRING', unique: true },
        year: { type: 'INTEGER' },
        place: { type: 'STRING' },
        hidden: { type: 'STRING', unique: true, restricted: true, permissions: ['update:users'] },
        views: { type: 'INTEGER', default: 0 },
        item: { type: 'RELATION', to: 'items', reverseKey: 'items' },
      },
      indexes: { yearPlace: { type: 'UNIQUE', attributes: ['year', 'place'] } },
    },
    plains: { permissions: ['create:users', 'update:users'], attributes: { name: { type: 'STRING' } } },
  })
  owner = documents.owner
})
beforeEach(() => documents.clear())
after(() => documents.close())

const as: Documents['as'] = (...given) => documents.as(...given)
const run: Documents['run'] = (...given) => documents.run(...given)
const done: Documents['done'] = (...given) => documents.done(...given)
const refused: Documents['refused'] = (...given) => documents.refused(...given)

const many = (inputs: string, on = '') => `mutation { upsertItems(inputs: [${inputs}]${on}) { id slug views version } }`

test('many: those that are there are changed, the others created, in the order of the inputs', async () => {
  await done(as('ann'), 'mutation { createItem(input: { id: "b", slug: "s", views: 7 }) { id } }')
  const { upsertItems } = await done(
    as('ann'),
    many('{ id: "a" }, { id: "b", slug: "t" }, { id: "c", views: 1, slug: "x" }'),
  )
  assert.deepEqual(upsertItems, [
    { id: 'a', slug: null, views: 0, version: 1 },
    { id: 'b', slug: 't', views: 7, version: 2 },
    { id: 'c', slug: 'x', views: 1, version: 1 },
  ])
  const { rows } = await documents.world.app.sql.query('select type from events.outbox order by position')
  assert.deepEqual(rows.map(({ type }) => type).sort(), [
    'documents.created',
    'documents.created',
    'documents.created',
    'documents.updated',
  ])
  assert.deepEqual((await done(as('ann'), many(''))).upsertItems, [])
})

test('by a unique attribute, and by a unique index', async () => {
  const bySlug = 'mutation { upsertItem(input: { slug: "s", views: 1 }, on: slug, apply: { }) { id views version } }'
  const first = (await done(as('ann'), bySlug)).upsertItem
  const second = (await done(as('ann'), bySlug)).upsertItem
  assert.deepEqual([first.version, second], [1, { ...first, version: 2 }])
  const byIndex = many(
    '{ year: 1, place: "x" }, { year: 1, place: "y" }, { id: "n", year: 2, place: "x" }',
    ', on: yearPlace',
  )
  const ids = async () => (await done(as('ann'), byIndex)).upsertItems.map(({ id }: { id: string }) => id)
  const made = await ids()
  assert.equal(made[2], 'n')
  assert.deepEqual(await ids(), made)
  const { upsertItem } = await done(
    as('ann'),
    'mutation { upsertItem(input: { id: "other", slug: "s" }, on: slug, apply: { views: { increment: 2 } }, ifVersion: 2) { id views } }',
  )
  assert.deepEqual(upsertItem, { id: first.id, views: 3 })
  await refused(
    as('ann'),
    'mutation { upsertItem(input: { slug: "s" }, on: slug, ifVersion: 2) { id } }',
    /^CONFLICT .*version/,
  )
})

test('what stands within them is written too', async () => {
  const upsert = many('{ slug: "s", newItem: { slug: "t" }, items: { create: [{}] } }, { slug: "z" }', ', on: slug')
  await done(as('ann'), upsert)
  await refused(as('ann'), upsert, 'CONFLICT Another document has this slug. (inputs.0.newItem.slug)')
  await done(as('ann'), many('{ slug: "s", items: { set: [] } }', ', on: slug'))
  const { items } = await done(
    as('ann'),
    '{ items(where: { slug: { eq: "s" } }) { nodes { item { slug } items { totalCount } } } }',
  )
  assert.deepEqual(items.nodes, [{ item: { slug: 't' }, items: { totalCount: 0 } }])
})

test('one that may not be read is told of as when it is created', async () => {
  await done(as('bob'), 'mutation { createItem(input: { id: "b", slug: "s" }) { id } }')
  await refused(as('ann'), many('{ id: "b" }'), 'CONFLICT Another document has this id. (inputs.0.id)')
  await refused(as('ann'), many('{ id: "c" }, { slug: "s" }', ', on: slug'), /^INVALID .* \(inputs\.0\.slug\)$/)
  await refused(
    as('ann'),
    many('{ slug: "t" }, { slug: "s" }', ', on: slug'),
    'CONFLICT Another document has this slug. (inputs.1.slug)',
  )
  await refused(as(null), many('{ id: "c" }'), /Cannot query|FORBIDDEN/)
})

test('the rights to change and to create', async () => {
  await done(owner, 'mutation { createItem(input: { id: "b", permissions: [{ right: READ, role: "users" }] }) { id } }')
  await refused(as('ann'), many('{ id: "a" }, { id: "b" }'), 'FORBIDDEN You may not change this document. (inputs.1)')
})

test('what is wrong is named', async () => {
  await refused(as('ann'), many('{ id: "a" }, { id: "a" }'), /^INVALID .* \(inputs\.1\)$/)
  await refused(as('ann'), many('{ views: 1 }'), /^INVALID .* \(inputs\.0\.id\)$/)
  await refused(as('ann'), many('{ id: "x y" }'), /^INVALID .* \(inputs\.0\.id\)$/)
  await refused(as('ann'), many('{ slug: null }', ', on: slug'), /^INVALID .* \(inputs\.0\.slug\)$/)
  await refused(
    as('ann'),
    many('{ id: "a" }, { id: "b", item: "none" }'),
    /^INVALID There is no such document\. \(inputs\.1\.item\)$/,
  )
  await refused(as('ann'), many('{ slug: "x" }', ', on: hidden'), /hidden/)
  assert.match((await run(owner, 'mutation { upsertPlain(input: { name: "x" }) { id } }')).errors[0] ?? '', /id/)
})

test('many at once make one document of each key', async () => {
  const upsert = (i: number) =>
    run(as('ann'), many(`{ slug: "a", views: ${i} }, { slug: "b", views: ${i} }`, ', on: slug'))
  const outcomes = await Promise.all(Array.from({ length: 8 }, (_, i) => upsert(i)))
  assert.deepEqual(
    outcomes.flatMap(({ errors }) => errors),
    [],
  )
  const { world, projectId, ids } = documents
  const { rows } = await world.app.sql.query(
    `select slug, "_version" as version from "${projectId}"."${ids.items}" order by slug`,
  )
  assert.deepEqual(rows, [
    { slug: 'a', version: 8 },
    { slug: 'b', version: 8 },
  ])
})

test('as many statements for a thousand as for four', async () => {
  const upsert = (count: number) =>
    statements(() =>
      done(owner, 'mutation ($i: [UpsertItemInput!]!) { upsertItems(inputs: $i, on: slug) { id } }', {
        i: Array.from({ length: count }, (_, i) => ({ slug: `${i}` })),
      }),
    )
  await upsert(2)
  const few = await upsert(4)
  const more = await upsert(1_000)
  assert.equal(more.result.upsertItems.length, 1_000)
  const main = (texts: string[]) => texts.filter((text) => text.startsWith('with given')).length
  // What is there, what is changed, what is created.
  assert.deepEqual([main(few.texts), main(more.texts)], [3, 3])
})
