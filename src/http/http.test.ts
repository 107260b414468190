import assert from 'node:assert/strict'
import { request } from 'node:http'
import { connect } from 'node:net'
import { after, before, test } from 'node:test'
import { codeOf, createFixture, type Fixture, json, poster, read } from '../testing/server.ts'
import { limits } from './limits.ts'

let fixture: Fixture
let post: ReturnType<typeof poster>
before(async () => {
  fixture = await createFixture()
  post = poster(fixture.api.url)
})
after(() => fixture.close())

test('answers an operation', async () => {
  const response = await post({
    query: 'query A($t: String) { hello echo(text: $t) }',
    variables: { t: 'ü' },
    operationName: 'A',
  })
  assert.equal(response.status, 200)
  assert.equal(response.headers.get('content-type'), 'application/json; charset=utf-8')
  assert.deepEqual(await read(response), { data: { hello: 'world', echo: 'ü' } })
})

test('knows who asks, at both URLs', async () => {
  const path = `/projects/${fixture.projectId}/graphql`
  const me = { query: '{ me }' }
  assert.deepEqual(await read(await post(me, json, path)), { data: { me: 'guest' } })
  const signedIn = { ...json, authorization: fixture.authorization }
  assert.deepEqual(await read(await post(me, signedIn, path)), { data: { me: 'key key_test' } })
  const elsewhere = await post(me, signedIn)
  assert.equal(elsewhere.status, 401)
  assert.equal(await codeOf(elsewhere), 'UNAUTHENTICATED')
  for (const authorization of ['Bearer', 'Bearer nonsense', 'Basic eDp5', 'null', '{}', `${fixture.authorization}x`]) {
    assert.equal((await post(me, { ...json, authorization }, path)).status, 401, authorization)
  }
  assert.equal((await post(me, json, '/projects/prj_none/graphql')).status, 404)
})

test('answers everything else with 404 in JSON', async () => {
  for (const path of [
    '/graphql/',
    '/graphqlx',
    '/projects//graphql',
    '/projects/../graphql',
    '/projects/a%2Fb/graphql',
    '/__proto__',
    '/graphiql/constructor',
    '//',
    '/%00',
  ]) {
    const response = await new Promise<{ status?: number; text: string }>((resolve, reject) => {
      request(fixture.api.url, { path }, (res) => {
        let text = ''
        res
          .on('data', (chunk) => (text += chunk))
          .on('end', () => resolve({ ...(res.statusCode && { status: res.statusCode }), text }))
      })
        .on('error', reject)
        .end()
    })
    assert.equal(response.status, 404, path)
    assert.equal(JSON.parse(response.text).errors[0].extensions.code, 'NOT_FOUND')
  }
  assert.equal((await fetch(`${fixture.api.url}/`, { redirect: 'manual' })).headers.get('location'), '/graphql')
})

test('takes a batch, however short, and runs it side by side', async () => {
  assert.deepEqual(await read(await post([{ query: '{ hello }' }])), [{ data: { hello: 'world' } }])
  const started = performance.now()
  const slow = Array.from({ length: limits.batch }, () => ({ query: '{ slow(ms: 200) }' }))
  const answers = await read(await post(slow))
  assert.equal(answers.length, limits.batch)
  assert.ok(performance.now() - started < 1_000)
  assert.equal(await codeOf(await post([...slow, ...slow])), 'LIMIT_EXCEEDED')
  assert.equal(await codeOf(await post([])), 'INVALID')
  const mixed = await read(await post([{ query: '{ hello }' }, { query: '{ nothing }' }]))
  assert.deepEqual(mixed[0], { data: { hello: 'world' } })
  assert.equal(mixed[1].errors[0].extensions.code, 'INVALID')
})

