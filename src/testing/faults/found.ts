/** `npm run faults:bugs`: that the fault run finds each bug that it can plant, and nothing where there is none. For CI: some minutes. */
import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { join } from 'node:path'
import { test } from 'node:test'
import { bugs } from './bugs.ts'
import { faults } from './faults.ts'

async function run(...args: string[]) {
  const child = spawn(process.execPath, [join(import.meta.dirname, 'main.ts'), '--json', '--seed', '3', ...args], {
    env: { ...process.env, NODE_ENV: 'test' },
    stdio: ['ignore', 'pipe', 'pipe'],
  })
  let output = ''
  for (const stream of [child.stdout, child.stderr]) stream.on('data', (chunk) => (output += chunk))
  const [code] = await once(child, 'close')
  return { code, output }
}

test('nothing is lost by kill-relay, kill-redis and kill-worker', async () => {
  const { code, output } = await run('--seconds', '6', '--only', 'kill-relay,kill-redis,kill-worker')
  assert.equal(code, 0, output)
})

test('nothing is lost by all of them', async () => {
  const { code, output } = await run('--seconds', String(3 * Object.keys(faults).length))
  assert.equal(code, 0, output)
})

for (const [name, { foundBy }] of Object.entries(bugs)) {
  for (const fault of foundBy) {
    test(`${fault} finds ${name}`, async () => {
      const { code, output } = await run('--seconds', '5', '--only', fault, '--planted-bug', name)
      assert.equal(code, 1, output)
    })
  }
}
