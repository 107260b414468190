import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import { type Documents, openDocuments } from '../../src/testing/documents.ts'

let documents: Documents

before(async () => {
  documents = await openDocuments({
    things: { attributes: { n: { type: 'INTEGER' }, day: { type: 'DATE' }, yes: { type: 'BOOLEAN' } } },
  })
  await documents.done(
    documents.owner,
    'mutation { createThing(input: { n: 1, day: "2026-01-01", yes: true }) { id } }',
  )
  const { sql } = documents.world.app
  const table = `"${documents.projectId}"."${documents.ids.things}"`
  for (const column of ['n', 'day', 'yes']) await sql.query(`alter table ${table} alter column ${column} type text`)
})
after(() => documents.close())

test('a node that does not know yet that an attribute is of another type says so', async () => {
  const wait = ['UNAVAILABLE The schema of this project is being changed. Try again.']
  for (const source of [
    '{ things { nodes { day } } }',
    '{ things(where: { n: { gt: 0 } }) { nodes { id } } }',
    '{ thingsAggregate { sum { n } } }',
    'mutation { createThing(input: { yes: true }) { id } }',
    'mutation { updateThings(where: { n: { eq: 1 } }, set: { day: "2026-01-02" }) { count } }',
  ]) {
    assert.deepEqual((await documents.run(documents.owner, source)).errors, wait, source)
  }
})