test('GET is for queries', async () => {
  const get = (query: string, more = '') =>
    fetch(`${fixture.api.url}/graphql?query=${encodeURIComponent(query)}${more}`)
  const variables = `&variables=${encodeURIComponent('{"t":"x"}')}`
  assert.deepEqual(await read(await get('query ($t: String) { echo(text: $t) }', variables)), { data: { echo: 'x' } })
  const { bumps } = fixture.seen
  const refused = await get('mutation { bump }')
  assert.equal(refused.status, 405)
  assert.equal(await codeOf(refused), 'INVALID')
  assert.equal((await get('query A { hello } mutation B { bump }', '&operationName=B')).status, 405)
  assert.equal(fixture.seen.bumps, bumps)
  assert.equal((await get('{ hello }', '&variables={')).status, 400)
  assert.equal((await get('{ hello }', '&operationName=__proto__')).status, 400)
  assert.equal((await fetch(`${fixture.api.url}/graphql`)).status, 400)
  assert.equal((await fetch(`${fixture.api.url}/graphql`, { method: 'PUT' })).status, 405)
})

test('CSRF: what a foreign page can send unasked runs nothing', async () => {
  const { resolvers } = fixture.seen
  const body = JSON.stringify({ query: 'mutation { bump }' })
  const types = [
    'text/plain',
    'text/plain; application/json',
    'application/x-www-form-urlencoded',
    'multipart/form-data; boundary=x',
    'TEXT/PLAIN;charset=utf-8',
  ]
  for (const type of types) {
    assert.equal((await post(body, { 'content-type': type })).status, 403, type)
    // Multipart is read, and this is none.
    const status = type.startsWith('multipart') ? 400 : 415
    assert.equal((await post(body, { 'content-type': type, 'x-tendril-csrf': '1' })).status, status, type)
  }
  // Bytes are sent without a type.
  assert.equal((await post(new TextEncoder().encode(body), {})).status, 403)
  for (const type of ['application/graphql', 'application/jsonx', 'application/json; charset=utf-16', 'image/png']) {
    assert.equal((await post(body, { 'content-type': type })).status, 415, type)
  }
  assert.equal((await post(body, { ...json, 'content-encoding': 'gzip' })).status, 415)
  assert.equal(fixture.seen.resolvers, resolvers)
  assert.equal((await post(body, { 'content-type': 'Application/JSON; charset="UTF-8"' })).status, 200)
})

test('CORS: an origin is reflected only when it is listed', async () => {
  const ask = (origin: string, method = 'POST') =>
    fetch(`${fixture.api.url}/graphql`, {
      method,
      headers: { ...json, origin, 'access-control-request-method': 'POST' },
      ...(method === 'POST' ? { body: '{"query":"{ hello }"}' } : {}),
    })
  const allowed = await ask('https://app.example', 'OPTIONS')
  assert.equal(allowed.status, 204)
  assert.equal(allowed.headers.get('access-control-allow-origin'), 'https://app.example')
  assert.match(allowed.headers.get('access-control-allow-headers') ?? '', /authorization/)
  assert.match(allowed.headers.get('vary') ?? '', /origin/i)
  assert.equal((await ask('https://app.example')).headers.get('access-control-allow-origin'), 'https://app.example')
  for (const origin of [
    'https://evil.example',
    'null',
    'http://app.example',
    'https://app.example.evil.example',
    'https://app.example:444',
    '*',
  ]) {
    for (const method of ['OPTIONS', 'POST']) {
      const response = await ask(origin, method)
      assert.equal(response.headers.get('access-control-allow-origin'), null, origin)
      assert.equal(response.headers.get('access-control-allow-credentials'), null, origin)
    }
  }
})

test('every answer carries safe headers and a request id', async () => {
  for (const path of ['/graphql?query={hello}', '/health', '/nothing']) {
    const { headers } = await fetch(fixture.api.url + path, { headers: { 'x-request-id': 'proxy-1234' } })
    assert.equal(headers.get('x-content-type-options'), 'nosniff')
    assert.equal(headers.get('referrer-policy'), 'no-referrer')
    assert.match(headers.get('content-security-policy') ?? '', /frame-ancestors 'none'/)
    assert.equal(headers.get('x-request-id'), 'proxy-1234')
    assert.equal(headers.get('x-powered-by'), null)
  }
  const { headers } = await fetch(`${fixture.api.url}/health`, { headers: { 'x-request-id': 'no "id"' } })
  assert.match(headers.get('x-request-id') ?? '', /^[0-9a-f-]{36}-\d+$/)
})

