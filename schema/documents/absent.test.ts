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

/** As it is for every value. PostgreSQL 15 shows that of what is prepared only. */
async function planOf(statement: string): Promise<string[]> {
  const client = await d.world.app.sql.connect()
  try {
    await client.query(`prepare shown as ${statement}`)
    await client.query('set plan_cache_mode = force_generic_plan')
    const count = Math.max(...[...statement.matchAll(/\$(\d+)/g)].map(([, number]) => Number(number)))
    const { rows } = await client.query<{ 'QUERY PLAN': string }>(`explain execute shown(${Array(count).fill('null')})`)
    return rows.map((row) => row['QUERY PLAN'])
  } finally {
    client.release(true)
  }
}

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
  const lines = await planOf(statement)
  const scan = lines.findIndex((line) => /CTE Scan on given/.test(line))
  assert.ok(scan > 0, lines.join('\n'))
  // Whether it may be written is asked of what is joined with a document, and not of what is given alone.
  assert.doesNotMatch(lines[scan + 1] ?? '', /documents\.allow/)
  assert.match(lines.join('\n'), /Join Filter: CASE WHEN .*documents\.allow/)
})
