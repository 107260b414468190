import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import { startWorkers } from '../../workers/start.ts'
import { type Api, startApi } from '../api.ts'
import { hashSecret, newSecret } from '../lib/secrets.ts'
import { createWebhook } from '../modules/webhooks/webhooks.ts'
import { createReceiver, eventually } from '../testing/receiver.ts'
import { createWorld, type World } from '../testing/world.ts'
import '../testing/agenda.ts'

type Span = { traceId: string; spanId: string; parentSpanId?: string; name: string }

let collector: Awaited<ReturnType<typeof createReceiver>>
let webhook: Awaited<ReturnType<typeof createReceiver>>
let world: World
let api: Api
let workers: Awaited<ReturnType<typeof startWorkers>>
let mutate: (key: string, headers?: Record<string, string>) => Promise<void>
before(async () => {
  collector = await createReceiver({ status: 200, body: '{}', headers: { 'content-type': 'application/json' } })
  webhook = await createReceiver()
  world = await createWorld({ PORT: '0', EGRESS_ALLOW: '127.0.0.1/32', OTEL_EXPORTER_OTLP_ENDPOINT: collector.url })
  const { projectId, owner } = await world.createProject()
  await createWebhook(owner, { url: webhook.url, events: ['databases.created'], name: 'test' })
  const secret = newSecret('key')
  const key = { id: 'key_test', projectId, name: 'test', hash: hashSecret(secret), scopes: ['databases.write'] }
  await world.app.db.key.create({ data: key })
  api = await startApi(world.app)
  workers = await startWorkers(world.app, { queue: { lockMs: 4_000, touchEveryMs: 1_000 } })
  mutate = async (name, headers = {}) => {
    const query = `mutation { createDatabase(input: { key: "${name}" }) { id } }`
    const response = await fetch(`${api.url}/projects/${projectId}/graphql`, {
      method: 'POST',
      headers: { 'content-type': 'application/json', authorization: `Bearer ${secret}`, ...headers },
      body: JSON.stringify({ query }),
    })
    assert.equal((await response.json()).errors, undefined)
  }
})
after(async () => {
  await api.close()
  await workers.stop()
  await world.close()
  collector.close()
  webhook.close()
})

/** What the collector was sent, of one trace. */
function spansOf(traceId: string): Span[] {
  const bodies = collector.received.filter(({ url }) => url === '/v1/traces').map(({ body }) => JSON.parse(body))
  return bodies
    .flatMap(({ resourceSpans }) => resourceSpans)
    .flatMap(({ scopeSpans }) => scopeSpans)
    .flatMap(({ spans }) => spans)
    .filter((span: Span) => span.traceId === traceId)
}

async function nextTraceparent(): Promise<{ traceId: string; spanId: string; isRecorded: boolean }> {
  const { headers } = await eventually(() => {
    const call = webhook.received.shift()
    assert.ok(call)
    return call
  })
  const [, traceId = '', spanId = '', flags] = /^00-(\w{32})-(\w{16})-(0[01])$/.exec(String(headers.traceparent)) ?? []
  return { traceId, spanId, isRecorded: flags === '01' }
}

test('one trace goes from the mutation to the headers of the webhook', async () => {
  await mutate('one')
  const { traceId, spanId } = await nextTraceparent()
  await eventually(() => {
    const spans = spansOf(traceId)
    const path: string[] = []
    for (let at = spans.find((span) => span.spanId === spanId); at; ) {
      path.unshift(at.name)
      const { parentSpanId } = at
      at = spans.find((span) => span.spanId === parentSpanId)
    }
    assert.deepEqual(path, ['HTTP POST', 'graphql', 'transaction', 'webhook'])
    for (const name of ['relay', 'bridge'])
      assert.ok(
        spans.some((span) => span.name === name),
        name,
      )
  })
})

test('a trace that began elsewhere goes on, and one that is not recorded there is not recorded here', async () => {
  const traceId = 'a'.repeat(32)
  await mutate('two', { traceparent: `00-${traceId}-${'b'.repeat(16)}-01` })
  assert.equal((await nextTraceparent()).traceId, traceId)
  await eventually(() => {
    const root = spansOf(traceId).find(({ name }) => name === 'HTTP POST')
    assert.equal(root?.parentSpanId, 'b'.repeat(16))
  })
  await mutate('three', { traceparent: `00-${'c'.repeat(32)}-${'d'.repeat(16)}-00` })
  const { traceId: unrecorded, isRecorded } = await nextTraceparent()
  assert.deepEqual([unrecorded, isRecorded], ['c'.repeat(32), false])
  assert.deepEqual(spansOf(unrecorded), [])
})

test('without a collector no event carries a trace', async () => {
  const plain = await createWorld()
  const { projectId } = await plain.createProject()
  const { tracing } = plain.app
  assert.equal(tracing.isOn, false)
  assert.equal(await tracing.span('a', `00-${'a'.repeat(32)}-${'b'.repeat(16)}-01`, async (span) => span), undefined)
  await createWebhook(plain.context(projectId, { kind: 'system', id: 'test' }), {
    url: 'https://example.org',
    events: ['*'],
    name: 'a',
  })
  const { rows } = await plain.app.sql.query('select trace from events.outbox')
  assert.deepEqual(rows, [{ trace: null }])
  await plain.close()
})
