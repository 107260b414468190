import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import { createCollections } from '../testing/collections.ts'
import { createWorld, type World } from '../testing/world.ts'
import { loadModel } from './load.ts'
import { whereSql } from './related-sql.ts'
import { openScope } from './scope.ts'
import { type Condition, parseWhere } from './where.ts'

let world: World
before(async () => {
  world = await createWorld()
})
after(() => world.close())

test('a vector is as far from another one as pgvector says', async (t) => {
  const { rows } = await world.app.sql.query(`select 1 from pg_available_extensions where name = 'vector'`)
  if (rows.length === 0) return t.skip('This PostgreSQL has no extension pgvector.')
  const { projectId, owner } = await world.createProject()
  await world.app.sql.query('create extension if not exists vector')
  await createCollections(owner, { spots: { attributes: { at: { type: 'VECTOR', dimensions: 2 } } } })
  const spots = await loadModel(world.app.sql, projectId)
  const [collection] = [...spots.collections.values()]
  assert.ok(collection)
  await world.app.sql.query(
    `insert into ${collection.table} ("_id", at) values ('a', '[0,1]'), ('b', '[3,4]'), ('c', null)`,
  )
  for (const [measure, lt, expected] of [
    ['EUCLIDEAN', 4, ['a']],
    ['COSINE', 0.5, ['a', 'b']],
    ['DOT', -1, ['b']],
  ] as const) {
    const scope = openScope(spots, { roles: null, userId: null })
    const where: Condition = parseWhere(spots, collection, { at: { distance: { from: [0, 1], measure, lt } } }, [])
    const near: { rows: { id: string }[] } = await world.app.sql.query<{ id: string }>(
      `select "_id" as id from ${collection.table} t where ${whereSql(scope, where, 't')} order by 1`,
      scope.bound(),
    )
    assert.deepEqual(
      near.rows.map((row) => row.id),
      expected,
      measure,
    )
  }
})
