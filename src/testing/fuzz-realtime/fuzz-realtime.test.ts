import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { join } from 'node:path'
import { describe, test } from 'node:test'
import { plant } from './bugs.ts'
import { type Evidence, judge } from './judge.ts'
import type { Delivery } from './listener.ts'
import type { Subscription } from './subscriptions.ts'

async function fuzz(...args: string[]) {
  const options = ['--json', '--seed', '2', '--subscriptions', '18', ...args]
  const child = spawn(process.execPath, [join(import.meta.dirname, 'main.ts'), ...options])
  let [output, errors] = ['', '']
  child.stdout.on('data', (chunk) => (output += chunk))
  child.stderr.on('data', (chunk) => (errors += chunk))
  const [code] = await once(child, 'close')
  const last = output.trim().split('\n').at(-1) ?? ''
  return { code, output: output + errors, result: last.startsWith('{') ? JSON.parse(last) : {} }
}

describe('a short run', { concurrency: 2 }, () => {
  test('finds nothing extra and nothing missing', async () => {
    const { code, output, result } = await fuzz('--deliveries', '400')
    assert.equal(code, 0, output)
    assert.deepEqual([result.extra, result.missing], [0, 0], output)
    assert.ok(result.deliveries >= 400, output)
  })

  for (const bug of ['skip-read-on-update', 'roles-of-start', 'lose-on-resume']) {
    test(`finds the planted bug ${bug}`, async () => {
      const { code, output, result } = await fuzz('--deliveries', '5000', '--planted-bug', bug)
      assert.equal(code, 1, output)
      assert.ok(result.extra + result.missing > 0, output)
    })
  }
})

const subscription = { collection: 'posts' } as Subscription
const rows = (...nodes: { id: string; version: number }[]) => new Map(nodes.map((node) => [node.id, node]))
const told = (kind: string, node: { id: string; version: number } | null, id = 'a'): Delivery => {
  return { cursor: '1', kind, id, changedFields: [], node }
}
const [old, young] = [
  { id: 'a', version: 1 },
  { id: 'a', version: 2 },
]

/** A document that changes, of which these see one row or the other. */
const evidence = (...views: Evidence['views']): Evidence => ({
  all: { before: rows(old), after: rows(young) },
  views,
  mayReadField: () => true,
})

test('what comes is held to its kind, its node, its number and its rights', () => {
  const updated = evidence({ before: rows(old), after: rows(young) })
  const counts = (given: Evidence, ...deliveries: Delivery[]) => {
    const { kinds, extra, missing } = judge(subscription, given, deliveries)
    return [kinds.length, extra.length, missing.length]
  }
  assert.deepEqual(counts(updated, told('UPDATED', young)), [1, 0, 0])
  assert.deepEqual(counts(updated), [0, 0, 1])
  assert.deepEqual(counts(updated, told('ENTERED', young)), [1, 1, 0])
  assert.deepEqual(counts(updated, told('UPDATED', old)), [1, 1, 0])
  assert.deepEqual(counts(updated, told('UPDATED', young), told('UPDATED', young)), [1, 1, 0])
  assert.deepEqual(counts(updated, told('UPDATED', young), told('UPDATED', young, 'b')), [1, 1, 0])
  const hidden = evidence({ before: rows(), after: rows() })
  assert.deepEqual(counts(hidden), [0, 0, 0])
  assert.deepEqual(counts(hidden, told('UPDATED', young)), [1, 1, 0])
  const named = { ...told('UPDATED', young), changedFields: ['note'] }
  assert.deepEqual(counts({ ...updated, mayReadField: () => false }, named), [1, 1, 0])
})

test('while rights change, the old ones and the new ones may decide', () => {
  const [all, none] = [
    { before: rows(old), after: rows(young) },
    { before: rows(), after: rows() },
  ]
  assert.equal(judge(subscription, evidence(all, none), []).missing.length, 0)
  assert.equal(judge(subscription, evidence(all, none), [told('UPDATED', young)]).extra.length, 0)
  assert.equal(judge(subscription, evidence(all, all), []).missing.length, 1)
  assert.equal(judge(subscription, evidence(none, none), [told('UPDATED', young)]).extra.length, 1)
})

test('a bug is planted nowhere but in a test, and only one that there is', async () => {
  assert.throws(() => plant('lose-on-resume', 'production'))
  assert.throws(() => plant('another', 'test'))
  assert.equal((await fuzz('--planted-bug', 'another')).code, 2)
})
