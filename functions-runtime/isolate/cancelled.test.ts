import assert from 'node:assert/strict'
import { test } from 'node:test'
import { setTimeout as wait } from 'node:timers/promises'
import { program } from '../testing/executor.ts'
import { bundleSandbox } from './bundle.ts'
import type { FromSandbox } from './messages.ts'
import { startSandbox } from './process.ts'
import { sandboxCommand, whyUnsealed } from './seal.ts'

test('a run that is given up while its program is opened does not begin', async (t) => {
  const command = sandboxCommand({
    isSealed: whyUnsealed() === null,
    isTrusted: false,
    memoryMb: 768,
    keepsDying: false,
  })
  const sandbox = startSandbox({ command, program: await bundleSandbox(), memoryMb: 768, watchesMemory: false })
  t.after(() => sandbox.kill('CRASHED', []))
  await sandbox.ready
  const said: FromSandbox[] = []
  sandbox.listen((head) => void said.push(head))
  const source = program(`async ({ fetch }) => fetch('http://example.org/')`)
  const run = (id: string) => {
    const request = { method: 'GET', url: '/', headers: {} }
    const rest = { functionId: 'fun_1', timeoutMs: 2_000, memoryMb: 64, variables: {}, isStreamed: false }
    sandbox.send({ kind: 'run', id, program: 'abc', request, ...rest })
  }
  sandbox.send({ kind: 'program', program: 'abc' }, Buffer.from(source))
  run('given up')
  sandbox.send({ kind: 'cancel', id: 'given up' })
  run('wanted')
  const asking = () => said.flatMap((head) => (head.kind === 'effect' ? [head.id] : []))
  while (!asking().includes('wanted')) await wait(20)
  await wait(200)
  assert.deepEqual(asking(), ['wanted'])
})
