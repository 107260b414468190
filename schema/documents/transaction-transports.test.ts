import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import { type Api, startApi } from '../../src/api.ts'
import { hashSecret, newSecret } from '../../src/lib/secrets.ts'
import { createGraphql } from '../../src/server.ts'
import { type Blog, createBlog } from '../../src/testing/blog.ts'
import { connect, poster, read } from '../../src/testing/server.ts'
import { createWorld, type World } from '../../src/testing/world.ts'

let world: World
let blog: Blog
let api: Api
const secret = newSecret('key')

before(async () => {
  world = await createWorld({ PORT: '0' })
  blog = await createBlog(world)
  const scopes = ['documents.read', 'documents.write', 'webhooks.write']
  const { projectId } = blog
  await world.app.db.key.create({
    data: { id: 'key_t', projectId, name: 'transactions', hash: hashSecret(secret), scopes },
  })
  api = await startApi(world.app, createGraphql(world.app))
})
after(async () => {
  await api.close()
  await world.close()
})

test('over HTTP, in a batch, and over WebSocket', async () => {
  const url = `${api.url}/projects/${blog.projectId}/graphql`
  const post = poster(url)
  const headers = { 'content-type': 'application/json', authorization: `Bearer ${secret}` }
  const good = {
    query:
      'mutation @transaction { one: createAuthor(input: { name: "x" }) { name } two: createAuthor(input: { name: "y" }) { name } }',
  }
  const bad = {
    query:
      'mutation @transaction { one: createAuthor(input: { name: "x" }) { name } two: createAuthor(input: { id: "taken", name: "y" }) { name } }',
  }
  await read(await post({ query: 'mutation { createAuthor(input: { id: "taken", name: "z" }) { id } }' }, headers, ''))
  const data = { one: { name: 'x' }, two: { name: 'y' } }
  assert.deepEqual(await read(await post(good, headers, '')), { data })
  const refused = await read(await post(bad, headers, ''))
  assert.equal(refused.data, null)
  assert.equal(refused.errors[0].extensions.code, 'CONFLICT')
  const batch = await read(await post([good, bad, good], headers, ''))
  assert.deepEqual(
    batch.map((answer: { data: unknown }) => answer.data),
    [data, null, data],
  )
  const client = await connect(url, { authorization: `Bearer ${secret}` })
  client.send({ id: '1', type: 'subscribe', payload: good })
  const [, next] = await client.received(2)
  assert.deepEqual(next?.payload, { data })
  client.send({ id: '2', type: 'subscribe', payload: bad })
  const last = (await client.received(4)).find(({ id }) => id === '2')
  assert.match(JSON.stringify(last?.payload), /CONFLICT/)
  client.socket.close()
  const { rows } = await world.app.sql.query(`select from "${blog.projectId}"."${blog.ids.authors}"`)
  assert.equal(rows.length, 1 + 8)
})
