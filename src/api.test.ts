import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { after, before, test } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import { startApi } from './api.ts'
import { createWorld, type World } from './testing/world.ts'

let world: World
before(async () => {
  world = await createWorld({ PORT: '0' })
})
after(() => world.close())

/** Sends five requests at once when it is told to, each on a connection of its own, and says what came of them. */
const client = `
  const ask = (url) => fetch(url, { method: 'POST', headers: { 'content-type': 'application/json' }, body: '{"query":"{__typename}"}' })
  process.stdin.once('data', async (url) => {
    const answers = await Promise.allSettled(Array.from({ length: 5 }, () => ask(String(url))))
    console.log(JSON.stringify(answers.map(({ value, reason }) => value?.status ?? reason.cause?.code)))
    process.exit(0)
  })
  console.log('ready')
`

test('requests that a busy process has not looked at when it closes are answered', async (t) => {
  const api = await startApi(world.app)
  const child = spawn(process.execPath, ['-e', client], { stdio: ['pipe', 'pipe', 'inherit'] })
  t.after(() => child.kill('SIGKILL'))
  const exited = once(child, 'exit')
  let said = ''
  child.stdout.on('data', (chunk) => {
    said += chunk
  })
  await once(child.stdout, 'data')
  const closing = api.close(200)
  await sleep(100)
  child.stdin.write(`${api.url}/graphql`)
  // What is told is sent while nothing is looked at, and the time to drain is over when something is.
  Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 600)
  await closing
  await exited
  assert.deepEqual(said.split('\n')[1], '[200,200,200,200,200]')
})
