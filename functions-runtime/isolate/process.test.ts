import assert from 'node:assert/strict'
import { test } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import { bundleSandbox } from './bundle.ts'
import { startSandbox } from './process.ts'
import { sandboxCommand, whyUnsealed } from './seal.ts'

function isThere(session: number): boolean {
  try {
    return process.kill(-session, 0)
  } catch {
    return false
  }
}

test('a process that is killed in its first milliseconds is gone, with all that it has begun', async () => {
  const isSealed = whyUnsealed() === null
  const command = sandboxCommand({ isSealed, isTrusted: false, memoryMb: 512, keepsDying: false })
  const program = await bundleSandbox()
  const killed: number[] = []
  for (let ms = 0; ms < 13; ms += 0.5) {
    const sandbox = startSandbox({ command, program, memoryMb: 512, watchesMemory: false })
    for (const end = performance.now() + ms; performance.now() < end; );
    sandbox.kill('CRASHED', [])
    const { reason } = await Promise.race([sandbox.gone, sleep(5_000, { reason: 'It is not gone.' }, { ref: false })])
    assert.equal(reason, 'CRASHED', `after ${ms} ms`)
    killed.push(sandbox.pid ?? 0)
  }
  for (let tries = 0; killed.some(isThere); tries += 1) {
    if (tries === 100) assert.fail('Something is left.')
    await sleep(100)
  }
})
