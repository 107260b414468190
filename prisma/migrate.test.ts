import assert from 'node:assert/strict'
import { execFile } from 'node:child_process'
import { after, before, test } from 'node:test'
import { promisify } from 'node:util'
import { createWorld, type World } from '../src/testing/world.ts'
import { migrate, readMigrations } from './migrate.ts'

let world: World
before(async () => {
  world = await createWorld()
})
after(() => world.close())

const run = promisify(execFile)
const diff = async (...args: string[]) => {
  const env = { ...process.env, DATABASE_URL: world.env.DATABASE_URL }
  return (await run(process.execPath, ['prisma/diff.ts', ...args], { env })).stdout
}

test('models and migrations agree', async () => {
  assert.equal(await diff(), 'Models and migrations agree.\n')
})

test('a difference would be seen', async () => {
  const other = await createWorld()
  await other.app.sql.query('alter table users drop column labels')
  assert.match(await diff(other.env.DATABASE_URL), /ADD COLUMN +"labels"/)
  await other.close()
})

test('any number of processes may migrate at once, and again', async () => {
  await world.app.sql.query('create database several')
  const url = Object.assign(new URL(world.env.DATABASE_URL), { pathname: '/several' }).href
  try {
    const applied = await Promise.all([1, 2, 3, 4].map(() => migrate(url)))
    assert.equal(applied.flat().length, readMigrations().length)
    assert.deepEqual(await migrate(url), [])
  } finally {
    await world.app.sql.query('drop database several with (force)')
  }
})

test('a migration that was changed after it had been applied is refused', async () => {
  await world.app.sql.query(`update _prisma_migrations set checksum = 'x'`)
  await assert.rejects(migrate(world.env.DATABASE_URL), /was changed after it had been applied/)
})
