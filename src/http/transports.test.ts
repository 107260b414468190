import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import { setTimeout as wait } from 'node:timers/promises'
import { connect, createFixture, type Fixture, withoutCost } from '../testing/server.ts'

let fixture: Fixture
let url: string
before(async () => {
  fixture = await createFixture()
  url = `${fixture.api.url}/projects/${fixture.projectId}/graphql`
})
after(() => fixture.close())

type Operation = { query: string; variables?: object; operationName?: string }
// biome-ignore lint/suspicious/noExplicitAny: what a server answers is checked by what follows
type Answer = any
type Ask = (operation: Operation, authorization: string | null) => Promise<Answer>

const credentials = (authorization: string | null) => (authorization === null ? {} : { authorization })

const post: Ask = async (operation, authorization) => {
  const headers = { 'content-type': 'application/json', ...credentials(authorization) }
  return (await fetch(url, { method: 'POST', headers, body: JSON.stringify(operation) })).json()
}

const get: Ask = async ({ query, variables, operationName = '' }, authorization) => {
  const search = new URLSearchParams({ query, operationName, variables: JSON.stringify(variables ?? {}) })
  return (await fetch(`${url}?${search}`, { headers: credentials(authorization) })).json()
}

const events: Ask = async (operation, authorization) => {
  const headers = { 'content-type': 'application/json', accept: 'text/event-stream', ...credentials(authorization) }
  const response = await fetch(url, { method: 'POST', headers, body: JSON.stringify(operation) })
  const text = await response.text()
  if (!response.headers.get('content-type')?.startsWith('text/event-stream')) return JSON.parse(text)
  assert.match(text, /event: complete\ndata:\n\n$/)
  return JSON.parse(/^data: (.+)$/m.exec(text)?.[1] ?? 'null')
}

const socket: Ask = async (operation, authorization) => {
  const client = await connect(url, credentials(authorization))
  client.send({ id: '1', type: 'subscribe', payload: operation })
  const [, first] = await client.received(2)
  client.socket.terminate()
  return first?.type === 'error' ? { errors: first.payload } : first?.payload
}

const transports = { post, get, events, socket }

/** Ids and the order of keys are all that may differ. */
function plain(answer: Answer): Answer {
  return JSON.parse(JSON.stringify(withoutCost(answer), (key, value) => (key === 'requestId' ? 'id' : value)))
}

const operations: Operation[] = [
  { query: '{ hello me node { id } }' },
  { query: 'query A($t: String) { echo(text: $t) } query B { hello }', variables: { t: '🌱' }, operationName: 'A' },
  { query: '{ hello x: fail(how: FORBIDDEN) }' },
  { query: '{ fail(how: BUG) }' },
  { query: '{ fail(how: STATEMENT_TIMEOUT) }' },
  { query: '{ fail(how: SLOW_DOWN) }' },
  { query: '{ nothing }' },
  { query: '{' },
  { query: 'query ($n: Int) { echo(number: $n) }', variables: { n: 'x' } },
  { query: 'query ($n: Int!) { echo(number: $n) }' },
  { query: 'query A { hello }', operationName: 'B' },
  { query: '{ hello }', variables: { a: 'a\0' } },
  { query: '{ ...A } fragment A on Query { ...A }' },
  { query: `{ ${Array.from({ length: 31 }, (_, i) => `a${i}: hello`).join(' ')} }` },
  { query: `{ ${'node { '.repeat(12)} id ${'}'.repeat(12)} }` },
  { query: '{a'.repeat(1_001) },
]

test('one operation gets one answer, whatever it comes by', async () => {
  for (const authorization of [null, fixture.authorization]) {
    for (const operation of operations) {
      const expected = plain(await post(operation, authorization))
      for (const [name, ask] of Object.entries(transports)) {
        assert.deepEqual(
          plain(await ask(operation, authorization)),
          expected,
          `${name}: ${operation.query.slice(0, 60)}`,
        )
      }
    }
  }
  assert.deepEqual((await post({ query: '{ me }' }, fixture.authorization)).data, { me: 'key key_test' })
})

test('a mutation runs over each but GET', async () => {
  for (const [name, ask] of Object.entries(transports)) {
    const { bumps } = fixture.seen
    const answer = await ask({ query: 'mutation { bump }' }, null)
    assert.equal(fixture.seen.bumps, name === 'get' ? bumps : bumps + 1, name)
    assert.equal(answer.errors?.[0].extensions.code, name === 'get' ? 'INVALID' : undefined)
  }
})

test('a subscription streams over SSE and WebSocket, and is refused where one JSON is the answer', async () => {
  const operation = { query: 'subscription { ticks(count: 3) { n cursor } }' }
  for (const ask of [post, get]) assert.equal((await ask(operation, null)).errors[0].extensions.code, 'INVALID')
  const client = await connect(url)
  client.send({ id: 'a', type: 'subscribe', payload: operation })
  const messages = (await client.received(5)).slice(1)
  const ticks = [1, 2, 3].map((n) => ({ data: { ticks: { n, cursor: `cursor-${n}` } } }))
  assert.deepEqual(messages, [
    ...ticks.map((payload) => ({ id: 'a', type: 'next', payload })),
    { id: 'a', type: 'complete' },
  ])
  client.socket.terminate()
  const response = await fetch(`${url}?query=${encodeURIComponent(operation.query)}`, {
    headers: { accept: 'text/event-stream' },
  })
  assert.equal(response.status, 200)
  assert.equal(response.headers.get('x-content-type-options'), 'nosniff')
  const expected = ticks.map((tick, i) => `id: cursor-${i + 1}\nevent: next\ndata: ${JSON.stringify(tick)}\n\n`)
  assert.equal(await response.text(), `:\n\n${expected.join('')}event: complete\ndata:\n\n`)
})

