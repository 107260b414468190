import assert from 'node:assert/strict'
import { globSync, readFileSync } from 'node:fs'
import { test } from 'node:test'
import { catalogue } from '../event.ts'
import './catalogue.ts'

const folder = import.meta.dirname

test('every events.ts is in the catalogue', () => {
  const list = readFileSync(`${folder}/catalogue.ts`, 'utf8')
  const files = globSync('*/events.ts', { cwd: folder })
  assert.ok(files.length > 10)
  for (const file of files) assert.ok(list.includes(`'./${file}'`), file)
})

test('a name is a noun in the plural and an action in the past', () => {
  for (const name of catalogue.keys()) assert.match(name, /^[a-z]+s\.[a-z-]+(ed|sent|changed)$/, name)
})
