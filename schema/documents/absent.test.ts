import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import { type Documents, openDocuments } from '../../src/testing/documents.ts'

let d: Documents

before(async () => {
  d = await openDocuments({
    posts: { documentPermissions: true, attributes: {} },
    memos: {
      permissions: ['read:users', 'write:users'],
      attributes: { post: { type: 'RELATION', to: 'posts', reverseKey: 'memos', onDelete: 'SET_NULL' } },
    },
  })
})
after(() => d.close())

test('of a document that is not there only that is told, however PostgreSQL goes about it', async () => {
  const change = 'mutation { updateMemo(input: { id: "none", post: "none" }) { id } }'
  // A statement is prepared when it comes again.
  for (let i = 0; i < 3; i += 1) {
    const { errors } = await d.run(d.as('ann'), change)
    assert.deepEqual(errors, ['NOT_FOUND There is no such document. (input.id)'])
  }
  const { rows } = await d.world.app.sql.query<{ statement: string }>(
    `select statement from pg_prepared_statements where statement like '%written as (update%'`,
  )
  const [{ statement } = assert.fail('Nothing was prepared.')] = rows
  const plan = await d.world.app.sql.query<{ 'QUERY PLAN': string }>(`explain (generic_plan) ${statement}`)
  const lines = plan.rows.map((row) => row['QUERY PLAN'])
  const scan = lines.findIndex((line) => /CTE Scan on given/.test(line))
  assert.ok(scan > 0, lines.join('\n'))
  // Whether it may be written is asked of what is joined with a document, and not of what is given alone.
  assert.doesNotMatch(lines[scan + 1] ?? '', /documents\.allow/)
  assert.match(lines.join('\n'), /Join Filter: CASE WHEN .*documents\.allow/)
})