test('bodies, URLs and headers have their limits', async () => {
  const large = await post(`{"query":"{ hello }","x":"${'x'.repeat(limits.bodyBytes)}"}`)
  assert.equal(large.status, 413)
  assert.equal(await codeOf(large), 'LIMIT_EXCEEDED')
  const chunked = new ReadableStream({
    start(controller) {
      for (let i = 0; i < 30; i += 1) controller.enqueue(new Uint8Array(100_000).fill(32))
      controller.close()
    },
  })
  const init = { method: 'POST', headers: json, body: chunked, duplex: 'half' }
  assert.equal((await fetch(`${fixture.api.url}/graphql`, init as RequestInit)).status, 413)
  assert.equal((await fetch(`${fixture.api.url}/graphql?query=${'x'.repeat(limits.urlBytes)}`)).status, 414)
  assert.equal(
    (await fetch(`${fixture.api.url}/health`, { headers: { 'x-large': 'x'.repeat(limits.headerBytes) } })).status,
    431,
  )
})

test('health tells each dependency apart', async () => {
  assert.deepEqual(await read(await fetch(`${fixture.api.url}/health`)), { status: 'ok' })
  const ready = await fetch(`${fixture.api.url}/health/ready`)
  assert.equal(ready.status, 200)
  const { status, ...each } = await read(ready)
  assert.equal(status, 'ready')
  assert.deepEqual(Object.keys(each), ['postgres', 'redis', 'queue', 'events'])
  for (const one of Object.values(each)) assert.equal((one as { status: string }).status, 'ok')
})

test('GraphiQL answers a browser, and loads nothing from elsewhere', async () => {
  for (const path of ['/graphql', `/projects/${fixture.projectId}/graphql`]) {
    const page = await fetch(fixture.api.url + path, {
      headers: { accept: 'text/html,application/xhtml+xml,*/*;q=0.8' },
    })
    assert.equal(page.status, 200)
    const html = await page.text()
    assert.doesNotMatch(html, /https?:\/\/(?!\{)/)
    assert.match(page.headers.get('content-security-policy') ?? '', /script-src 'self';/)
    for (const [, file = ''] of html.matchAll(/(?:src|href)="(\/[^"]+)"/g)) {
      const response = await fetch(`${fixture.api.url}${file}`)
      assert.equal(response.status, 200, file)
      assert.ok((await response.text()).length > 500)
    }
  }
  for (const worker of ['editor', 'json', 'graphql']) {
    assert.equal((await fetch(`${fixture.api.url}/graphiql/${worker}.worker.js`)).status, 200)
  }
})

test('bytes that are no HTTP do no harm', async () => {
  for (const bytes of [
    '\0\0\0\0\r\n\r\n',
    'GET / HTTP/1.1\r\n\r\n',
    'POST /graphql HTTP/1.1\r\nhost: x\r\ncontent-length: 10\r\ntransfer-encoding: chunked\r\n\r\n',
    'GET /graphql HTTP/1.1\r\nhost: x\r\nupgrade: websocket\r\nconnection: upgrade\r\n\r\n',
  ]) {
    await new Promise((resolve) => {
      const socket = connect(Number(new URL(fixture.api.url).port), '127.0.0.1', () => socket.write(bytes))
      socket
        .on('data', () => {})
        .on('close', resolve)
        .on('error', resolve)
      setTimeout(() => socket.destroy(), 300)
    })
  }
  // A client that leaves in the middle of its body.
  await new Promise((resolve) => {
    const req = request(`${fixture.api.url}/graphql`, { method: 'POST', headers: { ...json, 'content-length': 1_000 } })
    req.on('error', resolve).on('close', resolve)
    req.write('{"query":')
    setTimeout(() => req.destroy(), 100)
  })
  assert.deepEqual(await read(await post({ query: '{ hello }' })), { data: { hello: 'world' } })
})
