import assert from 'node:assert/strict'
import { once } from 'node:events'
import { type IncomingMessage, request } from 'node:http'
import { after, before, test } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import { type Api, startApi } from '../api.ts'
import { newId } from '../lib/ids.ts'
import { hashSecret, newSecret } from '../lib/secrets.ts'
import { createCollections } from '../testing/collections.ts'
import { createWorld, type World } from '../testing/world.ts'

let world: World
let api: Api
let place: string
let tables: Record<'notes' | 'posts', string>
let key: string
let projectId: string
before(async () => {
  world = await createWorld({ PORT: '0' })
  api = await startApi(world.app)
  const project = await world.createProject()
  projectId = project.projectId
  place = `${api.url}/projects/${projectId}`
  const { notes, posts } = await createCollections(project.owner, {
    notes: { attributes: { text: { type: 'TEXT' } } },
    posts: { attributes: { title: { type: 'STRING', size: 20 } } },
  })
  tables = { notes: `"${projectId}"."${notes}"`, posts: `"${projectId}"."${posts}"` }
  key = await createKey()
})
after(async () => {
  await api.close()
  await world.close()
})

async function createKey(): Promise<string> {
  const secret = newSecret('key')
  const scopes = ['documents.read', 'documents.write']
  const data = { id: newId('key'), projectId, name: secret.slice(-8), hash: hashSecret(secret), scopes }
  await world.app.db.key.create({ data })
  return secret
}

const headersOf = (secret: string) => ({ authorization: `Bearer ${secret}`, 'content-type': 'application/x-ndjson' })
const lines = (rows: object[]) => rows.map((row) => `${JSON.stringify(row)}\n`).join('')
const send = async (path: string, body: string) => {
  const response = await fetch(`${place}/${path}`, { method: 'POST', headers: headersOf(key), body })
  return { status: response.status, text: await response.text() }
}
const count = async (table: string) =>
  Number((await world.app.sql.query(`select count(*) from ${table}`)).rows[0].count)

test('an import that was only taken for broken off does not write its rows once more', async () => {
  const rows = Array.from({ length: 1_000 }, (_, i) => ({ title: `t${i}` }))
  const path = 'import/posts?token=token_of_two_connections'
  const slow = request(`${place}/${path}`, { method: 'POST', headers: headersOf(key) })
  slow.write(lines(rows.slice(0, 400)))
  const [answer] = (await once(slow, 'response')) as [IncomingMessage]
  assert.match((await send(path, lines(rows))).text, /"done":true,"created":1000/)
  slow.end(lines(rows.slice(400)))
  let told = ''
  for await (const chunk of answer) told += String(chunk)
  assert.match(told, /"code":"CONFLICT".*taken up elsewhere/)
  assert.equal(await count(tables.posts), 1_000)
})

test('the token of an import into another collection is refused: its rows would be passed over', async () => {
  await send('import/posts?token=token_of_one_collection', lines([{ title: 'a' }]))
  const { status, text } = await send('import/notes?token=token_of_one_collection', lines([{ text: 'b' }]))
  assert.deepEqual([status, text.includes('another collection')], [409, true])
})

test('an import that was begun before its collection was kept with it goes on, in one collection', async () => {
  const rows = [{ title: 'old a' }, { title: 'old b' }]
  await send('import/posts?token=token_of_an_older_node', lines(rows.slice(0, 1)))
  await world.app.sql.query("update idempotencies set hash = '' where key = 'token_of_an_older_node'")
  assert.match((await send('import/posts?token=token_of_an_older_node', lines(rows))).text, /"done":true,"created":1/)
  assert.equal((await send('import/notes?token=token_of_an_older_node', lines([{ text: 'b' }]))).status, 409)
})

test('who may no more does not go on with what was begun: an import is told so, an export ends', async () => {
  const secret = await createKey()
  const taken = () => world.app.db.key.deleteMany({ where: { hash: hashSecret(secret) } })
  const headers = headersOf(secret)
  // More than sockets hold.
  await world.app.sql.query(
    `insert into ${tables.notes} ("_id", text) select 'note' || i, repeat('x', 100000) from generate_series(1, 300) i`,
  )
  const exporting = await fetch(`${place}/export/notes`, { headers })
  const importing = request(`${place}/import/posts`, { method: 'POST', headers })
  importing.write(lines(Array.from({ length: 3_000 }, (_, i) => ({ id: `a${i}`, title: 'A' }))))
  // It may have been told already when the rest is sent.
  importing.on('error', () => {})
  const [answer] = (await once(importing, 'response')) as [IncomingMessage]
  const ended = once(answer, 'end')
  let told = ''
  answer.on('data', (chunk) => {
    told += chunk
  })
  const posts = () => count(tables.posts)
  while ((await posts()) < 1_400) await sleep(10)
  await taken()
  await sleep(1_100)
  const before = await posts()
  importing.end(lines(Array.from({ length: 3_000 }, (_, i) => ({ id: `b${i}`, title: 'B' }))))
  await ended
  assert.match(told, /"error":\{.*"code":"UNAUTHENTICATED"/)
  assert.equal(await posts(), before)
  await assert.rejects(exporting.text())
})
