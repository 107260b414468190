import assert from 'node:assert/strict'
import { type IncomingHttpHeaders, type OutgoingHttpHeaders, request } from 'node:http'
import { after, before, beforeEach, test } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import WebSocket from 'ws'
import { type Api, startApi } from '../api.ts'
import type { Context } from '../context.ts'
import { newId } from '../lib/ids.ts'
import { hashSecret, newSecret } from '../lib/secrets.ts'
import { deleteFunction, updateFunction } from '../modules/functions/functions.ts'
import { type Answer, createPeer, type PeerRun } from '../testing/executor.ts'
import { makeFunction } from '../testing/functions.ts'
import { createWorld, type World } from '../testing/world.ts'

let world: World
let api: Api
let peer: Awaited<ReturnType<typeof createPeer>>
let owner: Context
let say: (run: PeerRun) => Answer | null | Promise<Answer | null>
let open: string
let closed: string
const key = newSecret('key')

before(async () => {
  peer = await createPeer((run) => say(run))
  world = await createWorld({
    PORT: '0',
    EXECUTORS: peer.url,
    EXECUTOR_SECRET: peer.secret,
    ALLOWED_ORIGINS: 'https://app.example',
  })
  api = await startApi(world.app)
  owner = (await world.createProject()).owner
  const { projectId } = owner
  open = (await makeFunction(owner, '', { execute: ['any'] })).id
  closed = (await makeFunction(owner, '', { execute: ['users'] })).id
  await world.app.db.key.create({ data: { id: 'key_f', projectId, name: 'k', hash: hashSecret(key), scopes: [] } })
})
after(async () => {
  await api.close()
  await world.close()
  peer.close()
})
beforeEach(() => {
  peer.runs.length = 0
  say = (run) => streamed(run, 200, { 'content-type': 'text/plain' }, ['hello'])
})

/** Answers as an executor does that is asked to stream. */
function streamed(run: PeerRun, status: number, headers: Record<string, string>, chunks: readonly string[]): Answer {
  run.send({ kind: 'head', id: run.id, status, headers })
  for (const chunk of chunks) run.send({ kind: 'chunk', id: run.id }, Buffer.from(chunk))
  return { response: { status, headers }, body: '' }
}

type Reply = { status: number; headers: IncomingHttpHeaders; body: string; isCut: boolean }
type Sent = { method?: string; headers?: OutgoingHttpHeaders; body?: string | Buffer; abortMs?: number }

function send(path: string, { method = 'GET', headers = {}, body, abortMs }: Sent = {}): Promise<Reply> {
  return new Promise((resolve, reject) => {
    const { hostname, port } = new URL(api.url)
    const req = request({ hostname, port, path, method, headers, agent: false }, (res) => {
      let text = ''
      res.setEncoding('utf8').on('data', (chunk) => (text += chunk))
      const end = () => resolve({ status: res.statusCode ?? 0, headers: res.headers, body: text, isCut: !res.complete })
      res.once('close', end).on('error', () => {})
    })
    req.on('error', reject)
    req.end(body)
    if (abortMs !== undefined) setTimeout(() => req.destroy(), abortMs)
  })
}

const credential = { authorization: `Bearer ${key}` }

test('method, path, query, headers and body go to the function, and its answer comes back', async () => {
  say = (run) =>
    streamed(run, 418, { 'content-type': 'text/x', 'x-color': 'blue', connection: 'x-color-2' }, ['a', 'b'])
  const reply = await send(`/functions/${open}/orders/7%20x?page=2&page=3`, {
    method: 'PATCH',
    body: 'ünï',
    headers: {
      'x-mine': 'yes',
      cookie: 'a=1; b=2',
      connection: 'keep-alive, x-hop',
      'x-hop': 'no',
      'tendril-user-id': 'usr_forged',
      'x-forwarded-for': '10.9.8.7',
      authorization: 'Basic YTpi',
    },
  })
  assert.deepEqual([reply.status, reply.body, reply.headers['x-color']], [418, 'ab', 'blue'])
  const [run] = peer.runs
  assert.ok(run)
  const { method, url } = run.request
  const headers: Readonly<Record<string, string | undefined>> = run.request.headers
  assert.deepEqual([method, url, String(run.body)], ['PATCH', '/orders/7%20x?page=2&page=3', 'ünï'])
  assert.partialDeepStrictEqual(headers, {
    'x-mine': 'yes',
    cookie: 'a=1; b=2',
    authorization: 'Basic YTpi',
    'x-forwarded-for': '127.0.0.1',
    'tendril-trigger': 'http',
  })
  for (const name of ['connection', 'x-hop', 'tendril-user-id', 'content-length', 'transfer-encoding'])
    assert.equal(headers[name], undefined, name)
  const id = String(reply.headers['tendril-execution-id'])
  const execution = await world.app.db.execution.findUniqueOrThrow({ where: { id } })
  assert.deepEqual([execution.trigger, execution.status, execution.responseStatus], ['HTTP', 'COMPLETED', 418])
  // What was secret of the request is not kept.
  assert.partialDeepStrictEqual(execution.requestHeaders, { cookie: '…', authorization: '…', 'x-mine': 'yes' })
})

