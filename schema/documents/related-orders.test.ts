import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import type { Context } from '../../src/context.ts'
import { type Documents, openDocuments } from '../../src/testing/documents.ts'

let documents: Documents

before(async () => {
  documents = await openDocuments({
    towns: { permissions: ['read:any'], attributes: { place: { type: 'POINT' } } },
    shops: {
      permissions: ['read:users'],
      attributes: {
        about: { type: 'TEXT' },
        place: { type: 'POINT', restricted: true, permissions: ['read:label:staff'] },
        town: { type: 'RELATION', to: 'towns' },
      },
      indexes: { words: { type: 'FULLTEXT', attributes: ['about'] } },
    },
    offers: {
      permissions: ['read:any'],
      attributes: { price: { type: 'INTEGER' }, shop: { type: 'RELATION', to: 'shops' } },
    },
  })
  const make = (source: string) => documents.done(documents.owner, `mutation { ${source} { id } }`)
  const at = (longitude: number) => `{ type: "Point", coordinates: [${longitude}, 0] }`
  await make(
    `createTowns(inputs: [{ id: "west", place: ${at(-20)} }, { id: "east", place: ${at(10)} }, { id: "lost" }])`,
  )
  await make(`createShops(inputs: [
    { id: "a", about: "tea", place: ${at(3)}, town: "west" }
    { id: "b", about: "tea, tea and tea", place: ${at(1)}, town: "east" }
    { id: "c", about: "coffee", town: "lost" }
  ])`)
  const offers = ['a', 'b', 'c', 'a', null].map(
    (shop, i) => `{ id: "${i}", price: ${i}, ${shop === null ? '' : `shop: "${shop}"`} }`,
  )
  await make(`createOffers(inputs: [${offers.join(' ')}])`)
})
after(() => documents.close())

const near = 'near: { type: "Point", coordinates: [0, 0] }'

/** The ids of a list, page by page. */
async function paged(order: string, size: number): Promise<string> {
  const query = `query ($after: String) { offers(first: ${size}, after: $after, orderBy: [${order}]) { nodes { id } pageInfo { endCursor hasNextPage } } }`
  const seen: string[] = []
  for (let after: string | null = null, more = true; more; ) {
    const { offers } = await documents.done(documents.owner, query, { after })
    seen.push(...offers.nodes.map(({ id }: { id: string }) => id))
    after = offers.pageInfo.endCursor
    more = offers.pageInfo.hasNextPage
  }
  return seen.join('')
}

test('a list is ordered by what is near, and by what fits a search, of related documents, and its pages fit together', async () => {
  for (const [order, expected] of [
    [`{ shop: { place: { ${near} } } }`, '10324'],
    [`{ shop: { place: { ${near}, direction: DESC } } }`, '42301'],
    [`{ shop: { town: { place: { ${near} } } } }, { price: DESC }`, '13042'],
    ['{ shop: { aboutRank: { search: "tea" } } }, { price: DESC }', '41302'],
  ] as const) {
    for (const size of [1, 2, 5]) assert.equal(await paged(order, size), expected, `${order} ${size}`)
  }
})

test('who may not read a related document has nothing ordered by it, and no order by a field that they may not read', async () => {
  const query = (order: string) => `{ offers(orderBy: [{ shop: { ${order} } }, { price: DESC }]) { nodes { id } } }`
  const ids = async (ctx: Context, order: string) => {
    const { offers } = await documents.done(ctx, query(order))
    return offers.nodes.map(({ id }: { id: string }) => id).join('')
  }
  assert.equal(await ids(documents.as('ann', ['staff']), `place: { ${near} }`), '13042')
  const refusal = /"place" is not defined by type "ShopOrder"|You may not read/
  await documents.refused(documents.as('ann'), query(`place: { ${near} }`), refusal)
  assert.equal(await ids(documents.as('ann'), 'aboutRank: { search: "tea" }'), '41302')
  await documents.refused(documents.as(null), query('aboutRank: { search: "tea" }'), /aboutRank|shop/)
})
