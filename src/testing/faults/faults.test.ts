import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { bugs, readBug } from './bugs.ts'
import { createRandom, faults } from './faults.ts'
import { repository } from './processes.ts'

const [someBug = ''] = Object.keys(bugs)

test('a bug can be planted nowhere but in a test, and only one that there is', () => {
  assert.equal(readBug(undefined, 'production'), null)
  assert.throws(() => readBug(someBug, 'production'))
  assert.throws(() => readBug('another', 'test'))
  assert.equal(readBug(someBug, 'test'), someBug)
})

test('each fault has a bug that its run must find, and each bug fits the code that there is', () => {
  const found = Object.values(bugs).flatMap(({ foundBy }) => foundBy)
  for (const name of [...Object.keys(faults), 'upgrade']) assert.ok(found.includes(name), name)
  for (const [name, { changes }] of Object.entries(bugs)) {
    for (const { file, find } of changes) {
      assert.match(readFileSync(join(repository, file), 'utf8'), find, `${name} no longer fits ${file}`)
    }
  }
})

test('a seed names a run', () => {
  const [one, two, other] = [createRandom(7), createRandom(7), createRandom(8)]
  const numbers = [one(), one(), one()]
  assert.deepEqual(numbers, [two(), two(), two()])
  assert.ok(numbers.every((number) => number >= 0 && number < 1 && number !== other()))
})