test('the path of a function may be left out; HEAD has no body; what is no path of a function is none', async () => {
  await send(`/functions/${open}`)
  await send(`/functions/${open}?a=1`)
  assert.deepEqual(
    peer.runs.map(({ request }) => request.url),
    ['/', '/?a=1'],
  )
  const head = await send(`/functions/${open}/`, { method: 'HEAD' })
  assert.deepEqual([head.status, head.body, head.headers['content-type']], [200, '', 'text/plain'])
  for (const path of ['/functions', '/functions/', `/functions/${'x'.repeat(65)}`])
    assert.equal((await send(path)).status, 404)
})

test('who may not run it is told what whoever asks for nothing is told', async () => {
  const deleted = (await makeFunction(owner, '', { execute: ['any'] })).id
  await deleteFunction(owner, deleted)
  const id = { 'x-request-id': 'the-same-id' }
  const told = async (path: string, headers: OutgoingHttpHeaders = {}) => {
    const { status, headers: got, body } = await send(path, { headers: { ...id, ...headers } })
    return { status, body, headers: { ...got, date: '' } }
  }
  const nothing = await told('/functions/fun_none/a')
  assert.equal(nothing.status, 404)
  assert.match(nothing.body, /"code":"NOT_FOUND"/)
  const bad = { authorization: `Bearer ${newSecret('ses')}` }
  const paths: [string, OutgoingHttpHeaders][] = [
    [`/functions/${closed}/a`, {}],
    [`/functions/${closed}/a`, bad],
    ['/functions/fun_none/a', bad],
    ['/functions/fun_none/a', credential],
    [`/functions/${deleted}/a`, {}],
  ]
  for (const [path, headers] of paths) assert.deepEqual(await told(path, headers), nothing, path)
  assert.equal(peer.runs.length, 0)
  const { status, body } = await send(`/functions/${open}/`, { headers: bad })
  assert.equal(status, 401)
  assert.match(body, /"code":"UNAUTHENTICATED"/)
})

test('a credential of ours decides who calls, and is not handed on', async () => {
  const { projectId } = owner
  const user = await world.app.db.user.create({
    data: { id: newId('usr'), projectId, email: 'u@example.org', passwordHash: '' },
  })
  const secret = newSecret('ses')
  const expiresAt = new Date(Date.now() + 60_000)
  await world.app.db.session.create({
    data: { id: newId('ses'), projectId, userId: user.id, hash: hashSecret(secret), expiresAt, ip: '', userAgent: '' },
  })
  for (const authorization of [credential.authorization, `Bearer ${secret}`]) {
    assert.equal((await send(`/functions/${closed}/`, { headers: { authorization } })).status, 200)
  }
  assert.deepEqual(
    peer.runs.map(({ request: { headers } }) => [headers.authorization, headers['tendril-user-id']]),
    [
      [undefined, undefined],
      [undefined, user.id],
    ],
  )
})

test('an answer comes as it is made, and whoever goes away ends the run', async () => {
  let ended: PeerRun | undefined
  say = async (run) => {
    ended = run
    run.send({ kind: 'head', id: run.id, status: 200, headers: { 'content-type': 'text/event-stream' } })
    run.send({ kind: 'chunk', id: run.id }, Buffer.from('data: 1\n\n'))
    return null
  }
  const { hostname, port } = new URL(api.url)
  const first = await new Promise<string>((resolve, reject) => {
    const req = request({ hostname, port, path: `/functions/${open}/`, agent: false }, (res) => {
      res.setEncoding('utf8').once('data', (chunk) => {
        resolve(chunk)
        req.destroy()
      })
      res.on('error', () => {})
    })
    req.on('error', reject).end()
  })
  assert.equal(first, 'data: 1\n\n')
  for (let i = 0; i < 100 && !ended?.wasCancelled(); i++) await sleep(10)
  assert.ok(ended?.wasCancelled())
  // One that has not answered yet is ended as well.
  say = async (run) => {
    ended = run
    return null
  }
  await assert.rejects(send(`/functions/${open}/`, { abortMs: 100 }))
  for (let i = 0; i < 100 && !ended?.wasCancelled(); i++) await sleep(10)
  assert.ok(ended?.wasCancelled())
})

