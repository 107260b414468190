import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { randomUUID } from 'node:crypto'
import { once } from 'node:events'
import { existsSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before, test } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import { startApi } from './api.ts'
import { createWorld, type World } from './testing/world.ts'

let world: World
before(async () => {
  world = await createWorld({ PORT: '0' })
})
after(() => world.close())

/**
 * Sends five requests at once when it is told where to, each on a connection of its own, makes a file when they are on their way,
 * and says what came of them.
 */
const client = `
  const { request } = require('node:http')
  const { writeFileSync } = require('node:fs')
  process.stdin.once('data', async (asked) => {
    const { url, file } = JSON.parse(String(asked))
    let sent = 0
    const ask = () => new Promise((done) => {
      const options = { method: 'POST', agent: false, headers: { 'content-type': 'application/json' } }
      request(url, options, (response) => response.resume().on('end', () => done(response.statusCode)))
        .on('error', ({ code }) => done(code))
        .on('finish', () => ++sent === 5 && writeFileSync(file, ''))
        .end('{"query":"{__typename}"}')
    })
    console.log(JSON.stringify(await Promise.all(Array.from({ length: 5 }, ask))))
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
  const begun = performance.now()
  const closing = api.close(200)
  await sleep(100)
  const file = join(tmpdir(), `sent-${randomUUID()}`)
  t.after(() => rmSync(file, { force: true }))
  child.stdin.write(JSON.stringify({ url: `${api.url}/graphql`, file }))
  // What is told is sent while nothing is looked at, and the time to drain is over when something is.
  const isSent = () => existsSync(file) && performance.now() - begun > 600
  while (!isSent() && performance.now() - begun < 20_000) {
    Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 20)
  }
  await closing
  await exited
  assert.deepEqual(said.split('\n')[1], '[200,200,200,200,200]')
})
