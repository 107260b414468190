import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import { type Documents, openDocuments } from '../../src/testing/documents.ts'

let documents: Documents

before(async () => {
  documents = await openDocuments({
    things: {
      attributes: {
        name: { type: 'TEXT' },
        size: { type: 'DECIMAL' },
        mail: { type: 'EMAIL', computed: 'lower(name)' },
        web: { type: 'URL', computed: "concat('about ', name)" },
        area: { type: 'DECIMAL', computed: 'size * size' },
      },
    },
  })
  const sizes = ['9'.repeat(80), `0.${'1'.repeat(99)}`, null, '0.10']
  for (const [i, size] of sizes.entries()) {
    const input = { id: `t${i}`, name: `No ${i} of four`, size }
    await documents.done(documents.owner, 'mutation ($i: CreateThingInput!) { createThing(input: $i) { id } }', {
      i: input,
    })
  }
})
after(() => documents.close())

test('pages by what is computed fit together, though it could not be written like that', async () => {
  for (const by of ['mail', 'web', 'area', 'size']) {
    for (const direction of ['ASC', 'DESC']) {
      const seen: string[] = []
      for (let after: string | null = null, more = true; more; ) {
        const query = `query ($after: String) { things(first: 1, after: $after, orderBy: [{ ${by}: ${direction} }]) { nodes { id } pageInfo { endCursor hasNextPage } } }`
        const { things } = await documents.done(documents.owner, query, { after })
        seen.push(things.nodes[0].id)
        after = things.pageInfo.endCursor
        more = things.pageInfo.hasNextPage
      }
      assert.deepEqual(seen.toSorted(), ['t0', 't1', 't2', 't3'], `${by} ${direction}`)
    }
  }
})

test('a decimal has no more digits for what is made of it', async () => {
  const make = (apply: string, id = 't0') =>
    `mutation { updateThing(input: { id: "${id}" }, apply: { size: ${apply} }) { size } }`
  await documents.refused(
    documents.owner,
    make('{ multiply: "1000000000000000000000" }'),
    'INVALID This would pass its bounds. (apply.size)',
  )
  await documents.refused(documents.owner, make('{ multiply: "0.1" }', 't1'), /^INVALID/)
  await documents.refused(documents.owner, make('{ power: "2" }'), /^INVALID/)
  const { updateThing } = await documents.done(documents.owner, make('{ multiply: "100000000000000000000" }'))
  assert.equal(updateThing.size, '9'.repeat(80) + '0'.repeat(20))
})
