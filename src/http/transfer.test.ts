import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import { type Api, startApi } from '../api.ts'
import { newId } from '../lib/ids.ts'
import { hashSecret, newSecret } from '../lib/secrets.ts'
import { createCollections } from '../testing/collections.ts'
import { createWorld, type World } from '../testing/world.ts'

let world: World
let api: Api
let projectId: string
let ids: Record<string, string>
let key: string
before(async () => {
  world = await createWorld({ PORT: '0' })
  api = await startApi(world.app)
  const { projectId: id, owner } = await world.createProject()
  projectId = id
  ids = await createCollections(owner, {
    authors: { attributes: { name: { type: 'STRING', size: 20 } } },
    posts: {
      documentPermissions: true,
      attributes: {
        title: { type: 'STRING', size: 20, required: true },
        views: { type: 'INTEGER', default: 7 },
        score: { type: 'FLOAT' },
        live: { type: 'BOOLEAN' },
        at: { type: 'DATETIME' },
        author: { type: 'RELATION', to: 'authors', reverseKey: 'posts', onDelete: 'CASCADE' },
        readers: { type: 'RELATION', relation: 'MANY_TO_MANY', to: 'authors', reverseKey: 'read' },
      },
    },
  })
  key = await createKey(['documents.read', 'documents.write'])
})
after(async () => {
  await api.close()
  await world.close()
})

async function createKey(scopes: string[]): Promise<string> {
  const secret = newSecret('key')
  await world.app.db.key.create({
    data: { id: newId('key'), projectId, name: secret.slice(-8), hash: hashSecret(secret), scopes },
  })
  return secret
}

type Reply = { status: number; lines: Record<string, unknown>[] }

async function send(path: string, body: string | null, secret: string | null = key): Promise<Reply> {
  const headers: Record<string, string> = secret ? { authorization: `Bearer ${secret}` } : {}
  if (body !== null) headers['content-type'] = 'application/x-ndjson'
  const method = body === null ? 'GET' : 'POST'
  const response = await fetch(`${api.url}/projects/${projectId}/${path}`, { method, headers, body })
  const text = await response.text()
  return {
    status: response.status,
    lines: text
      .split('\n')
      .filter(Boolean)
      .map((line) => JSON.parse(line)),
  }
}

const lines = (rows: object[]) => rows.map((row) => `${JSON.stringify(row)}\n`).join('')
const put = async (rows: object[], query = '') => (await send(`import/posts?${query}`, lines(rows))).lines.at(-1)
const all = async (collection = 'posts') => (await send(`export/${collection}`, null)).lines
const clear = () => world.app.sql.query(`delete from "${projectId}"."${ids.posts}"`)
const events = async () => (await world.emitted()).filter((type) => type.startsWith('documents.'))

test('what was exported is imported as it was', async () => {
  await send('import/authors', lines([{ id: 'ann', name: 'Ann' }]))
  const row = {
    id: 'a',
    title: 'A “quoted”\nline',
    views: 1,
    score: 1e-7,
    live: true,
    at: '2026-11-24T01:02:03.004Z',
    author: 'ann',
    readers: [],
  }
  const permissions = [{ right: 'READ', role: 'any' }]
  const count = (await events()).length
  assert.deepEqual(
    await put([
      { ...row, permissions, createdAt: '2020-01-01T00:00:00.000Z' },
      { id: 'b', title: 'B' },
    ]),
    {
      done: true,
      created: 2,
      updated: 0,
      skipped: 0,
    },
  )
  assert.equal((await events()).length, count + 2)
  const exported = await all()
  const { updatedAt, ...first } = exported[0] ?? {}
  assert.deepEqual(first, { ...row, version: 1, permissions, createdAt: '2020-01-01T00:00:00.000Z' })
  assert.equal(exported[1]?.views, 7)
  await clear()
  await put(exported)
  assert.deepEqual(await all(), exported)
})

