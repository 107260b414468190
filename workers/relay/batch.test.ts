import assert from 'node:assert/strict'
import { test } from 'node:test'
import { lookQuery } from '../../src/platform/cache/watch.ts'
import { createWorld } from '../../src/testing/world.ts'
import { workQuery } from './batch.ts'

test('an outbox in which much has waited is not read through for the little that waits', async (t) => {
  const world = await createWorld()
  t.after(world.close)
  const { sql } = world.app
  await sql.query('alter table events.outbox set (autovacuum_enabled = false)')
  await sql.query(
    `insert into events.outbox (id, "projectId", name, type, aggregate, payload, "actorKind")
     select gen_random_uuid(), 'prj_1', 'posts', 'documents.created', 'doc', '{}', 'system' from generate_series(1, 20000) i`,
  )
  await sql.query('delete from events.outbox')
  for (const [query, values] of [
    [lookQuery, ['0']],
    [workQuery, []],
  ] as const) {
    const { rows } = await sql.query(`explain ${query}`, [...values])
    const plan = rows.map((row) => row['QUERY PLAN']).join('\n')
    assert.doesNotMatch(plan, /Seq Scan on outbox/, plan)
  }
})
