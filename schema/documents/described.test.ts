import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import { type Documents, openProject } from '../../src/testing/documents.ts'
import { createTables } from '../../src/testing/tables.ts'

let d: Documents

before(async () => {
  d = await openProject(async (world) => {
    const { ctx, make } = await createTables(world)
    const items = await make({
      key: 'items',
      attributes: [
        { key: 'code', type: 'STRING', size: 2_000, pattern: '^[a-z]+$' },
        { key: 'slug', type: 'STRING', size: 40, unique: true },
        { key: 'secret', type: 'JSON', encrypted: true },
        { key: 'marks', type: 'INTEGER', list: true, min: 1, max: 6 },
        { key: 'shown', type: 'BOOLEAN', default: true },
        { key: 'loud', type: 'STRING', size: 40, computed: 'upper(slug)' },
      ],
    })
    return { projectId: ctx.projectId, owner: ctx, ids: { items } }
  })
})
after(() => d.close())

test('a field says what it holds, and what can be done with it', async () => {
  const fieldsOf = async (type: string, fields: string) => {
    const data = await d.done(d.owner, `{ type: __type(name: "${type}") { ${fields} { name description } } }`)
    const named: [string, string][] = data.type[fields].map((one: { name: string; description: string }) => [
      one.name,
      one.description,
    ])
    return Object.fromEntries(
      named.filter(([name]) => ['code', 'slug', 'secret', 'marks', 'shown', 'loud'].includes(name)),
    )
  }
  const both = {
    code: 'A text of at most 2,000 characters. Matches `^[a-z]+$`.',
    slug: 'A text of at most 40 characters. No two documents have the same.',
    secret: 'JSON. Kept encrypted: nothing is found or ordered by it.',
    marks: 'A list: each a whole number from 1 to 6.',
  }
  assert.deepEqual(await fieldsOf('Item', 'fields'), {
    ...both,
    shown: 'True or false.',
    loud: 'A text of at most 40 characters. Computed: it cannot be set.',
  })
  assert.deepEqual(await fieldsOf('CreateItemInput', 'inputFields'), {
    ...both,
    shown: 'True or false. true for a new one, if left out.',
  })
  // A default does not come back where a change leaves it out.
  for (const type of ['UpdateItemInput', 'ItemSet']) {
    assert.equal((await fieldsOf(type, 'inputFields')).shown, 'True or false.', type)
  }
})
