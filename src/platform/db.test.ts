import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import { createWorld, type World } from '../testing/world.ts'
import { poolLimits } from './db.ts'

let world: World
before(async () => {
  world = await createWorld()
})
after(() => world.close())

test('every connection stops a statement after 15 seconds, that of Prisma too', async () => {
  assert.equal(poolLimits.statementMs, 15_000)
  const show = 'show statement_timeout'
  const { rows } = await world.app.sql.query(show)
  assert.deepEqual(rows, [{ statement_timeout: '15s' }])
  assert.deepEqual(await world.app.db.$queryRawUnsafe(show), rows)
  assert.deepEqual((await world.app.reserve.query(show)).rows, rows)
})
