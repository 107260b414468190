import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import { isStream, jsonOf } from '../../src/http/stream.ts'
import { createGraphql, type Graphql } from '../../src/server.ts'
import { type Documents, openDocuments } from '../../src/testing/documents.ts'
import { feed } from '../../src/testing/feed.ts'
import { type Relay, startRelay } from '../../workers/relay.ts'

let d: Documents
let relay: Relay | undefined
let graphqls: Graphql[]

before(async () => {
  const where = { editors: { has: '$userId' } }
  d = await openDocuments({
    pages: {
      rules: [
        ...(['create', 'read', 'update', 'delete'] as const).map((right) => ({ right, role: 'users', where })),
        { right: 'read', role: 'any', where: { not: where, tags: { has: 'open' } } },
      ],
      attributes: {
        editors: { type: 'STRING', list: true },
        tags: { type: 'STRING', list: true },
        title: { type: 'STRING' },
      },
      indexes: { byEditor: { type: 'GIN', attributes: ['editors'] } },
    },
  })
  graphqls = [createGraphql(d.world.app), createGraphql(d.world.app, undefined, { plans: false })]
  const inputs = Object.entries({
    both: { editors: ['ann', 'bob'] },
    anns: { editors: ['ann'], tags: ['open'] },
    empty: { editors: [] },
    none: { editors: null },
    open: { editors: null, tags: ['x', 'open'] },
  }).map(([id, input]) => ({ id, ...input }))
  await d.done(d.owner, 'mutation ($inputs: [CreatePageInput!]!) { createPages(inputs: $inputs) { id } }', { inputs })
})
after(async () => {
  for (const one of graphqls) await one.close()
  await relay?.stop()
  await d.close()
})

const due: Record<string, string[]> = {
  ann: ['anns', 'both', 'open'],
  bob: ['anns', 'both', 'open'],
  cid: ['anns', 'open'],
}

test('whoever is in a list writes the document, but not so that others could or they could not', async () => {
  const [ann, bob, cid] = [d.as('ann'), d.as('bob'), d.as('cid')]
  const update = (input: string) => `mutation { updatePage(input: { ${input} }) { title } }`
  await d.done(bob, update('id: "both", title: "x"'))
  await d.refused(bob, update('id: "anns", title: "x"'), /FORBIDDEN/)
  await d.refused(cid, update('id: "open", title: "x"'), /FORBIDDEN/)
  await d.refused(bob, update('id: "both", editors: ["ann"]'), /FORBIDDEN/)
  await d.refused(d.as(null), 'mutation { deletePage(id: "open") }', /deletePage/)
  await d.refused(bob, 'mutation { createPage(input: { editors: ["ann"] }) { id } }', /FORBIDDEN/)
  await d.refused(ann, 'mutation { deletePages(where: {}) { count } }', /FORBIDDEN/)
  await d.done(bob, 'mutation { createPage(input: { id: "new", editors: ["bob"] }) { id } deletePage(id: "new") }')
})

test('and reads it, on both paths and by an answer that is kept', async () => {
  relay = startRelay(d.world.app)
  while ((await d.world.emitted()).length > 0) await sleep(10)
  for (const graphql of graphqls)
    for (const directive of ['', '@cached(maxAge: 60)', '@cached(maxAge: 60)'])
      for (const name of ['ann', 'bob', 'cid', null]) {
        const query = `query ${directive} { pages { nodes { id } } pagesAggregate { count } }`
        const answer = await graphql.run({ ...d.as(name) }, { query, variables: {} }, ['query'])
        assert.ok(!isStream(answer))
        const { data } = JSON.parse(jsonOf(answer))
        const ids = data.pages.nodes.map(({ id }: { id: string }) => id)
        assert.deepEqual(ids, due[name ?? 'cid'], `${name}`)
        assert.equal(data.pagesAggregate[0].count, due[name ?? 'cid']?.length)
      }
})

test('a subscriber is told of it, and that it leaves with the name', async () => {
  const [graphql] = graphqls
  assert.ok(graphql)
  const query = 'subscription { pageChanged { kind id } }'
  const asked = ['ann', 'bob', 'cid', null]
  const fed = await Promise.all(asked.map((name) => feed(graphql, d.as(name), { query, variables: {} })))
  await d.done(d.owner, 'mutation { updatePage(input: { id: "both", title: "y" }) { id } }')
  await d.done(
    d.owner,
    'mutation { updatePage(input: { id: "both" }, apply: { editors: { remove: ["bob"] } }) { id } }',
  )
  await d.done(d.owner, 'mutation { updatePage(input: { id: "open", title: "last" }) { id } }')
  const told: string[][] = []
  for (const one of fed) {
    await one.until((texts) => texts.some((text) => text.includes('"open"')))
    told.push(one.texts.map((text) => Object.values(JSON.parse(text).data.pageChanged).join(' ')))
    one.leave()
  }
  assert.deepEqual(told, [
    ['UPDATED both', 'UPDATED both', 'UPDATED open'],
    ['UPDATED both', 'LEFT both', 'UPDATED open'],
    ['UPDATED open'],
    ['UPDATED open'],
  ])
})
