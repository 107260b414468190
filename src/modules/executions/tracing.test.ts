import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import { program, startExecutor, type TestExecutor } from '../../../functions-runtime/testing/executor.ts'
import { startWorkers } from '../../../workers/start.ts'
import { type Api, startApi } from '../../api.ts'
import { freePort } from '../../servers/ports.ts'
import { createCollections } from '../../testing/collections.ts'
import { makeFunction } from '../../testing/functions.ts'
import { createReceiver, eventually } from '../../testing/receiver.ts'
import { createWorld, type World } from '../../testing/world.ts'
import { createKey } from '../keys/keys.ts'
import '../../testing/agenda.ts'

type Attribute = { key: string; value: { stringValue?: string; intValue?: number } }
type Span = { traceId: string; spanId: string; parentSpanId?: string; name: string; attributes: Attribute[] }

let collector: Awaited<ReturnType<typeof createReceiver>>
let elsewhere: Awaited<ReturnType<typeof createReceiver>>
let executor: TestExecutor
let world: World
let api: Api
let workers: Awaited<ReturnType<typeof startWorkers>>
before(async () => {
  collector = await createReceiver({ status: 200, body: '{}', headers: { 'content-type': 'application/json' } })
  elsewhere = await createReceiver({ status: 202 })
  const port = String(await freePort())
  const TENDRIL_URL = `http://127.0.0.1:${port}`
  executor = await startExecutor({ TENDRIL_URL, EGRESS_ALLOW: '127.0.0.1/32' })
  const reached = { EXECUTORS: executor.url, EXECUTOR_SECRET: executor.secret }
  world = await createWorld({ PORT: port, OTEL_EXPORTER_OTLP_ENDPOINT: collector.url, ...reached })
  api = await startApi(world.app)
  workers = await startWorkers(world.app, { only: ['functions'], queue: { lockMs: 4_000, touchEveryMs: 1_000 } })
})
after(async () => {
  await workers.stop()
  await api.close()
  await world.close()
  await executor.stop()
  collector.close()
  elsewhere.close()
})

const spans = (): Span[] =>
  collector.received
    .map(({ body }) => JSON.parse(body))
    .flatMap(({ resourceSpans }) => resourceSpans)
    .flatMap(({ scopeSpans }) => scopeSpans)
    .flatMap(({ spans }) => spans)

/** The names from the beginning of its trace to a span. */
function pathTo(span: Span | undefined): string[] {
  const parent = spans().find(({ spanId }) => spanId === span?.parentSpanId)
  return span ? [...pathTo(parent), span.name] : []
}

test('one trace goes from a mutation through its event, a worker and the run of a function to what that fetches and writes', async () => {
  const { owner, ownerAtConsole, projectId } = await world.createProject()
  const attributes = { text: { type: 'STRING' } } as const
  await createCollections(owner, {
    notes: { permissions: [], attributes },
    echoes: { permissions: [], attributes },
  })
  const source = program(`async ({ req, res, graphql, fetch }) => {
    await fetch('${elsewhere.url}plain')
    await fetch('${elsewhere.url}told', { method: 'POST', headers: { traceparent: req.headers.traceparent } })
    await graphql('mutation { updateNotes(where: {}, set: { text: "read" }) { count } }')
    return res.text('done') }`)
  const events = ['documents.created']
  await makeFunction(owner, source, { events, scopes: ['documents.read', 'documents.write'] })
  const scopes = ['documents.read', 'documents.write']
  const { secret } = await createKey(ownerAtConsole, { projectId, name: 'k', scopes })
  const answer = await fetch(`${api.url}/projects/${projectId}/graphql`, {
    method: 'POST',
    headers: { 'content-type': 'application/json', authorization: `Bearer ${secret}` },
    body: JSON.stringify({ query: 'mutation { createNote(input: { text: "note" }) { id } }' }),
  })
  assert.equal((await answer.json()).errors, undefined)

  const { run, fetches, asked } = await eventually(() => {
    const run = spans().find(({ name }) => name === 'run function')
    const below = spans().filter(({ parentSpanId }) => parentSpanId === run?.spanId)
    const fetches = below.filter(({ name }) => name === 'fetch')
    const asked = below.find(({ name }) => name === 'HTTP POST')
    assert.ok(run && fetches.length === 2 && asked)
    return { run, fetches, asked }
  }, 60_000)
  assert.deepEqual(pathTo(run).slice(0, 2), ['HTTP POST', 'graphql'])
  assert.deepEqual(pathTo(run).slice(-2), ['job executions.run', 'run function'])
  const { traceId } = run
  assert.ok([...fetches, asked].every((span) => span.traceId === traceId))
  const written = spans().filter((span) => span.traceId === traceId && span.parentSpanId === asked.spanId)
  assert.deepEqual(
    written.map(({ name }) => name),
    ['graphql'],
  )
  const told = fetches.map(({ attributes }) =>
    attributes.map(({ key, value }) => `${key} ${Object.values(value)[0]}`).sort(),
  )
  const { host } = new URL(elsewhere.url)
  assert.deepEqual(
    told.sort(),
    ['GET', 'POST'].map((method) => [
      `http.request.method ${method}`,
      'http.response.status_code 202',
      `server.address ${host}`,
    ]),
  )
  // Other people's servers are told of the trace only by a function that does so itself.
  const [plain, given] = elsewhere.received
  assert.equal(plain?.headers.traceparent, undefined)
  assert.equal(given?.headers.traceparent, `00-${traceId}-${run.spanId}-01`)
})
