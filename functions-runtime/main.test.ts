import assert from 'node:assert/strict'
import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { createServer } from 'node:net'
import { test } from 'node:test'

function start(env: NodeJS.ProcessEnv, ipc = false): ChildProcess {
  const args = ['--no-node-snapshot', 'functions-runtime/main.ts']
  return spawn(process.execPath, args, { env, stdio: ['ignore', 'pipe', 'pipe', ...(ipc ? (['ipc'] as const) : [])] })
}

async function urlOf(child: ChildProcess): Promise<string> {
  const [text] = await once(child.stdout ?? assert.fail(), 'data')
  return /http:\S+(?=\/health)/.exec(String(text))?.[0] ?? assert.fail(String(text))
}

test('answers /health and nothing else, without a database or secrets, until SIGTERM', async () => {
  const child = start({ PORT: '0' })
  const url = await urlOf(child)
  const health = await fetch(`${url}/health`)
  assert.equal(health.status, 200)
  assert.deepEqual(await health.json(), { status: 'ok' })
  assert.equal((await fetch(`${url}/health`, { method: 'HEAD' })).status, 200)
  for (const path of ['/', '/health/', '/health?x', '/graphql']) assert.equal((await fetch(url + path)).status, 404)
  assert.equal((await fetch(`${url}/health`, { method: 'POST' })).status, 404)
  child.kill('SIGTERM')
  assert.deepEqual(await once(child, 'exit'), [0, null])
})

test('ends with the process that started it', async () => {
  const child = start({ PORT: '0' }, true)
  await urlOf(child)
  child.disconnect()
  assert.deepEqual(await once(child, 'exit'), [0, null])
})

test('a port that cannot be used is told in one sentence', async () => {
  const taken = createServer().listen(0, '127.0.0.1')
  await once(taken, 'listening')
  const { port } = taken.address() as { port: number }
  for (const PORT of [String(port), 'nonsense', '70000']) {
    const child = start({ PORT })
    const [text] = await once(child.stderr ?? assert.fail(), 'data')
    assert.match(String(text), /^The functions runtime cannot listen on 127\.0\.0\.1:\w+: .+\n$/)
    assert.deepEqual(await once(child, 'exit'), [1, null])
  }
  taken.close()
})
