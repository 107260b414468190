import assert from 'node:assert/strict'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import { readMigrations, writeMigration } from './migration-files.ts'

test('a migration comes behind those that are there, also of the same second and of a clock that was ahead', () => {
  const folder = mkdtempSync(join(tmpdir(), 'migrations-'))
  const at = new Date('2026-11-30T02:00:59.900Z')
  const write = (words: string, when = at) => writeMigration(folder, words, when, { up: [], down: [] })
  assert.equal(write('views'), join(folder, '20261130020059_views.json'))
  write('by views')
  write('after')
  write('earlier', new Date('2026-11-30T01:00:00Z'))
  write('later', new Date('2026-12-01T00:00:00Z'))
  const words = readMigrations(folder).map(({ name }) => name.slice(15))
  assert.deepEqual(words, ['views', 'by_views', 'after', 'earlier', 'later'])
  rmSync(folder, { recursive: true })
})
