import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import { connect, createFixture, type Fixture, json } from '../testing/server.ts'

let fixture: Fixture
let url: string
before(async () => {
  fixture = await createFixture()
  url = `${fixture.api.url}/projects/${fixture.projectId}/graphql`
})
after(() => fixture.close())

/** What was counted since the last call. */
async function counted(): Promise<Record<string, number>> {
  const { app } = fixture.world
  await app.meter.flush()
  const { rows } = await app.sql.query<{ metric: string; value: string }>(
    `with taken as (delete from usage where period = 'HOUR' returning metric, "projectId", value)
     select metric, value from taken where "projectId" = $1`,
    [fixture.projectId],
  )
  return Object.fromEntries(rows.map(({ metric, value }) => [metric, Number(value)]))
}

test('requests over HTTP and the bytes of their bodies, also of those that fail; none of nobody', async () => {
  const body = JSON.stringify({ query: '{ hello }' })
  const answers = await Promise.all([
    fetch(url, { method: 'POST', headers: json, body }),
    fetch(`${url}?query=${encodeURIComponent('{ hello }')}`, { headers: { accept: 'application/json' } }),
    fetch(url, { method: 'POST', headers: json, body: '[{"query":"{ me }"},{"query":"{ nothing }"}]' }),
  ])
  const bytes = await Promise.all(answers.map(async (answer) => (await answer.arrayBuffer()).byteLength))
  await fetch(url, { method: 'POST', headers: { ...json, authorization: 'Bearer key_'.padEnd(50, 'x') }, body })
  await fetch(`${fixture.api.url}/projects/prj_none/graphql`, { method: 'POST', headers: json, body })
  assert.deepEqual(await counted(), {
    requests: 3,
    'bytes.in': body.length + 44,
    'bytes.out': bytes.reduce((sum, each) => sum + each, 0),
  })
})

test('sockets, their messages and what they carry', async () => {
  const client = await connect(url)
  const subscribe = { id: '1', type: 'subscribe', payload: { query: 'subscription { ticks(count: 3) { n } }' } }
  client.send(subscribe)
  await client.received(5)
  client.socket.close()
  await client.closed
  const { 'bytes.out': out, ...rest } = await counted()
  assert.deepEqual(rest, {
    requests: 1,
    'connections.opened': 1,
    'messages.sent': 3,
    'bytes.in': JSON.stringify(subscribe).length,
  })
  assert.ok(Number(out) > 3 * '{"id":"1","type":"next","payload":{"data":{"ticks":{"n":1}}}}'.length)
})

test('event streams and their events', async () => {
  const query = encodeURIComponent('subscription { ticks(count: 3) { n } }')
  const text = await (await fetch(`${url}?query=${query}`, { headers: { accept: 'text/event-stream' } })).text()
  const { 'bytes.out': out, ...rest } = await counted()
  assert.deepEqual(rest, { requests: 1, 'connections.opened': 1, 'messages.sent': 3 })
  assert.equal(out, text.slice(text.indexOf('event: next'), text.indexOf('event: complete')).length)
})
