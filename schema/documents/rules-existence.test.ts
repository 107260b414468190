import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import { type Documents, openDocuments } from '../../src/testing/documents.ts'

let d: Documents

before(async () => {
  const own = (right: 'create' | 'read' | 'update') =>
    ({ right, role: 'users', where: { owner: { eq: '$userId' } } }) as const
  d = await openDocuments({
    items: {
      rules: [own('create'), own('read'), own('update')],
      attributes: { owner: { type: 'STRING' }, slug: { type: 'STRING', unique: true } },
    },
  })
  await d.done(d.as('bob'), 'mutation { createItem(input: { id: "b", owner: "bob", slug: "s" }) { id } }')
  await d.done(d.as('ann'), 'mutation { createItem(input: { id: "a", owner: "ann", slug: "t" }) { id } }')
})
after(() => d.close())

const told = async (field: string) => (await d.run(d.as('ann'), `mutation { ${field} { id } }`)).errors

test('who may not create a document is not told whether one of its id or of another unique value is there', async () => {
  const fields: Record<string, (id: string, slug: string) => string> = {
    create: (id) => `createItem(input: { id: "${id}", owner: "bob" })`,
    unique: (_, slug) => `createItem(input: { owner: "bob", slug: "${slug}" })`,
    'create many': (id) => `createItems(inputs: [{ id: "z1", owner: "ann" }, { id: "${id}", owner: "bob" }])`,
    'conflict before': (id) => `createItems(inputs: [{ id: "${id}", owner: "ann" }, { id: "z2", owner: "bob" }])`,
    upsert: (id) => `upsertItem(input: { id: "${id}", owner: "bob" })`,
    'upsert many': (id) => `upsertItems(inputs: [{ id: "a", slug: "t" }, { id: "${id}", owner: "bob" }])`,
    'upsert by another': (_, slug) => `upsertItem(input: { slug: "${slug}", owner: "bob" }, on: slug)`,
    'upsert without': (id) => `upsertItem(input: { id: "${id}" })`,
  }
  for (const [name, field] of Object.entries(fields)) {
    const there = await told(field('b', 's'))
    assert.match(there[0] ?? '', /^FORBIDDEN/, name)
    assert.deepEqual(there, await told(field('nowhere', 'no')), name)
  }
})

test('who may create it is told that its id, or another unique value, is taken', async () => {
  for (const field of [
    'createItem(input: { id: "b", owner: "ann" })',
    'upsertItem(input: { id: "b", owner: "ann" })',
    'upsertItems(inputs: [{ id: "b", owner: "ann" }])',
    'upsertItem(input: { slug: "s", owner: "ann" }, on: slug)',
  ])
    assert.match((await told(field))[0] ?? '', /^CONFLICT/, field)
})
