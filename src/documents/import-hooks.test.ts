import assert from 'node:assert/strict'
import { after, before, beforeEach, test } from 'node:test'
import { type Api, startApi } from '../api.ts'
import { newId } from '../lib/ids.ts'
import { hashSecret, newSecret } from '../lib/secrets.ts'
import { createCollections } from '../testing/collections.ts'
import { type Answer, createPeer } from '../testing/executor.ts'
import { makeFunction } from '../testing/functions.ts'
import { createWorld, type World } from '../testing/world.ts'

type Told = { hook: string; inputs: Record<string, unknown>[] }

let world: World
let api: Api
let peer: Awaited<ReturnType<typeof createPeer>>
let projectId: string
const key = newSecret('key')
let asked: Told[] = []
let say: (told: Told) => Answer

before(async () => {
  peer = await createPeer((run) => {
    const told = JSON.parse(String(run.body)) as Told
    asked.push(told)
    return say(told)
  })
  world = await createWorld({ PORT: '0', EXECUTORS: peer.url, EXECUTOR_SECRET: peer.secret })
  api = await startApi(world.app)
  const project = await world.createProject()
  projectId = project.projectId
  await createCollections(project.owner, {
    posts: { attributes: { title: { type: 'STRING', size: 10, required: true }, at: { type: 'DATETIME' } } },
  })
  await makeFunction(project.owner, '', { hooks: [{ on: 'documents.before-create' }] })
  const scopes = ['documents.read', 'documents.write']
  await world.app.db.key.create({ data: { id: newId('key'), projectId, name: 'k', hash: hashSecret(key), scopes } })
})
after(async () => {
  await api.close()
  await world.close()
  peer.close()
})
beforeEach(() => {
  asked = []
})

async function send(path: string, rows?: object[]): Promise<Record<string, unknown>[]> {
  const headers = { authorization: `Bearer ${key}`, ...(rows && { 'content-type': 'application/x-ndjson' }) }
  const body = rows ? rows.map((row) => `${JSON.stringify(row)}\n`).join('') : null
  const response = await fetch(`${api.url}/projects/${projectId}/${path}`, {
    method: rows ? 'POST' : 'GET',
    headers,
    body,
  })
  return (await response.text())
    .split('\n')
    .filter(Boolean)
    .map((line) => JSON.parse(line))
}

test('an import is decided on batch by batch; a batch that is refused is not written, those before it are', async () => {
  const rows = Array.from({ length: 700 }, (_, i) => ({ id: `p${i}`, title: `t${i}` }))
  say = ({ inputs }) => {
    if (!inputs.some(({ title }) => title === 't600'))
      return { body: JSON.stringify({ inputs: inputs.map((one) => ({ ...one, title: `${one.title}!` })) }) }
    return {
      response: { status: 422, headers: {} },
      body: '{ "message": "Not this.", "path": ["inputs", 100, "title"] }',
    }
  }
  const last = (await send('import/posts', rows)).at(-1)
  assert.deepEqual(last, { error: { code: 'INVALID', message: 'Not this.', path: ['title'], row: 601 }, kept: true })
  assert.deepEqual(
    asked.map(({ hook, inputs }) => [hook, inputs.length]),
    [
      ['documents.before-create', 500],
      ['documents.before-create', 200],
    ],
  )
  const there = await send('export/posts')
  assert.equal(there.length, 500)
  assert.ok(there.every(({ id, title }) => title === `${String(id).replace('p', 't')}!`))
})

test('texts of CSV are values; what is made wrong is refused; one that updates is an upsert', async () => {
  say = ({ inputs }) => ({ body: JSON.stringify({ inputs: inputs.map(() => ({ title: 'x'.repeat(11) })) }) })
  const last = (
    await send('import/posts?values=text&onDuplicate=update', [{ id: 'q', title: 'q', at: '2026-01-02T00:00:00Z' }])
  ).at(-1)
  assert.deepEqual(asked, [{ ...asked[0], hook: 'documents.before-upsert' }])
  assert.match(JSON.stringify(last), /"path":\["title"\],"code":"INVALID",.*"row":1/)
})

test('one that is all or nothing is refused: no batch may be decided on while its transaction is open', async () => {
  const last = (await send('import/posts?transaction=true', [{ id: 'r', title: 'r' }])).at(-1)
  assert.match(JSON.stringify(last), /INVALID.*not in one transaction/)
  assert.deepEqual(asked, [])
})
