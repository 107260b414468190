import assert from 'node:assert/strict'
import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { createServer } from 'node:net'
import { after, before, test } from 'node:test'
import { setTimeout as wait } from 'node:timers/promises'
import { welcomes } from './http/welcome.ts'
import { connect, withoutCost } from './testing/server.ts'
import { createWorld, type World } from './testing/world.ts'

let world: World
let env: NodeJS.ProcessEnv
const children: ChildProcess[] = []
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
after(async () => {
  // Those of a test that has failed.
  for (const child of children) child.kill('SIGKILL')
  await world.close()
})

type Run = { child: ChildProcess; out: () => string; exited: Promise<number | null> }

function start(more: NodeJS.ProcessEnv = {}): Run {
  const child = spawn(process.execPath, ['src/main.ts'], {
    env: { ...env, ...more },
    stdio: ['ignore', 'pipe', 'pipe'],
  })
  children.push(child)
  let text = ''
  for (const stream of [child.stdout, child.stderr]) stream.on('data', (chunk) => (text += chunk))
  return { child, out: () => text, exited: once(child, 'exit').then(([code]) => code) }
}

async function listening(run: Run): Promise<string> {
  for (let i = 0; i < 600; i += 1) {
    const [, url] = /listening at (http:\S+?)"/.exec(run.out()) ?? []
    if (url) return `${url}/graphql`
    await wait(100)
  }
  throw new Error(run.out())
}

test('an environment that cannot be used is told, and nothing starts', async () => {
  const run = start({ SECRET_KEYS: '', PORT: '99999', DATABASE_URL: 'mysql://x' })
  assert.equal(await run.exited, 1)
  for (const told of ['SECRET_KEYS is not set', 'PORT must be at most 65,535', 'DATABASE_URL must be'])
    assert.match(run.out(), new RegExp(told))
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

test('nothing that is sent ends the process', async () => {
  const run = start()
  const url = await listening(run)
  const { pid } = run.child
  const post = (body: string | Uint8Array<ArrayBuffer>, type = 'application/json') =>
    fetch(url, { method: 'POST', headers: { 'content-type': type }, body }).then((response) => response.status)
  const fragments = (n: number) =>
    Array.from({ length: n }, (_, i) => `fragment F${i} on Query { ...F${i + 1} ...F${i + 1} }`)
  const queries = [
    '{a'.repeat(20_000),
    `{ ...F0 } ${fragments(100).join(' ')}`,
    '{ ...A } fragment A on Query { ...A }',
    `{ ${Array.from({ length: 10_000 }, (_, i) => `a${i}: account { id }`).join(' ')} }`,
    '{ __proto__ constructor toString }',
    'query __proto__($__proto__: Int) { account { id } }',
    `{ account(id: ${'['.repeat(900)}1${']'.repeat(900)}) }`,
    `{ __schema { types { ${'fields { type { '.repeat(40)} name ${'} }'.repeat(40)} } } }`,
  ]
  const bodies = [
    ...queries.map((query) => JSON.stringify({ query })),
    '['.repeat(900_000),
    `{"query":"{ account { id } }","variables":${'{"a":'.repeat(100_000)}1${'}'.repeat(100_000)}}`,
    '{"query":"query ($a: Int) { account { id } }","variables":{"a":1e308,"__proto__":{"x":1},"constructor":null}}',
    '{"__proto__":{"query":"{ account { id } }"}}',
  ]
  for (const body of bodies) assert.equal(await post(body), 400, body.slice(0, 80))
  assert.equal(await post(new Uint8Array(2_000_000)), 413)
  assert.equal(await post('x', 'multipart/form-data; boundary=x'), 403)
  const socket = await connect(url)
  socket.socket.send('x'.repeat(10_000_000), () => {})
  assert.equal((await socket.closed).code, 1009)
  for (const query of queries) {
    const client = await connect(url)
    client.send({ id: '__proto__', type: 'subscribe', payload: { query } })
    assert.equal((await client.received(2))[1]?.type, 'error')
    client.socket.terminate()
  }
  assert.equal((await fetch(url.replace('/graphql', '/health'))).status, 200)
  assert.equal(run.child.pid, pid)
  assert.equal(run.child.exitCode, null)
  assert.doesNotMatch(run.out(), /"level":[56]0/)
  run.child.kill('SIGTERM')
  assert.equal(await run.exited, 0)
})

test('the welcome that GraphiQL shows works, step by step', async () => {
  const run = start()
  const url = await listening(run)
  const post = async (query: string, authorization = '') => {
    const headers = { 'content-type': 'application/json', ...(authorization && { authorization }) }
    const response = await fetch(url, { method: 'POST', headers, body: JSON.stringify({ query }) })
    const { data } = (await response.json()) as { data: Record<string, { id: string; name: string; secret: string }> }
    return data
  }
  const [signUp, createProject] = welcomes.console.map(({ query }) => query)
  const signedUp = await post(`${signUp}`.replace('password: ""', 'password: "correct horse battery"'))
  const authorization = `Bearer ${signedUp.signUp?.secret}`
  const { createProject: project } = await post(`${createProject}`, authorization)
  const home = url.replace('/graphql', `/projects/${project?.id}/graphql`)
  assert.equal(project?.name, 'My project')
  const [look] = welcomes.project
  for (const asked of ['', authorization]) {
    const answer = await fetch(home, {
      method: 'POST',
      headers: { 'content-type': 'application/json', ...(asked && { authorization: asked }) },
      body: JSON.stringify({ query: look?.query }),
    })
    assert.equal(answer.status, 200)
  }
  run.child.kill('SIGTERM')
  assert.equal(await run.exited, 0)
})

test('the real API answers, and SIGTERM ends the process with 0 after what is in flight', async () => {
  const run = start()
  const url = await listening(run)
  const ask = (path = '') =>
    fetch(new URL(path, url), {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: '{"query":"{ __schema { queryType { name } } account { id } }"}',
    })
  assert.deepEqual(withoutCost(await (await ask()).json()), {
    data: { __schema: { queryType: { name: 'Query' } }, account: null },
  })
  const client = await connect(url)
  // A lock keeps the answer away until after the signal.
  const lock = await world.app.sql.connect()
  await lock.query('begin; lock table projects in access exclusive mode')
  // Which projects there are not is read each time.
  const inFlight = ask('/projects/none/graphql')
  await wait(300)
  run.child.kill('SIGTERM')
  assert.deepEqual(await client.closed, { code: 1001, reason: 'The server is going away. Connect again.' })
  await assert.rejects(ask())
  await lock.query('commit')
  lock.release()
  const answer = await inFlight
  assert.equal(answer.status, 404)
  assert.equal(answer.headers.get('connection'), 'close')
  assert.equal(await run.exited, 0)
})
