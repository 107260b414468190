import assert from 'node:assert/strict'
import { randomUUID } from 'node:crypto'
import { test } from 'node:test'
import { type Caller, program } from '../testing/executor.ts'
import { answerOf, caller } from '../testing/stage.ts'

test('a Response is an answer, and programs of other platforms run', async () => {
  const web = await answerOf(
    'async ({ request }) => new Response(await request.text(), { status: 202, headers: { a: "b" } })',
    { request: { method: 'PUT' }, body: Buffer.from('hello') },
  )
  assert.deepEqual([web.status, web.headers?.a, web.text], [202, 'b', 'hello'])
  const worker = '{ fetch: (request, env) => Response.json({ url: request.url, env, method: request.method }) }'
  const { text } = await answerOf(worker, {
    variables: { KEY: 'v' },
    request: { url: '/p?q=1', headers: { host: 'example.com' } },
  })
  assert.deepEqual(JSON.parse(text), { url: 'https://example.com/p?q=1', env: { KEY: 'v' }, method: 'GET' })
  const headers = { host: 'localhost:4000', 'x-forwarded-proto': 'http' }
  const plain = await answerOf('{ fetch: (request) => new Response(request.url) }', { request: { url: '/p', headers } })
  assert.equal(plain.text, 'http://localhost:4000/p')
  const byMethod = await caller.run('var __function = { POST: async (r) => new Response(await r.text()) }', {
    request: { method: 'POST' },
    body: Buffer.from('posted'),
  })
  assert.equal(byMethod.text, 'posted')
  const byGet = 'var __function = { GET: () => new Response("got"), POST: () => new Response() }'
  assert.equal((await caller.run(byGet, { request: { method: 'HEAD' } })).text, 'got')
  const { end } = await caller.run(byGet, { request: { method: 'DELETE' } })
  assert.deepEqual(end.response, { status: 405, headers: { allow: 'GET, POST' } })
  const trace = await caller.run(byGet, { request: { method: 'TRACE' } })
  assert.equal(trace.end.response?.status, 405)
  const all = { status: 405, headers: { allow: 'GET, HEAD, POST, PUT, PATCH, DELETE, OPTIONS' } }
  for (const method of ['TRACE', 'track', 'CONNECT']) {
    const none = await caller.run(program('{ fetch: () => new Response("no") }'), { request: { method } })
    assert.deepEqual(none.end.response, all)
  }
  const options = await caller.run(byGet, { request: { method: 'OPTIONS' } })
  assert.deepEqual(options.end.response, { status: 204, headers: { allow: 'GET, POST' } })
  const common = await caller.run('var __function = { default: { default: ({ res }) => res.text("common") } }')
  assert.equal(common.text, 'common')
  const commonFetch = 'var __function = { default: { default: { fetch: () => new Response("common") } } }'
  assert.equal((await caller.run(commonFetch)).text, 'common')
  // As itty-router makes them.
  const router = `{ __proto__: new Proxy({}, { get: (_, name) => () => 'a route of ' + name }), fetch: () => new Response('routed') }`
  assert.equal((await answerOf(router)).text, 'routed')
})

test('what is waited for until the answer leaves is done, also where it writes the answer', async () => {
  const late =
    '{ fetch(request, env, ctx) { ctx.waitUntil(new Promise((done) => setTimeout(done, 20)).then(() => console.log("done"))); ctx.waitUntil(Promise.reject(new Error("not done"))); return new Response("now") } }'
  const { end, text } = await caller.run(program(late))
  assert.deepEqual([text, end.logs.map(({ text }) => text.split('\n')[0])], ['now', ['done', 'Error: not done']])
  const early = `{ async fetch(request, env, ctx) {
    ctx.waitUntil(Promise.reject(new RangeError('beside')))
    await new Promise((done) => setTimeout(done, 20))
    return new Response('now')
  } }`
  const failing = await caller.run(program(early))
  const said = failing.end.logs.map(({ text }) => text.split('\n')[0])
  assert.deepEqual([failing.text, said], ['now', ['RangeError: beside']])
  const writing = `{ fetch(request, env, ctx) {
    const { readable, writable } = new TransformStream()
    const writer = writable.getWriter()
    ctx.waitUntil((async () => { await writer.write('a'); await writer.write('b'); await writer.close() })())
    return new Response(readable.pipeThrough(new TextEncoderStream()))
  } }`
  assert.equal((await caller.run(program(writing))).text, 'ab')
  assert.deepEqual((await caller.run(program(writing), { isStreamed: true })).chunks.map(String), ['a', 'b'])
})

const leaving = (later: string, said = `'begun'`) =>
  `{ fetch(request, env, ctx) { console.log(${said}); ctx.waitUntil(${later}); return new Response('now', { status: 201 }) } }`

