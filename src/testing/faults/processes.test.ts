import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { join } from 'node:path'
import { test } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import { exists } from '../../servers/processes.ts'

/** Starts a process, freezes it, and says who it is. */
const run = `
  import { startProcess } from '${join(import.meta.dirname, 'processes.ts')}'
  const { child, ready } = startProcess({
    name: 'frozen', file: '-e', args: ['console.log("ready"); setInterval(() => {}, 1e9)'], env: {}, plantedBug: null, readyWhen: /ready/,
  })
  await ready
  child.kill('SIGSTOP')
  console.log(child.pid)
`

test('what a run has started does not outlive it, however it ends, and be it frozen', async () => {
  const parent = spawn(process.execPath, ['--input-type=module', '-e', run], { stdio: ['ignore', 'pipe', 'inherit'] })
  const [line] = await once(parent.stdout, 'data')
  const pid = Number(String(line))
  assert.ok(exists(pid))
  parent.kill('SIGKILL')
  for (let tries = 0; exists(pid); tries += 1) {
    assert.ok(tries < 100, 'It is still there.')
    await sleep(50)
  }
})
