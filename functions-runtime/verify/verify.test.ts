import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { test } from 'node:test'

async function verify(...args: string[]): Promise<{ code: number; verdict: Record<string, number>; said: string }> {
  const { NODE_TEST_CONTEXT: _, ...env } = process.env
  const child = spawn(process.execPath, ['functions-runtime/verify/main.ts', ...args], { env, stdio: 'pipe' })
  let said = ''
  for (const stream of [child.stdout, child.stderr]) {
    stream.on('data', (text) => {
      said += text
    })
  }
  const [code] = await once(child, 'close')
  const last = said.trim().split('\n').at(-1) ?? ''
  return { code, said, verdict: last.startsWith('{') ? JSON.parse(last) : {} }
}

test('every hostile function is contained, and no other tenant sees it', async () => {
  const { code, verdict, said } = await verify()
  const { cases, ...rest } = verdict
  assert.deepEqual(rest, { escaped: 0, apiPidChanged: 0, otherTenantFailures: 0 }, said)
  assert.ok(Number(cases) > 100)
  assert.equal(code, 0)
})

test('options with a prototype are found', async () => {
  const { code, verdict, said } = await verify('--only', 'pollute-re', '--planted-bug', 'plain-options')
  assert.ok(Number(verdict.escaped) >= 1, said)
  assert.match(said, /ESCAPED +pollute-reference /)
  assert.equal(code, 1)
})

test('an executor that dies is no run that could not be tried', async () => {
  const { code, verdict, said } = await verify('--only', 'loop-', '--planted-bug', 'executor-dies')
  assert.equal(verdict.apiPidChanged, 1, said)
  assert.equal(code, 1)
})

test('what cannot be tried is told as that', async () => {
  assert.equal((await verify('--only', 'no-such-file')).code, 2)
  assert.equal((await verify('--planted-bug', 'nonsense')).code, 2)
})
