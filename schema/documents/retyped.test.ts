import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import pino from 'pino'
import { createGraphql } from '../../src/server.ts'
import { answered } from '../../src/testing/answered.ts'
import { type Documents, openDocuments } from '../../src/testing/documents.ts'
import { bodyOf } from '../../src/testing/hostile/values.ts'
import { createSchemas } from '../schemas.ts'

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

test('what PostgreSQL said of it is in the log: it may as well be a fault of the statement', async () => {
  const lines: { level: number; err: { code: string } }[] = []
  const log = pino({ level: 'warn' }, { write: (line) => lines.push(JSON.parse(line)) })
  const { app } = documents.world
  const schemas = createSchemas(app)
  const graphql = createGraphql(app, schemas)
  const body = bodyOf({ query: '{ things { nodes { day } } }' })
  const { errors } = await answered(graphql, { ...documents.owner, log }, body)
  assert.equal(errors[0]?.code, 'UNAVAILABLE')
  assert.deepEqual(
    lines.map(({ level, err }) => [level, err.code]),
    [[pino.levels.values.warn, '42883']],
  )
  await graphql.close()
  await schemas.close()
})
