/** `npm run faults:bugs`: that the fault run finds each bug that it can plant, and nothing where there is none. For CI: some minutes. */
import assert from 'node:assert/strict'
import { once } from 'node:events'
import { join } from 'node:path'
import { text } from 'node:stream/consumers'
import { test } from 'node:test'
import { spawnTied } from '../../servers/lifeline.ts'
import { bugs } from './bugs.ts'
import { faults } from './faults.ts'

async function run(signal: AbortSignal, ...args: string[]) {
  const main = [join(import.meta.dirname, 'main.ts'), '--json', '--seed', '3', ...args]
  const { child } = spawnTied('KILL', process.execPath, main, {
    env: { ...process.env, NODE_ENV: 'test' },
    stdio: ['ignore', 'pipe', 'pipe'],
  })
  const { stdout, stderr } = child
  assert.ok(stdout && stderr)
  signal.addEventListener('abort', () => child.kill('SIGKILL'))
  const [said, complained, [code]] = await Promise.all([text(stdout), text(stderr), once(child, 'exit')])
  return { code, output: said + complained }
}

test('nothing is lost by kill-relay, kill-redis and kill-worker', async ({ signal }) => {
  const { code, output } = await run(signal, '--seconds', '6', '--only', 'kill-relay,kill-redis,kill-worker')
  assert.equal(code, 0, output)
})

test('nothing is lost by all of them', { timeout: 20 * 60_000 }, async ({ signal }) => {
  const { code, output } = await run(signal, '--seconds', String(3 * Object.keys(faults).length))
  assert.equal(code, 0, output)
})

for (const [name, { foundBy }] of Object.entries(bugs)) {
  for (const fault of foundBy) {
    test(`${fault} finds ${name}`, async ({ signal }) => {
      const { code, output } = await run(signal, '--seconds', '5', '--only', fault, '--planted-bug', name)
      assert.equal(code, 1, output)
    })
  }
}