test('SSE goes on after Last-Event-ID, which is newer than what the repeated operation says', async () => {
  const ask = async (query: string) => {
    const headers = { accept: 'text/event-stream', 'last-event-id': 'cursor-2' }
    const text = await (await fetch(`${url}?query=${encodeURIComponent(query)}`, { headers })).text()
    return [...text.matchAll(/^id: (.+)$/gm)].map(([, id]) => id)
  }
  assert.deepEqual(await ask('subscription { ticks(count: 4) { cursor } }'), ['cursor-3', 'cursor-4'])
  assert.deepEqual(await ask('subscription { ticks(count: 4, after: "cursor-1") { cursor } }'), [
    'cursor-3',
    'cursor-4',
  ])
})

test('a subscription that is refused, or breaks, says so and no more', async () => {
  const refused = await fetch(`${url}?query=${encodeURIComponent('subscription { refused { n } }')}`, {
    headers: { accept: 'text/event-stream' },
  })
  assert.equal(refused.status, 409)
  assert.equal(((await refused.json()) as Answer).errors[0].extensions.code, 'RESYNC_REQUIRED')
  const broken = await fetch(`${url}?query=${encodeURIComponent('subscription { broken { n } }')}`, {
    headers: { accept: 'text/event-stream' },
  })
  const text = await broken.text()
  assert.match(text, /"n":1/)
  assert.match(text, /"code":"INTERNAL"/)
  assert.doesNotMatch(text, /secret/)
  const client = await connect(url)
  client.send({ id: '1', type: 'subscribe', payload: { query: 'subscription { refused { n } }' } })
  client.send({ id: '2', type: 'subscribe', payload: { query: 'subscription { broken { n } }' } })
  const all = JSON.stringify(await client.received(5))
  assert.match(all, /RESYNC_REQUIRED/)
  assert.match(all, /"code":"INTERNAL"/)
  assert.doesNotMatch(all, /secret/)
  client.socket.terminate()
})

test('who does not keep up is sent to come back', async () => {
  const query = 'subscription { slow { cursor n } }'
  const response = await fetch(`${url}?query=${encodeURIComponent(query)}`, {
    headers: { accept: 'text/event-stream' },
  })
  const text = await response.text()
  assert.match(text, /id: cursor-7\nevent: next\n/)
  assert.match(text, /"cursor":"cursor-7"[^\n]*"code":"LIMIT_EXCEEDED"/)
  assert.doesNotMatch(text, /event: complete/)
  const client = await connect(url)
  client.send({ id: '1', type: 'subscribe', payload: { query } })
  assert.deepEqual(await client.closed, { code: 4008, reason: 'Too slow. Last cursor: cursor-7' })
})

test('who is nobody any more is sent away', async () => {
  const query = 'subscription { revoked { n } }'
  const response = await fetch(`${url}?query=${encodeURIComponent(query)}`, {
    headers: { accept: 'text/event-stream' },
  })
  assert.match(await response.text(), /"code":"UNAUTHENTICATED"[^\n]*\n\nevent: complete/)
  const client = await connect(url)
  client.send({ id: '1', type: 'subscribe', payload: { query } })
  assert.deepEqual(await client.closed, { code: 4403, reason: 'This credential is no longer valid.' })
})

test('a server that leaves ends streams so that their clients come back', async () => {
  const leaving = await createFixture()
  const query = encodeURIComponent('subscription { silent { n } }')
  const response = await fetch(`${leaving.api.url}/graphql?query=${query}`, {
    headers: { accept: 'text/event-stream' },
  })
  const client = await connect(`${leaving.api.url}/graphql`)
  client.send({ id: '1', type: 'subscribe', payload: { query: '{ slow(ms: 400) }' } })
  await wait(100)
  const started = performance.now()
  const [text] = await Promise.all([response.text(), leaving.close()])
  assert.doesNotMatch(text, /complete/)
  assert.equal(leaving.seen.silent, 0)
  assert.equal((await client.closed).code, 1001)
  assert.deepEqual(client.messages.slice(1), [
    { id: '1', type: 'next', payload: { data: { slow: 'slow' } } },
    { id: '1', type: 'complete' },
  ])
  assert.ok(performance.now() - started < 3_000)
})

test('who leaves a silent subscription is forgotten', async () => {
  const query = 'subscription { silent { n } }'
  const client = await connect(url)
  client.send({ id: '1', type: 'subscribe', payload: { query } })
  client.send({ id: '2', type: 'subscribe', payload: { query } })
  const leave = new AbortController()
  const stream = await fetch(`${url}?query=${encodeURIComponent(query)}`, {
    headers: { accept: 'text/event-stream' },
    signal: leave.signal,
  })
  assert.equal(stream.status, 200)
  await wait(100)
  assert.equal(fixture.seen.silent, 3)
  client.send({ id: '1', type: 'complete' })
  await wait(100)
  assert.equal(fixture.seen.silent, 2)
  client.socket.terminate()
  leave.abort()
  await wait(200)
  assert.equal(fixture.seen.silent, 0)
})
