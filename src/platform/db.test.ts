import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import { createWorld, type World } from '../testing/world.ts'
import { createPool, poolLimits } from './db.ts'

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

test('what is computed of a day is the same wherever the server stands', async () => {
  const { sql } = world.app
  const { rows } = await sql.query<{ name: string }>('select current_database() as name')
  for (const setting of ["timezone = 'Asia/Tokyo'", "datestyle = 'SQL, DMY'"])
    await sql.query(`alter database ${rows[0]?.name} set ${setting}`)
  await sql.query(
    'create table days (day date, at timestamptz generated always as (day) stored, said text generated always as (day) stored)',
  )
  const pool = createPool(world.env.DATABASE_URL, 1)
  await pool.query("insert into days values ('2026-11-30')")
  const found = await sql.query('select at, said from days')
  assert.deepEqual(found.rows, [{ at: new Date('2026-11-30T00:00:00Z'), said: '2026-11-30' }])
  await pool.end()
})
