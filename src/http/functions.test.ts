import assert from 'node:assert/strict'
import { type OutgoingHttpHeaders, request } from 'node:http'
import { test } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import { newId } from '../lib/ids.ts'
import { hashSecret, newSecret } from '../lib/secrets.ts'
import { deleteFunction, updateFunction } from '../modules/functions/functions.ts'
import type { Answer, PeerRun } from '../testing/executor.ts'
import { functionStage, type Reply, streamed } from '../testing/function-stage.ts'
import { makeFunction } from '../testing/functions.ts'
import { limits } from './limits.ts'

const stage = functionStage()
const { credential, send } = stage

// It comes first: beside another project that has asked within 10 s, half of its calls would wait.
test('requests and bytes are counted, and a project has so many calls at a time', async () => {
  const { projectId } = (await stage.world.createProject()).owner
  const other = stage.world.context(projectId, stage.owner.actor)
  const { id } = await makeFunction(other, '', { execute: ['any'] })
  await send(`/functions/${id}/`, { method: 'POST', body: '12345' })
  await stage.world.app.meter.flush()
  const { rows } = await stage.world.app.sql.query(
    `select distinct metric, value::int from usage where "projectId" = $1 and metric in ('requests', 'bytes.in', 'bytes.out') order by metric`,
    [projectId],
  )
  assert.deepEqual(rows, [
    { metric: 'bytes.in', value: 5 },
    { metric: 'bytes.out', value: 5 },
    { metric: 'requests', value: 1 },
  ])
  const waiting: (() => void)[] = []
  stage.say = (run) => new Promise((resolve) => waiting.push(() => resolve(streamed(run, 200, {}, []))))
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
  stage.say = (run) => streamed(run, 200, {}, [])
  assert.equal((await send(`/functions/${stage.open}/`)).status, 200)
  for (const finish of waiting) finish()
  assert.ok((await Promise.all(calls)).every(({ status }) => status === 200))
})

