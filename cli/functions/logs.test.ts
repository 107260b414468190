import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdirSync, writeFileSync } from 'node:fs'
import { createServer, type Socket, connect as tcp } from 'node:net'
import { join } from 'node:path'
import { before, test } from 'node:test'
import { eventually } from '../../src/testing/receiver.ts'
import { createFunctionsStage } from '../fixture.ts'

const stage = await createFunctionsStage()
before(async () => {
  const config = `{ "functions": { "talk": { "runtime": "javascript" }, "other": { "runtime": "javascript", "folder": "talk" } } }`
  mkdirSync(join(stage.folder, 'talk'))
  writeFileSync(join(stage.folder, 'tendril.functions.json'), config)
  const code = `export default async ({ req, res, log }) => {
    log('got', await req.text(), '\\u001b[2J')
    if (req.path === '/fail') throw new Error('no such color')
    return res.text('done') }`
  writeFileSync(join(stage.folder, 'talk/index.js'), code)
  const { code: exit, err } = await stage.tendril('functions', 'push')
  assert.equal(exit, 0, err)
})

async function run(name: string, body: string, path = '/'): Promise<void> {
  const { functions } = await stage.request('{ functions { nodes { id name } } }')
  const { nodes } = functions as { nodes: { id: string; name: string }[] }
  const input = { functionId: nodes.find((one) => one.name === name)?.id, body, path }
  await stage.request('mutation ($input: CreateExecutionInput!) { createExecution(input: $input) { id } }', { input })
}

test('the last runs are told with what they logged and what went wrong, oldest first', async () => {
  await run('talk', 'one')
  await run('other', 'nothing')
  await run('talk', 'two', '/fail')
  const { code, out, err } = await stage.tendril('functions', 'logs', 'talk')
  assert.equal(code, 0, err)
  const time = String.raw`\d{4}-\S+Z`
  assert.match(
    out,
    new RegExp(
      `^${time}  exe_\\w+  COMPLETED  API  POST /  200  \\d+ ms( cold)?\\n  ${time} got one \uFFFD\\[2J\\n` +
        `${time}  exe_\\w+  FAILED THREW  API  POST /fail  \\d+ ms( cold)?\\n  ${time} got two .*\\n  Error: no such color\\n( +at .*index\\.js.*\\n)+$`,
    ),
  )
  const { out: lines } = await stage.tendril('functions', 'logs', 'talk', '--json', '--last', '1')
  assert.partialDeepStrictEqual(JSON.parse(lines), { status: 'FAILED', path: '/fail', failure: 'THREW' })
  assert.match((await stage.tendril('functions', 'logs', 'nobody')).err, /has no function “nobody”/)
  assert.match((await stage.tendril('functions', 'logs', 'talk', '--last', '0')).err, /--last is 1 to 100/)
})

test('--follow goes on where its connection broke, and tells each run once', async () => {
  const sockets = new Set<Socket>()
  let isOpen = true
  const { port } = new URL(stage.api.url)
  const proxy = createServer((socket) => {
    if (!isOpen) return void socket.destroy()
    const onward = tcp(Number(port), '127.0.0.1')
    socket.pipe(onward).pipe(socket)
    for (const one of [socket, onward]) {
      sockets.add(one)
      one.on('error', () => one.destroy())
    }
  })
  await once(proxy.listen(0, '127.0.0.1'), 'listening')
  const url = `http://127.0.0.1:${(proxy.address() as { port: number }).port}`
  const env = { PATH: process.env.PATH, TENDRIL_URL: url, TENDRIL_PROJECT: stage.projectId, TENDRIL_KEY: stage.key }
  const args = [join(import.meta.dirname, '../tendril.mjs'), 'functions', 'logs', 'talk', '--follow', '--last', '1']
  const child = spawn(process.execPath, args, { env, stdio: ['ignore', 'pipe', 'inherit'] })
  const exited = once(child, 'exit')
  let out = ''
  child.stdout.on('data', (chunk) => (out += chunk))
  const seen = () => [...out.matchAll(/got (\w+)/g)].map(([, word]) => word)
  const tells = (...words: string[]) => eventually(() => assert.deepEqual(seen().slice(1), words), 60_000)
  try {
    await eventually(() => assert.equal(seen().length, 1), 60_000)
    await run('talk', 'three')
    await run('other', 'nothing')
    await tells('three')
    isOpen = false
    for (const socket of sockets) socket.destroy()
    await run('talk', 'four')
    isOpen = true
    await tells('three', 'four')
    await run('talk', 'five', '/fail')
    await tells('three', 'four', 'five')
  } finally {
    child.kill('SIGTERM')
    await exited
    proxy.close()
    for (const socket of sockets) socket.destroy()
  }
})
