import assert from 'node:assert/strict'
import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { createServer } from 'node:net'
import { after, before, test } from 'node:test'
import { setTimeout as wait } from 'node:timers/promises'
import { connect } from './http/fixture.ts'
import { createWorld, type World } from './testing/world.ts'

let world: World
let env: NodeJS.ProcessEnv
before(async () => {
  world = await createWorld()
  const { DATABASE_URL, REDIS_URL } = world.env
  env = {
    PATH: process.env.PATH,
    DATABASE_URL,
    REDIS_URL,
    SECRET_KEYS: Buffer.alloc(32, 7).toString('base64'),
    PORT: '0',
  }
})
after(() => world.close())

type Run = { child: ChildProcess; out: () => string; exited: Promise<number | null> }

function start(more: NodeJS.ProcessEnv = {}): Run {
  const child = spawn(process.execPath, ['src/main.ts'], {
    env: { ...env, ...more },
    stdio: ['ignore', 'pipe', 'pipe'],
  })
  let text = ''
  for (const stream of [child.stdout, child.stderr]) stream.on('data', (chunk) => (text += chunk))
  return { child, out: () => text, exited: once(child, 'exit').then(([code]) => code) }
}

async function listening(run: Run): Promise<string> {
  for (let i = 0; i < 200; i += 1) {
    const [, url] = /listening at (http:\S+?)"/.exec(run.out()) ?? []
    if (url) return url
    await wait(100)
  }
  throw new Error(run.out())
}

test('an environment that cannot be used is told, and nothing starts', async () => {
  const run = start({ SECRET_KEYS: '', PORT: '99999', DATABASE_URL: 'mysql://x' })
  assert.equal(await run.exited, 1)
  for (const name of ['SECRET_KEYS', 'PORT', 'DATABASE_URL']) assert.match(run.out(), new RegExp(name))
  assert.doesNotMatch(run.out(), /\n +at /)
})

test('a port that is taken is told in one sentence', async () => {
  const taken = createServer().listen(0, '127.0.0.1')
  await once(taken, 'listening')
  const { port } = taken.address() as { port: number }
  const run = start({ PORT: String(port) })
  assert.equal(await run.exited, 1)
  assert.match(
    run.out(),
    new RegExp(`^Something already listens on 127.0.0.1:${port}; set PORT or HOST to another.$`, 'm'),
  )
  assert.doesNotMatch(run.out(), /\n +at /)
  taken.close()
})

test('a server that is not there is told', async () => {
  const run = start({ DATABASE_URL: 'postgresql://postgres@127.0.0.1:1/none' })
  assert.equal(await run.exited, 1)
  assert.match(run.out(), /PostgreSQL/)
  assert.doesNotMatch(run.out(), /\n +at /)
})

test('the real API answers, and SIGTERM ends the process with 0 after what is in flight', async () => {
  const run = start()
  const url = await listening(run)
  const ask = () =>
    fetch(`${url}/graphql`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: '{"query":"{ __schema { queryType { name } } account { id } }"}',
    })
  assert.deepEqual(await (await ask()).json(), { data: { __schema: { queryType: { name: 'Query' } }, account: null } })
  const client = await connect(`${url}/graphql`)
  // A lock keeps the answer away until after the signal.
  const lock = await world.app.sql.connect()
  await lock.query('begin; lock table projects in access exclusive mode')
  const inFlight = ask()
  await wait(300)
  run.child.kill('SIGTERM')
  assert.deepEqual(await client.closed, { code: 1001, reason: 'The server is going away. Connect again.' })
  await assert.rejects(ask())
  await lock.query('commit')
  lock.release()
  const answer = await inFlight
  assert.equal(answer.status, 200)
  assert.equal(answer.headers.get('connection'), 'close')
  assert.equal(await run.exited, 0)
})