test('what is passed over keeps its links, too; of a document that comes twice the last ones count', async () => {
  await send('import/authors', lines([{ id: 'one' }, { id: 'two' }]))
  await clear()
  await put([{ id: 'a', title: 'A', readers: ['one'] }])
  const again = [
    { id: 'a', title: 'B', readers: ['two'] },
    { id: 'b', title: 'B', readers: ['one'] },
  ]
  assert.partialDeepStrictEqual(await put(again, 'onDuplicate=skip'), { created: 1, skipped: 1 })
  const readers = async () => (await all()).map((row) => row.readers)
  assert.deepEqual(await readers(), [['one'], ['one']])
  const twice = { id: 'b', title: 'B', readers: ['two'] }
  await put([...again, twice], 'onDuplicate=update')
  assert.deepEqual(await readers(), [['two'], ['two']])
})

test('a document that is there already is an error, passed over, or changed', async () => {
  await clear()
  await put([{ id: 'a', title: 'A', views: 1 }])
  const again = [
    { id: 'b', title: 'B' },
    { id: 'a', title: 'new' },
    { id: 'c', title: 'C' },
  ]
  const failed = await put(again)
  assert.deepEqual(failed, {
    error: { code: 'CONFLICT', message: 'Another document has this id.', path: ['id'], row: 2 },
    kept: true,
  })
  assert.deepEqual(
    (await all()).map(({ id }) => id),
    ['a', 'b'],
  )
  assert.deepEqual(await put(again, 'onDuplicate=skip'), { done: true, created: 1, updated: 0, skipped: 2 })
  const count = (await events()).length
  assert.deepEqual(await put(again, 'onDuplicate=update'), { done: true, created: 0, updated: 3, skipped: 0 })
  assert.deepEqual((await events()).slice(count), ['documents.updated', 'documents.updated', 'documents.updated'])
  const [a] = await all()
  // What a row leaves out stays as it is.
  assert.deepEqual([a?.title, a?.views, a?.version], ['new', 1, 2])
  const { rows } = await world.app.sql.query(
    `select payload->'changed' as changed, payload->'before'->>'title' as before from events.outbox where aggregate like '%.documents.a' order by position desc limit 1`,
  )
  assert.deepEqual(rows, [{ changed: ['title'], before: 'A' }])
  const twice = [
    { id: 'n', title: '1' },
    { id: 'n', title: '2' },
  ]
  assert.deepEqual(await put(twice, 'onDuplicate=update'), { done: true, created: 1, updated: 1, skipped: 0 })
})

test('the row that is wrong is named with its field; what came before it stays, or nothing in a transaction', async () => {
  const good = (count: number) => Array.from({ length: count }, (_, i) => ({ title: `t${i}` }))
  const wrong: [object | string, string, string[]][] = [
    [{ title: 5 }, 'INVALID', ['title']],
    [{}, 'INVALID', ['title']],
    [{ title: 'x'.repeat(21) }, 'INVALID', ['title']],
    [{ title: 'x', nothing: 1 }, 'INVALID', ['nothing']],
    [{ title: 'x', views: 2 ** 31 }, 'INVALID', ['views']],
    [{ title: 'x', author: 'nobody' }, 'INVALID', ['author']],
    [{ title: 'x', id: 'a b' }, 'INVALID', ['id']],
    [{ title: 'x', createdAt: 'yesterday' }, 'INVALID', ['createdAt']],
    [{ title: 'x', permissions: [{ right: 'READ', role: 'wrong role' }] }, 'INVALID', ['permissions', '0', 'role']],
    ['{', 'INVALID', []],
    ['[]', 'INVALID', []],
    ['{"title":"\\u0000"}', 'INVALID', ['title']],
    [`{"title":"${'x'.repeat(2_000_001)}"}`, 'LIMIT_EXCEEDED', []],
  ]
  for (const [row, code, path] of wrong) {
    for (const transaction of [false, true]) {
      await clear()
      const count = (await world.emitted()).length
      const text = `${lines(good(700))}${typeof row === 'string' ? row : JSON.stringify(row)}\n${lines(good(3))}`
      const reply = await send(`import/posts?transaction=${transaction}`, text)
      const { error, kept } = reply.lines.at(-1) as { error: Record<string, unknown>; kept: boolean }
      assert.deepEqual(
        [error?.code, error?.path, error?.row, kept],
        [code, path, 701, !transaction],
        JSON.stringify(row).slice(0, 80),
      )
      assert.equal((await all()).length, transaction ? 0 : 700)
      assert.equal((await world.emitted()).length - count, transaction ? 0 : 700)
    }
  }
})