test('what goes wrong is told in JSON, without a word of why', async () => {
  const failure = (reason: NonNullable<Answer['failure']>['reason']): Answer => ({
    response: null,
    failure: { reason, message: 'secret message', stack: 'secret stack' },
  })
  const outcomes = [
    ['TIMEOUT', 504, 'UNAVAILABLE'],
    ['CRASHED', 503, 'UNAVAILABLE'],
    ['UNAVAILABLE', 503, 'UNAVAILABLE'],
    ['THREW', 500, 'INTERNAL'],
    ['MEMORY', 500, 'INTERNAL'],
    ['INVALID_ANSWER', 500, 'INTERNAL'],
    ['TOO_LARGE', 500, 'INTERNAL'],
  ] as const
  for (const [reason, status, code] of outcomes) {
    say = () => failure(reason)
    const reply = await send(`/functions/${open}/`)
    assert.equal(reply.status, status, reason)
    assert.equal(reply.headers['content-type'], 'application/json; charset=utf-8')
    assert.equal(JSON.parse(reply.body).errors[0].extensions.code, code)
    assert.equal(reply.body.includes('secret'), false)
    assert.match(String(reply.headers['tendril-execution-id']), /^exe_/)
    assert.equal(reply.headers['retry-after'], status === 503 ? '1' : undefined)
  }
  for (const head of [
    { status: 99 },
    { status: 200, headers: { 'bad name': 'x' } },
    { status: 200, headers: { x: 'a\nb' } },
  ]) {
    say = (run) =>
      streamed(
        run,
        head.status,
        { 'set-cookie': 'a=1', ...('headers' in head ? head.headers : {}) } as Record<string, string>,
        ['x'],
      )
    const reply = await send(`/functions/${open}/`)
    assert.deepEqual([reply.status, reply.headers['set-cookie']], [500, undefined])
  }
  // Once it has begun, all that can be done is to end it.
  say = (run) => ({ ...streamed(run, 200, {}, ['half']), ...failure('THREW') })
  const reply = await send(`/functions/${open}/`)
  assert.deepEqual([reply.status, reply.body, reply.isCut], [200, 'half', true])
})

test('a body that is too large is refused before anything runs; so is a function with nothing to run', async () => {
  const body = Buffer.alloc(6_000_001)
  assert.equal((await send(`/functions/${open}/`, { method: 'POST', body })).status, 413)
  const chunked = { 'transfer-encoding': 'chunked' }
  assert.equal((await send(`/functions/${open}/`, { method: 'POST', body, headers: chunked })).status, 413)
  assert.equal(peer.runs.length, 0)
  assert.equal((await send(`/functions/${open}/`, { method: 'POST', body: body.subarray(1) })).status, 200)
  assert.equal(peer.runs[0]?.body.length, 6_000_000)
  const { id } = await makeFunction(owner, '', { execute: ['any'] })
  await updateFunction(owner, id, { enabled: false })
  const disabled = await send(`/functions/${id}/`)
  assert.deepEqual([disabled.status, disabled.headers['retry-after']], [503, '5'])
})

test('an answer from our origin is kept apart from what else is there', async () => {
  say = (run) =>
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
  const { headers } = await send(`/functions/${open}/`)
  assert.deepEqual(headers['set-cookie'], [`a=1; HttpOnly; Path=/functions/${open}`, `b=2; Path=/functions/${open}`])
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
  const page = (origin: string) => send(`/functions/${open}/`, { headers: { origin } })
  const allowed = 'access-control-allow-origin'
  assert.equal((await page('https://app.example')).headers[allowed], 'https://app.example')
  assert.equal((await page('https://evil.example')).headers[allowed], undefined)
  say = (run) => streamed(run, 200, { 'Access-Control-Allow-Origin': '*' }, [])
  const own = await page('https://app.example')
  assert.deepEqual([own.headers[allowed], own.headers['access-control-allow-credentials']], ['*', undefined])
  peer.runs.length = 0
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
  const [there, absent] = [await preflight(closed), await preflight('fun_none')]
  for (const { status, headers } of [there, absent]) {
    assert.equal(status, 204)
    assert.equal(headers[allowed], 'https://app.example')
    assert.equal(headers['access-control-allow-methods'], 'PUT')
    assert.equal(headers['access-control-allow-headers'], 'authorization')
  }
  assert.equal((await preflight(closed, 'https://evil.example')).headers[allowed], undefined)
  assert.equal(peer.runs.length, 0)
  await preflight(open)
  assert.deepEqual(
    peer.runs.map(({ request }) => request.method),
    ['OPTIONS'],
  )
})

