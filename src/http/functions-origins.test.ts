import assert from 'node:assert/strict'
import { test } from 'node:test'
import { functionStage, streamed } from '../testing/function-stage.ts'

const stage = functionStage()
const { send } = stage

test('an answer from our origin is kept apart from what else is there', async () => {
  stage.say = (run) =>
    streamed(
      run,
      200,
      {
        'content-type': 'text/html',
        'set-cookie': 'a=1; Path=/; Domain=example.org; HttpOnly\nb=2',
        'clear-site-data': '"*"',
        'strict-transport-security': 'max-age=1',
        'service-worker-allowed': '/',
        'x-request-id': 'forged',
        'content-security-policy': "default-src 'self'",
        'cache-control': 'public, max-age=60',
      },
      ['<script>'],
    )
  const { headers } = await send(`/functions/${stage.open}/`)
  assert.deepEqual(headers['set-cookie'], [
    `a=1; HttpOnly; Path=/functions/${stage.open}`,
    `b=2; Path=/functions/${stage.open}`,
  ])
  for (const name of ['clear-site-data', 'strict-transport-security', 'service-worker-allowed'])
    assert.equal(headers[name], undefined, name)
  const policies = String(headers['content-security-policy'])
  assert.match(policies, /^sandbox allow-[^;]*, default-src 'self'$/)
  assert.equal(policies.includes('allow-same-origin'), false)
  assert.equal(headers['x-content-type-options'], 'nosniff')
  assert.equal(headers['cache-control'], 'public, max-age=60')
  assert.notEqual(headers['x-request-id'], 'forged')
})

test('pages of other origins: the function decides; without a word of it, it is as for the API', async () => {
  const page = (origin: string) => send(`/functions/${stage.open}/`, { headers: { origin } })
  const allowed = 'access-control-allow-origin'
  assert.equal((await page('https://app.example')).headers[allowed], 'https://app.example')
  assert.equal((await page('https://evil.example')).headers[allowed], undefined)
  stage.say = (run) => streamed(run, 200, { 'Access-Control-Allow-Origin': '*' }, [])
  const own = await page('https://app.example')
  assert.deepEqual([own.headers[allowed], own.headers['access-control-allow-credentials']], ['*', undefined])
  stage.peer.runs.length = 0
  const preflight = (id: string, origin = 'https://app.example') =>
    send(`/functions/${id}/`, {
      method: 'OPTIONS',
      headers: {
        origin,
        'access-control-request-method': 'PUT',
        'access-control-request-headers': 'authorization',
      },
    })
  // A browser asks without the credential that it will bring: nobody is told whether there is such a function.
  const [there, absent] = [await preflight(stage.closed), await preflight('fun_none')]
  for (const { status, headers } of [there, absent]) {
    assert.equal(status, 204)
    assert.equal(headers[allowed], 'https://app.example')
    assert.equal(headers['access-control-allow-methods'], 'PUT')
    assert.equal(headers['access-control-allow-headers'], 'authorization')
  }
  assert.equal((await preflight(stage.closed, 'https://evil.example')).headers[allowed], undefined)
  assert.equal(stage.peer.runs.length, 0)
  await preflight(stage.open)
  assert.deepEqual(
    stage.peer.runs.map(({ request }) => request.method),
    ['OPTIONS'],
  )
})