test('an import that broke off goes on behind what it has done, once', async () => {
  await clear()
  const rows = Array.from({ length: 1200 }, (_, i) => ({ title: `t${i}` }))
  const token = 'token_of_this_import'
  const first = await send(`import/posts?token=${token}`, `${lines(rows.slice(0, 700))}{`)
  assert.partialDeepStrictEqual(first.lines.at(-1), { error: { row: 701 } })
  const again = await send(`import/posts?token=${token}&first=501`, lines(rows.slice(500)))
  assert.deepEqual(
    [again.lines[0], again.lines.at(-1)],
    [{ row: 700 }, { done: true, created: 500, updated: 0, skipped: 0 }],
  )
  assert.equal(new Set((await all()).map(({ title }) => title)).size, 1200)
  assert.equal((await all()).length, 1200)
})

test('an export is filtered, and goes on behind an id', async () => {
  const titles = (reply: Reply) => reply.lines.map(({ title }) => title)
  const where = encodeURIComponent(JSON.stringify({ title: { in: ['t1', 't2'] } }))
  const found = await send(`export/posts?where=${where}`, null)
  assert.deepEqual(titles(found).sort(), ['t1', 't2'])
  const [first, ...rest] = await all()
  assert.deepEqual((await send(`export/posts?after=${first?.id}`, null)).lines, rest)
  assert.equal((await send('export/posts?where=%7B%22nothing%22%3A1%7D', null)).status, 400)
  assert.equal((await send('export/posts?where=5', null)).status, 400)
  assert.equal((await send('export/posts?after=%00', null)).status, 400)
  assert.match(JSON.stringify(await send('export/posts?where=%7B', null)), /not JSON in UTF-8.*"path":\["where"\]/)
})

test('texts of CSV become values', async () => {
  await clear()
  const row = { id: 'x', title: '5', views: '5', score: '1e3', live: 'TRUE', author: null, permissions: '[]' }
  assert.equal((await put([row], 'values=text'))?.done, true)
  const [x] = await all()
  assert.deepEqual([x?.title, x?.views, x?.score, x?.live, x?.author], ['5', 5, 1000, true, null])
  const wrong = await put([{ title: 'a', views: 'five' }], 'values=text')
  assert.partialDeepStrictEqual(wrong, { error: { path: ['views'] } })
})

test('it is for members and for keys with the scope; a collection is found by id, key or both keys', async () => {
  const reader = await createKey(['documents.read'])
  const status = async (path: string, body: string | null, secret: string | null) =>
    (await send(path, body, secret)).status
  assert.equal(await status('import/posts', '', reader), 403)
  assert.equal(await status('export/posts', null, reader), 200)
  assert.equal(await status('export/posts', null, await createKey(['documents.write'])), 403)
  assert.equal(await status('export/posts', null, null), 403)
  assert.equal(await status('import/posts', '{"title":"x"}', null), 403)
  assert.equal(await status('export/posts', null, `key_${'a'.repeat(40)}`), 401)
  assert.equal(await status('export/nothing', null, key), 404)
  assert.equal(await status(`export/${ids.posts}`, null, key), 200)
  const { rows } = await world.app.sql.query('select key from databases where "projectId" = $1', [projectId])
  assert.equal(await status(`export/${rows[0].key}.posts`, null, key), 200)
  assert.equal(await status('export/other.posts', null, key), 404)
  assert.equal(await status('import/posts', null, key), 405)
  const typed = await fetch(`${api.url}/projects/${projectId}/import/posts`, {
    method: 'POST',
    body: '{}',
    headers: { authorization: `Bearer ${key}` },
  })
  assert.equal(typed.status, 415)
})
