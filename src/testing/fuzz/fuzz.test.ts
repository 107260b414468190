import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { join } from 'node:path'
import { describe, test } from 'node:test'
import { plant, plantableBugs } from './bugs.ts'
import { weaknesses } from './compare.ts'
import { principals } from './data.ts'

async function fuzz(...args: string[]) {
  const child = spawn(process.execPath, [join(import.meta.dirname, 'main.ts'), '--json', '--seed', '5', ...args])
  let [output, errors] = ['', '']
  child.stdout.on('data', (chunk) => (output += chunk))
  child.stderr.on('data', (chunk) => (errors += chunk))
  const [code] = await once(child, 'close')
  const last = output.trim().split('\n').at(-1) ?? ''
  return { code, output: output + errors, result: last.startsWith('{') ? JSON.parse(last) : {} }
}

describe('a short run', { concurrency: 2 }, () => {
  test('finds no difference', async () => {
    const { code, output, result } = await fuzz('--operations', '100', '--principals', 'guest,bob,tia', '--seed', '8')
    assert.equal(code, 0, output)
    assert.equal(result.operations, 300)
    assert.deepEqual([result.differences, result.unequal, result.internal, result.equal], [0, 0, 0, 300], output)
  })

  test('finds none where answers are kept', async () => {
    const { code, output, result } = await fuzz('--operations', '60', '--cached', '--seed', '7')
    assert.equal(code, 0, output)
    assert.deepEqual([result.differences, result.unequal, result.internal, result.equal], [0, 0, 0, 300], output)
    assert.ok(result.kept > result.queries, output)
  })

  for (const bug of plantableBugs) {
    test(`finds the planted bug ${bug}`, async () => {
      const { code, output, result } = await fuzz(
        '--operations',
        '500',
        '--principals',
        'tia',
        '--planted-bug',
        bug,
        ...(bug.startsWith('cache') ? ['--cached'] : []),
      )
      assert.equal(code, 1, output)
      assert.ok(result.operations <= 500 && result.differences > 0, output)
    })
  }
})

test('a run in which hardly anything succeeds is not valid', () => {
  const [, principal] = principals
  assert.ok(principal)
  const found = { internal: 0, differences: 0, equal: 5000, unequal: 0 }
  const counts = {
    operations: 5000,
    telling: 4000,
    mutations: 2000,
    changing: 1500,
    queries: 3000,
    compiled: 2900,
    kept: 0,
    ...found,
  }
  const trial = { principal, counts, hidden: 9, mayChange: true, coverage: () => 1 }
  assert.deepEqual(weaknesses(trial), [])
  assert.equal(weaknesses({ ...trial, counts: { ...counts, telling: 100 } }).length, 1)
  assert.equal(weaknesses({ ...trial, counts: { ...counts, changing: 0 } }).length, 1)
  assert.equal(weaknesses({ ...trial, counts: { ...counts, mutations: 0, changing: 0 } }).length, 1)
  assert.equal(weaknesses({ ...trial, counts: { ...counts, compiled: 0 } }).length, 1)
  assert.equal(weaknesses({ ...trial, coverage: () => 0.1 }).length, 1)
  assert.equal(weaknesses({ ...trial, hidden: 0 }).length, 1)
})

test('a bug is planted nowhere but in a test, and only one that there is', () => {
  assert.throws(() => plant('count-unfiltered', 'production'))
  assert.throws(() => plant('another', 'test'))
})

test('what cannot be run is not valid', async () => {
  assert.equal((await fuzz('--principals', 'nobody')).code, 2)
  assert.equal((await fuzz('--planted-bug', 'another')).code, 2)
})
