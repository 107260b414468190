import assert from 'node:assert/strict'
import { after, before, beforeEach, test } from 'node:test'
import { type Api, startApi } from '../api.ts'
import { newId } from '../lib/ids.ts'
import { hashSecret, newSecret } from '../lib/secrets.ts'
import { createCollections } from '../testing/collections.ts'
import { createWorld, type World } from '../testing/world.ts'

let world: World
let api: Api
let projectId: string
let table: string
let headers: Record<string, string>

before(async () => {
  world = await createWorld({ PORT: '0' })
  api = await startApi(world.app)
  const { projectId: id, owner } = await world.createProject()
  projectId = id
  const to = { type: 'RELATION', to: 'nodes' } as const
  const ids = await createCollections(owner, {
    others: { attributes: {} },
    nodes: {
      attributes: {
        parent: { ...to, reverseKey: 'children', required: true, onDelete: 'CASCADE' },
        near: { ...to, relation: 'MANY_TO_MANY', reverseKey: 'far' },
        other: { type: 'RELATION', to: 'others' },
      },
    },
  })
  table = `"${id}"."${ids.nodes}"`
  const secret = newSecret('key')
  const scopes = ['documents.read', 'documents.write']
  await world.app.db.key.create({ data: { id: newId('key'), projectId, name: 'k', hash: hashSecret(secret), scopes } })
  headers = { authorization: `Bearer ${secret}`, 'content-type': 'application/x-ndjson' }
})
after(async () => {
  await api.close()
  await world.close()
})
beforeEach(() => world.app.sql.query(`truncate ${table} cascade`))

const lines = (rows: readonly object[]) => rows.map((row) => `${JSON.stringify(row)}\n`).join('')

async function load(rows: readonly object[], more = ''): Promise<Record<string, unknown>> {
  const url = `${api.url}/projects/${projectId}/import/nodes?transaction=true${more}`
  const response = await fetch(url, { method: 'POST', headers, body: lines(rows) })
  return JSON.parse((await response.text()).trim().split('\n').at(-1) ?? '')
}

async function unload(): Promise<Record<string, unknown>[]> {
  const response = await fetch(`${api.url}/projects/${projectId}/export/nodes`, { headers })
  return (await response.text())
    .trim()
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => JSON.parse(line))
}

/** Each points at the one behind it, the last at the first: more of them than one statement writes. */
const ring = Array.from({ length: 1_200 }, (_, i) => {
  const id = (n: number) => `n${String(n % 1_200).padStart(4, '0')}`
  return { id: id(i), parent: id(i + 1), near: [id(i + 601)] }
})

test('what points at others of its collection that come later goes out and in again', async () => {
  assert.partialDeepStrictEqual(await load(ring), { done: true, created: 1_200 })
  const exported = await unload()
  await world.app.sql.query(`truncate ${table} cascade`)
  assert.partialDeepStrictEqual(await load(exported), { done: true, created: 1_200 })
  assert.deepEqual(await unload(), exported)
})

test('the first row that points at what never comes is told, and nothing is imported', async () => {
  const refused = (row: number, key: string) => ({
    error: { code: 'INVALID', message: 'There is no such document.', path: [key], row },
    kept: false,
  })
  const lost = ring.map((row, i) =>
    i === 700 ? { ...row, near: ['lost'] } : i === 900 ? { ...row, parent: 'x' } : row,
  )
  assert.deepEqual(await load(lost), refused(701, 'near'))
  assert.deepEqual(await load(ring.slice(0, -1)), refused(599, 'near'))
  // What is elsewhere cannot come.
  assert.deepEqual(await load(ring.map((row, i) => (i === 5 ? { ...row, other: 'o' } : row))), refused(6, 'other'))
  assert.deepEqual(await unload(), [])
})

test('what is passed over may point at anything', async () => {
  await load([{ id: 'a', parent: 'a' }])
  const rows = [
    { id: 'a', parent: 'lost', near: ['lost'] },
    { id: 'b', parent: 'c' },
    { id: 'c', parent: 'a' },
  ]
  assert.partialDeepStrictEqual(await load(rows, '&onDuplicate=skip'), { done: true, created: 2, skipped: 1 })
  assert.partialDeepStrictEqual(await load(rows, '&onDuplicate=update'), { error: { row: 1, path: ['near'] } })
})