test('requests and bytes are counted, and a project has so many calls at a time', async () => {
  const { projectId } = (await world.createProject()).owner
  const other = world.context(projectId, owner.actor)
  const { id } = await makeFunction(other, '', { execute: ['any'] })
  await send(`/functions/${id}/`, { method: 'POST', body: '12345' })
  await world.app.meter.flush()
  const { rows } = await world.app.sql.query(
    `select distinct metric, value::int from usage where "projectId" = $1 and metric in ('requests', 'bytes.in', 'bytes.out') order by metric`,
    [projectId],
  )
  assert.deepEqual(rows, [
    { metric: 'bytes.in', value: 5 },
    { metric: 'bytes.out', value: 5 },
    { metric: 'requests', value: 1 },
  ])
  const waiting: (() => void)[] = []
  say = (run) => new Promise((resolve) => waiting.push(() => resolve(streamed(run, 200, {}, []))))
  // A machine that is busy may refuse some for a moment.
  const call = async (): Promise<Reply> => {
    const reply = await send(`/functions/${id}/`)
    if (reply.status !== 503) return reply
    await sleep(100)
    return call()
  }
  const calls = Array.from({ length: 100 }, call)
  while (waiting.length < 100) await sleep(10)
  const refused = await send(`/functions/${id}/`)
  assert.deepEqual([refused.status, refused.headers['retry-after']], [503, '1'])
  assert.match(refused.body, /Too many calls of functions/)
  say = (run) => streamed(run, 200, {}, [])
  assert.equal((await send(`/functions/${open}/`)).status, 200)
  for (const finish of waiting) finish()
  assert.ok((await Promise.all(calls)).every(({ status }) => status === 200))
})

/** What a socket at `/graphql` is answered first: the type of a message, or the status that refuses it. */
function ack(host: string, origin: string): Promise<string> {
  return new Promise((resolve) => {
    const url = `${api.url.replace('http', 'ws')}/graphql`
    const socket = new WebSocket(url, 'graphql-transport-ws', { headers: { host }, origin })
    socket.once('open', () => socket.send(JSON.stringify({ type: 'connection_init', payload: credential })))
    socket.once('message', (text) => {
      resolve(JSON.parse(String(text)).type)
      socket.close()
    })
    socket.once('unexpected-response', (_req, res) => {
      resolve(String(res.statusCode))
      res.resume()
    })
    socket.on('error', () => {})
  })
}

test('a domain leads to its project, or to a function; a function of another project is not there', async () => {
  const { projectId } = owner
  const other = (await world.createProject()).owner
  const foreign = (await makeFunction(other, '', { execute: ['any'] })).id
  const at = async (host: string, path: string, sent: Sent = {}) =>
    send(path, { ...sent, headers: { host, ...sent.headers } })
  const domain = { id: 'dom_1', projectId, name: 'api.example.org', verifiedAt: new Date() }
  await world.app.db.domain.create({ data: domain })
  await world.app.db.domain.create({ data: { id: 'dom_2', projectId, name: 'early.example.org' } })
  const graphql = {
    method: 'POST',
    headers: { 'content-type': 'application/json', ...credential },
    body: '{ "query": "{ __typename }" }',
  }
  // A key of the project is nobody at the console.
  assert.equal((await at('api.example.org', '/graphql', graphql)).status, 200)
  assert.equal((await at('API.example.org.:443', '/graphql', graphql)).status, 200)
  assert.equal((await at('early.example.org', '/graphql', graphql)).status, 401)
  assert.equal((await at('nobody.example.org', '/graphql', graphql)).status, 401)
  assert.equal((await at('api.example.org', `/functions/${open}/x`)).status, 200)
  assert.equal((await at('api.example.org', `/functions/${foreign}/x`)).status, 404)
  assert.equal(await ack('api.example.org', 'https://api.example.org'), 'connection_ack')
  assert.equal(await ack('api.example.org', 'https://evil.example'), '403')
  assert.equal(await ack('nobody.example.org', 'https://nobody.example.org'), '403')
  await world.app.db.domain.update({ where: { id: 'dom_1' }, data: { functionId: open } })
  await sleep(1_100)
  peer.runs.length = 0
  say = (run) => streamed(run, 200, { 'set-cookie': 'a=1; Path=/x', 'strict-transport-security': 'max-age=1' }, ['own'])
  const reply = await at('api.example.org', '/graphql?a=1')
  assert.equal(reply.body, 'own')
  assert.equal(peer.runs[0]?.request.url, '/graphql?a=1')
  assert.deepEqual(reply.headers['set-cookie'], ['a=1; Path=/x'])
  assert.equal(reply.headers['strict-transport-security'], 'max-age=1')
  assert.equal(reply.headers['content-security-policy'], undefined)
  assert.equal(await ack('api.example.org', 'https://api.example.org'), '404')
  // Certificates are renewed all the same.
  const challenge = await at('api.example.org', `/.well-known/acme-challenge/${'x'.repeat(20)}`)
  assert.match(challenge.body, /There is no such challenge/)
})
