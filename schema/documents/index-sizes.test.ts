import assert from 'node:assert/strict'
import { randomBytes } from 'node:crypto'
import { after, before, test } from 'node:test'
import { type Documents, openDocuments } from '../../src/testing/documents.ts'

let documents: Documents

before(async () => {
  documents = await openDocuments({
    things: {
      attributes: {
        name: { type: 'TEXT' },
        web: { type: 'URL', computed: "concat('http://example.org/', name)" },
        words: { type: 'TEXT' },
        tags: { type: 'STRING', size: 5_000, list: true },
      },
      indexes: {
        byWeb: { type: 'KEY', attributes: ['web'] },
        byWords: { type: 'FULLTEXT', attributes: ['words'], language: 'simple' },
        byTags: { type: 'GIN', attributes: ['tags'] },
      },
    },
  })
})
after(() => documents.close())

test('a value that PostgreSQL cannot put into an index is refused in words of its own', async () => {
  const long = randomBytes(3_000).toString('base64')
  const words = Array.from({ length: 70_000 }, () => randomBytes(6).toString('hex')).join(' ')
  const create = 'mutation ($i: CreateThingInput!) { createThing(input: $i) { id } }'
  for (const i of [{ name: long }, { tags: [long] }, { words }]) {
    const refusal = 'LIMIT_EXCEEDED A value is too long for an index that it would be in.'
    await documents.refused(documents.owner, create, refusal, { i })
  }
  const { createThing } = await documents.done(documents.owner, create, { i: { name: 'a', tags: ['a'], words: 'a' } })
  assert.ok(createThing.id)
})