test('method, path, query, headers and body go to the function, and its answer comes back', async () => {
  stage.say = (run) =>
    streamed(run, 418, { 'content-type': 'text/x', 'x-color': 'blue', connection: 'x-color-2' }, ['a', 'b'])
  const reply = await send(`/functions/${stage.open}/orders/7%20x?page=2&page=3`, {
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
  const [run] = stage.peer.runs
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
  const execution = await stage.world.app.db.execution.findUniqueOrThrow({ where: { id } })
  assert.deepEqual([execution.trigger, execution.status, execution.responseStatus], ['HTTP', 'COMPLETED', 418])
  // What was secret of the request is not kept.
  assert.partialDeepStrictEqual(execution.requestHeaders, { cookie: '…', authorization: '…', 'x-mine': 'yes' })
})

test('the path of a function may be left out; HEAD has no body; what is no path of a function is none', async () => {
  await send(`/functions/${stage.open}`)
  await send(`/functions/${stage.open}?a=1`)
  assert.deepEqual(
    stage.peer.runs.map(({ request }) => request.url),
    ['/', '/?a=1'],
  )
  const head = await send(`/functions/${stage.open}/`, { method: 'HEAD' })
  assert.deepEqual([head.status, head.body, head.headers['content-type']], [200, '', 'text/plain'])
  for (const path of ['/functions', '/functions/', `/functions/${'x'.repeat(65)}`])
    assert.equal((await send(path)).status, 404)
})

test('an answer that is there as a whole tells its length, and is not cut where it is large', async () => {
  const response = { status: 200, headers: { 'content-type': 'text/plain', 'content-length': '5' } }
  stage.say = () => ({ response, body: 'whole' })
  const { headers, body } = await send(`/functions/${stage.open}/`)
  assert.deepEqual([headers['content-length'], headers['transfer-encoding'], body], ['5', undefined, 'whole'])
  const head = await send(`/functions/${stage.open}/`, { method: 'HEAD' })
  assert.deepEqual([head.headers['content-length'], head.body], ['5', ''])
  stage.say = () => ({ response, body: 'x'.repeat(6 * 1024 * 1024) })
  const large = await send(`/functions/${stage.open}/`)
  assert.deepEqual([large.status, large.body.length, large.isCut], [200, 6 * 1024 * 1024, false])
  stage.say = () => ({ response: { status: 304, headers: {} }, body: '' })
  const none = await send(`/functions/${stage.open}/`)
  assert.deepEqual([none.status, none.headers['content-length']], [304, undefined])
})

test('who may not run it is told what whoever asks for nothing is told', async () => {
  const deleted = (await makeFunction(stage.owner, '', { execute: ['any'] })).id
  await deleteFunction(stage.owner, deleted)
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
    [`/functions/${stage.closed}/a`, {}],
    [`/functions/${stage.closed}/a`, bad],
    ['/functions/fun_none/a', bad],
    ['/functions/fun_none/a', credential],
    [`/functions/${deleted}/a`, {}],
  ]
  for (const [path, headers] of paths) assert.deepEqual(await told(path, headers), nothing, path)
  assert.equal(stage.peer.runs.length, 0)
  const { status, body } = await send(`/functions/${stage.open}/`, { headers: bad })
  assert.equal(status, 401)
  assert.match(body, /"code":"UNAUTHENTICATED"/)
})

test('a credential of ours decides who calls, and is not handed on', async () => {
  const { projectId } = stage.owner
  const user = await stage.world.app.db.user.create({
    data: { id: newId('usr'), projectId, email: 'u@example.org', passwordHash: '' },
  })
  const secret = newSecret('ses')
  const expiresAt = new Date(Date.now() + 60_000)
  await stage.world.app.db.session.create({
    data: { id: newId('ses'), projectId, userId: user.id, hash: hashSecret(secret), expiresAt, ip: '', userAgent: '' },
  })
  for (const authorization of [credential.authorization, `Bearer ${secret}`]) {
    assert.equal((await send(`/functions/${stage.closed}/`, { headers: { authorization } })).status, 200)
  }
  assert.deepEqual(
    stage.peer.runs.map(({ request: { headers } }) => [headers.authorization, headers['tendril-user-id']]),
    [
      [undefined, undefined],
      [undefined, user.id],
    ],
  )
})

test('an answer comes as it is made, and whoever goes away ends the run', async () => {
  let ended: PeerRun | undefined
  stage.say = async (run) => {
    ended = run
    run.send({ kind: 'head', id: run.id, status: 200, headers: { 'content-type': 'text/event-stream' } })
    run.send({ kind: 'chunk', id: run.id }, Buffer.from('data: 1\n\n'))
    return null
  }
  const { hostname, port } = new URL(stage.api.url)
  const first = await new Promise<string>((resolve, reject) => {
    const req = request({ hostname, port, path: `/functions/${stage.open}/`, agent: false }, (res) => {
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
  stage.say = async (run) => {
    ended = run
    return null
  }
  await assert.rejects(send(`/functions/${stage.open}/`, { abortMs: 100 }))
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
    stage.say = () => failure(reason)
    const reply = await send(`/functions/${stage.open}/`)
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
    stage.say = (run) =>
      streamed(
        run,
        head.status,
        { 'set-cookie': 'a=1', ...('headers' in head ? head.headers : {}) } as Record<string, string>,
        ['x'],
      )
    const reply = await send(`/functions/${stage.open}/`)
    assert.deepEqual([reply.status, reply.headers['set-cookie']], [500, undefined])
  }
  // Once it has begun, all that can be done is to end it.
  stage.say = (run) => ({ ...streamed(run, 200, {}, ['half']), ...failure('THREW') })
  const reply = await send(`/functions/${stage.open}/`)
  assert.deepEqual([reply.status, reply.body, reply.isCut], [200, 'half', true])
})

test('a body that is too large is refused before anything runs; so is a function with nothing to run', async () => {
  const body = Buffer.alloc(6_000_001)
  assert.equal((await send(`/functions/${stage.open}/`, { method: 'POST', body })).status, 413)
  const chunked = { 'transfer-encoding': 'chunked' }
  assert.equal((await send(`/functions/${stage.open}/`, { method: 'POST', body, headers: chunked })).status, 413)
  assert.equal(stage.peer.runs.length, 0)
  assert.equal((await send(`/functions/${stage.open}/`, { method: 'POST', body: body.subarray(1) })).status, 200)
  assert.equal(stage.peer.runs[0]?.body.length, 6_000_000)
  const { id } = await makeFunction(stage.owner, '', { execute: ['any'] })
  await updateFunction(stage.owner, id, { enabled: false })
  const disabled = await send(`/functions/${id}/`)
  assert.deepEqual([disabled.status, disabled.headers['retry-after']], [503, '5'])
})

test('an answer that begins twice is cut, and no run of others ends with it', async () => {
  const other = Promise.withResolvers<Answer>()
  stage.say = (run) => {
    if (run.request.url === '/other') return other.promise
    run.send({ kind: 'head', id: run.id, status: 200, headers: { 'x-color': 'blue' } })
    return streamed(run, 200, { 'x-color': 'red' }, ['b'])
  }
  const goesOn = send(`/functions/${stage.open}/other`)
  while (stage.peer.runs.length === 0) await sleep(10)
  const reply = await send(`/functions/${stage.open}/`).catch(() => null)
  assert.notEqual(reply?.isCut, false)
  const row = await stage.owner.db.execution.findFirst({
    where: { functionId: stage.open, url: '/' },
    orderBy: { createdAt: 'desc' },
  })
  assert.deepEqual([row?.status, row?.failure], ['FAILED', 'INVALID_ANSWER'])
  other.resolve({ response: { status: 200, headers: {} }, body: 'goes on' })
  assert.deepEqual([(await goesOn).status, (await goesOn).body], [200, 'goes on'])
})

test('whoever sends slowly takes no place from others, unless it is much', async () => {
  const slow = (bytes: number) =>
    Array.from({ length: limits.functionCalls.ofProject }, () => {
      const { hostname, port } = new URL(stage.api.url)
      const headers = { 'content-length': 1_000_000 }
      const req = request({ hostname, port, path: `/functions/${stage.open}/`, method: 'POST', headers, agent: false })
      req.on('error', () => {})
      req.write(Buffer.alloc(bytes))
      return req
    })
  const few = slow(1_000)
  await sleep(500)
  assert.equal((await send(`/functions/${stage.open}/`)).status, 200)
  const much = slow(limits.functionBodyAheadBytes + 1)
  let refused = await send(`/functions/${stage.open}/`)
  for (let i = 0; i < 50 && refused.status !== 503; i += 1) {
    await sleep(100)
    refused = await send(`/functions/${stage.open}/`)
  }
  assert.match(refused.body, /Too many calls of functions/)
  for (const req of [...few, ...much]) req.destroy()
  while ((await send(`/functions/${stage.open}/`)).status !== 200) await sleep(50)
})