test('an answer stands whatever becomes of what waits behind it, and the log says that this was cut off', async () => {
  const cut = async (later: string, asked: Parameters<Caller['run']>[1] = {}) => {
    const { end, text } = await caller.run(program(leaving(later)), { limits: { timeoutMs: 300 }, ...asked })
    assert.deepEqual([end.failure, end.response?.status, text], [null, 201, 'now'], later)
    const [begun, last, ...rest] = end.logs
    assert.deepEqual([begun?.text, last?.level, rest], ['begun', 'error', []], later)
    return last?.text.split('\n')[0]
  }
  const late = 'What waitUntil was given was cut off: The function ran longer than 300 ms.'
  assert.equal(await cut('new Promise((done) => setTimeout(done, 60_000))'), late)
  assert.equal(await cut('new Promise((done) => setTimeout(done, 20)).then(() => { for (;;); })'), late)
  assert.equal(
    await cut('new Promise(() => {})'),
    'What waitUntil was given was cut off: It waited for what cannot happen.',
  )
  const throwing = 'new Promise(() => setTimeout(() => { throw new RangeError("late") }, 20))'
  assert.equal(await cut(throwing), 'What waitUntil was given was cut off: RangeError: late')
  assert.equal(await cut('new Promise((done) => setTimeout(done, 60_000))', { isStreamed: true }), late)
})

test('a schedule calls what other platforms call scheduled, where a program has it', async () => {
  const source = `{
    told: 'said', fetch: () => new Response('fetched'),
    async scheduled({ scheduledTime }, env, ctx) {
      ctx.waitUntil(new Promise((done) => setTimeout(done, 20)).then(() => console.log('behind')))
      console.log(this.told, new Date(scheduledTime).toISOString(), env.A)
    },
  }`
  const headers = { 'tendril-trigger': 'schedule', 'tendril-scheduled-at': '2026-03-29T01:00:00.000Z' }
  const { end } = await caller.run(program(source), { variables: { A: '1' }, request: { method: 'POST', headers } })
  assert.deepEqual([end.failure, end.response?.status], [null, 204])
  assert.deepEqual(
    end.logs.map(({ text }) => text),
    ['said 2026-03-29T01:00:00.000Z 1', 'behind'],
  )
  assert.equal((await answerOf(source)).text, 'fetched')
  const router = `{ __proto__: new Proxy({}, { get: () => () => 'a route' }), fetch: () => new Response('routed') }`
  assert.equal((await answerOf(router, { request: { headers } })).text, 'routed')
})

test('so it does where what waits behind it ends the process', async () => {
  const bomb = `new Promise((done) => setTimeout(done, 50)).then(() => 'x'.repeat(2 ** 28).split(''))`
  const { end, text } = await caller.run(program(leaving(bomb)))
  assert.deepEqual([end.failure, end.response?.status, text], [null, 201, 'now'])
  const said = 'What waitUntil was given was cut off: The function used more memory than it may.'
  assert.deepEqual(
    end.logs.map(({ text }) => text),
    ['begun', said],
  )
  const flood = `'begun'); for (let i = 0; i < 70; i += 1) console.log('x'.repeat(1_008)`
  const full = (await caller.run(program(leaving(bomb, flood)))).end.logs
  assert.deepEqual([full.length, full.at(-1)?.text], [66, said])
  const unanswered = await caller.run(program(`() => { console.log('begun'); return ${bomb} }`))
  const { failure, logs } = unanswered.end
  assert.deepEqual([failure?.reason, logs.map(({ text }) => text)], ['MEMORY', ['begun']])
})

test('so does one that was streamed, and one whose caller left', async () => {
  const streamed = `{ fetch(request, env, ctx) {
    ctx.waitUntil(new Promise(() => setTimeout(() => {}, 60_000)))
    return new Response(ReadableStream.from(['a', 'b']))
  } }`
  const { end, chunks } = await caller.run(program(streamed), { isStreamed: true, limits: { timeoutMs: 2_000 } })
  assert.deepEqual([end.failure, end.response?.status, chunks.map(String)], [null, 200, ['a', 'b']])
  const source = program(leaving('new Promise((done) => setTimeout(done, 60_000))'))
  const id = randomUUID()
  const run = caller.run(source, { id })
  setTimeout(() => caller.send({ kind: 'cancel', id }), 1_000)
  const left = await run
  assert.deepEqual([left.end.failure, left.text], [null, 'now'])
})

test('a piece of a stream may be larger than what goes out of an isolate at once', async () => {
  const source = '() => new Response(ReadableStream.from([new Uint8Array(9e6).fill(7), "", "end"]))'
  const { end, chunks } = await caller.run(program(source), { isStreamed: true })
  assert.equal(end.failure, null)
  const all = Buffer.concat(chunks)
  assert.deepEqual([all.length, all.at(8_999_999), String(all.subarray(-3))], [9_000_003, 7, 'end'])
})

test('a program may come by a promise', async () => {
  const { text } = await caller.run('var __function = Promise.resolve({ default: ({ res }) => res.text("later") })')
  assert.equal(text, 'later')
  const failed = await caller.run('var __function = Promise.reject(new RangeError("at load"))')
  assert.equal(failed.end.failure?.message, 'RangeError: at load')
})
