import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import { startWorkers } from '../workers/start.ts'
import { serveMetrics } from './metrics.ts'
import { eventually } from './testing/receiver.ts'
import { connect, createFixture, type Fixture, json, poster } from './testing/server.ts'
import { tickTimes } from './testing/stream.ts'
import './testing/agenda.ts'

let fixture: Fixture
let served: NonNullable<Awaited<ReturnType<typeof serveMetrics>>>
before(async () => {
  fixture = await createFixture({ METRICS_PORT: '0' })
  const found = await serveMetrics(fixture.world.app)
  assert.ok(found)
  served = found
})
after(async () => {
  served.close()
  await fixture.close()
})

const url = () => `http://127.0.0.1:${served.port}/metrics`
/** The value of a line, by its name and labels as they are printed. */
async function numberAt(line: string): Promise<number> {
  const text = await (await fetch(url())).text()
  const found = text.split('\n').find((one) => one.startsWith(`${line} `))
  return Number(found?.slice(line.length + 1) ?? Number.NaN)
}

test('requests, operations, errors, sockets and subscriptions are counted', async () => {
  const post = poster(fixture.api.url)
  const path = `/projects/${fixture.projectId}/graphql`
  await post({ query: '{ hello }' }, json, path)
  await post({ query: '{ fail(how: FORBIDDEN) }' }, json, path)
  await post({ query: '{ nothing }' }, json, path)
  const socket = await connect(`${fixture.api.url}/graphql`)
  socket.send({ id: '1', type: 'subscribe', payload: { query: 'subscription { ticks(count: 3) { n } }' } })
  socket.send({ id: '2', type: 'subscribe', payload: { query: 'subscription { silent { n } }' } })
  await socket.received(5)
  const operations = (operation: string, code: string) =>
    `tendril_graphql_operation_duration_seconds_count{operation="${operation}",path="executed",code="${code}"}`
  await eventually(async () => {
    assert.equal(await numberAt('tendril_http_request_duration_seconds_count{route="graphql",status="200"}'), 2)
    assert.equal(
      await numberAt('tendril_http_request_duration_seconds_bucket{route="graphql",status="400",le="+Inf"}'),
      1,
    )
    assert.equal(await numberAt(operations('query', 'OK')), 1)
    assert.equal(await numberAt(operations('query', 'FORBIDDEN')), 1)
    assert.equal(await numberAt(operations('query', 'INVALID')), 1)
    assert.equal(await numberAt(operations('subscription', 'OK')), 2)
    assert.equal(await numberAt('tendril_graphql_errors_total{code="FORBIDDEN"}'), 1)
    assert.equal(await numberAt('tendril_websockets'), 1)
    assert.equal(await numberAt('tendril_subscriptions'), 1)
    assert.equal(await numberAt('tendril_subscription_results_total'), 3)
  })
  socket.socket.close()
  await eventually(async () => {
    assert.equal(await numberAt('tendril_websockets'), 0)
    assert.equal(await numberAt('tendril_subscriptions'), 0)
  })
})

test('the workers tell of the log, the relay and the jobs', async (t) => {
  const { app } = fixture.world
  const workers = await startWorkers(app, { queue: { lockMs: 4_000, touchEveryMs: 1_000 } })
  t.after(workers.stop)
  await tickTimes(fixture.world.context(fixture.projectId), 'a', 0, 3)
  await eventually(async () => {
    assert.equal(await numberAt('tendril_relay_leader'), 1)
    assert.ok((await numberAt('tendril_event_log_head')) >= 3)
    assert.equal(await numberAt('tendril_event_log_lag{consumer="bridge"}'), 0)
    assert.equal(await numberAt('tendril_outbox_events'), 0)
    const runs = await numberAt('tendril_job_duration_seconds_count{job="audits.record",outcome="done"}')
    assert.ok(runs >= 1)
  })
})

test('the process and its pool are there, nothing that a caller chose is, and nothing else is served', async () => {
  const text = await (await fetch(url())).text()
  for (const name of ['process_cpu_seconds_total', 'nodejs_eventloop_lag_p99_seconds', 'tendril_cache_hits']) {
    assert.match(text, new RegExp(`^${name} `, 'm'))
  }
  assert.match(text, /^tendril_pool_connections\{state="idle"\} \d/m)
  assert.ok(!text.includes(fixture.projectId))
  assert.equal((await fetch(url().replace('/metrics', '/'))).status, 404)
  assert.equal((await fetch(`${fixture.api.url}/metrics`)).status, 404)
})

test('what a server that is away would have said is not known, and the rest is', async () => {
  fixture.world.app.metrics.read('tendril_test', 'Fails.', () => Promise.reject(new Error('away')))
  assert.ok(Number.isNaN(await numberAt('tendril_test')))
  assert.equal(await numberAt('tendril_websockets'), 0)
})
