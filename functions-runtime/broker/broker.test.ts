import assert from 'node:assert/strict'
import { once } from 'node:events'
import { createServer, type IncomingMessage, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { after, before, test } from 'node:test'
import { gzipSync } from 'node:zlib'
import { type Caller, program, startExecutor, type TestExecutor } from '../testing/executor.ts'
import { childrenOf } from '../testing/processes.ts'

type Seen = { method: string; url: string; headers: IncomingMessage['headers']; body: Buffer }

let server: Server
let url: string
let executor: TestExecutor
let caller: Caller
const seen: Seen[] = []

/** Plays the API and the rest of the world. */
before(async () => {
  server = createServer(async (req, res) => {
    const parts: Buffer[] = []
    for await (const part of req) parts.push(part)
    seen.push({ method: req.method ?? '', url: req.url ?? '', headers: req.headers, body: Buffer.concat(parts) })
    const hops = Number(/^\/hop\/(\d+)/.exec(req.url ?? '')?.[1] ?? Number.NaN)
    if (hops > 0) res.writeHead(302, { location: `/hop/${hops - 1}` }).end()
    else if (req.url === '/away') res.writeHead(302, { location: 'http://169.254.169.254/latest' }).end()
    else if (req.url === '/large') for (let n = 0; n < 200 && !res.closed; n += 1) res.write(Buffer.alloc(100_000))
    else if (req.url === '/gzip') res.writeHead(200, { 'content-encoding': 'gzip' }).end(gzipSync('unpacked'))
    else if (req.url === '/bomb') res.writeHead(200, { 'content-encoding': 'gzip' }).end(gzipSync(Buffer.alloc(50e6)))
    else if (req.url === '/never') return
    else if (req.url?.startsWith('/projects/')) res.end(JSON.stringify(answerOf(parts)))
    else
      res
        .writeHead(201, { 'x-own': 'yes', 'set-cookie': ['a=1', 'b=2'] })
        .end(Buffer.concat([Buffer.from([0, 255]), ...parts]))
  }).listen(0, '127.0.0.1')
  await once(server, 'listening')
  url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`
  executor = await startExecutor({ EGRESS_ALLOW: '127.0.0.1/32', TENDRIL_URL: url })
  caller = await executor.connect()
})
after(async () => {
  await executor.stop()
  server.closeAllConnections()
  server.close()
})

function answerOf(parts: Buffer[]): object {
  const { query, variables } = JSON.parse(Buffer.concat(parts).toString())
  if (query.includes('large')) return { data: 'x'.repeat(9_000_000) }
  return query.includes('fail')
    ? { data: null, errors: [{ message: 'Not yours.', extensions: { code: 'FORBIDDEN' } }] }
    : { data: { query, variables } }
}

type Thrown = { name: string; message: string; why: string }

/** What a function's code answers: JSON, or the error that was thrown. */
async function resultOf(code: string, asked: Parameters<Caller['run']>[1] = {}): Promise<unknown> {
  const source = `async ({ res, graphql, fetch }) => { const url = ${JSON.stringify(url)}
    try { return res.json(await (async () => { ${code} })()) } catch (e) { return res.json({ name: e.name, message: e.message, why: e.cause?.message, errors: e.errors }) } }`
  const { end, text } = await caller.run(program(source), asked)
  assert.equal(end.failure, null)
  return JSON.parse(text)
}

test('fetch carries method, headers and bytes both ways', async () => {
  seen.length = 0
  const value =
    await resultOf(`const r = await fetch(url + "/x", { method: "POST", headers: { "X-Mine": "1", host: "evil" }, body: new Uint8Array([1, 200]) })
    return [r.status, r.ok, r.headers.get("x-own"), r.headers.getSetCookie(), [...new Uint8Array(await r.arrayBuffer())], r.url === url + "/x"]`)
  assert.deepEqual(value, [201, true, 'yes', ['a=1', 'b=2'], [0, 255, 1, 200], true])
  assert.deepEqual(
    [seen[0]?.method, seen[0]?.headers['x-mine'], seen[0]?.headers.host],
    ['POST', '1', new URL(url).host],
  )
})

test('a fetch says who asks and what it takes, unless the program does', async () => {
  seen.length = 0
  await resultOf(
    'await fetch(url + "/x"); await fetch(url + "/x", { headers: { "user-agent": "mine", accept: "text/x" } })',
  )
  assert.deepEqual(
    seen.map(({ headers }) => [headers['user-agent'], headers.accept]),
    [
      ['Tendril', '*/*'],
      ['mine', 'text/x'],
    ],
  )
})

test('redirects are followed five times, and every hop is checked', async () => {
  assert.deepEqual(
    await resultOf('const r = await fetch(url + "/hop/5"); return [r.status, r.redirected, r.url === url + "/hop/0"]'),
    [201, true, true],
  )
  const far = (await resultOf('await fetch(url + "/hop/6")')) as Thrown
  assert.deepEqual([far.name, far.why], ['TypeError', 'The address redirects more than 5 times.'])
  assert.equal(((await resultOf('await fetch(url + "/away")')) as Error).name, 'TypeError')
  assert.equal(await resultOf('return (await fetch(url + "/hop/1", { redirect: "manual" })).status'), 302)
  assert.equal(((await resultOf('await fetch(url + "/hop/1", { redirect: "error" })')) as Error).name, 'TypeError')
})

test('answers over 10 MB are refused, packed or not', async () => {
  assert.equal(await resultOf('return (await fetch(url + "/gzip")).text()'), 'unpacked')
  // Whoever hands it on says nothing untrue of it.
  const { body, end } = await caller.run(program(`() => fetch('${url}/gzip')`))
  assert.deepEqual([body.toString(), end.response?.headers['content-encoding']], ['unpacked', undefined])
  const head =
    'const { headers } = await fetch(url + "/gzip", { method: "HEAD" }); return headers.get("content-encoding")'
  assert.equal(await resultOf(head), 'gzip')
  for (const path of ['/large', '/bomb']) {
    const { name, why } = (await resultOf(`await fetch(url + "${path}")`)) as Thrown
    assert.equal(name, 'TypeError')
    assert.match(why, /larger than 10 MB/)
  }
})

test('what cannot be reached fails as in Node, so that packages try again; what may not be reached says so', async () => {
  const closed = new URL(url).href.replace(/:\d+/, ':1')
  const { name, message, why } = (await resultOf(`await fetch(${JSON.stringify(closed)})`)) as Thrown
  const here = await fetch(closed).catch((error: Error) => error)
  assert.deepEqual({ name, message, why }, { ...pick(here as Error), why: 'The connection was refused.' })
  const { end } = await caller.run(program(`async () => { await fetch(${JSON.stringify(closed)}) }`))
  assert.equal(end.failure?.message, 'TypeError: fetch failed: The connection was refused.')
  const refused = (await resultOf('await fetch("http://10.0.0.1/")')) as Thrown
  assert.deepEqual([refused.name, /EGRESS_ALLOW/.test(refused.message)], ['TypeError', true])
})

const pick = ({ name, message }: Error) => ({ name, message })

test('a fetch can be given up', async () => {
  assert.equal(
    ((await resultOf('await fetch(url + "/never", { signal: AbortSignal.timeout(20) })')) as Error).name,
    'TimeoutError',
  )
})

test('a large answer of the API comes, and breaks off no call of others', async () => {
  const large = 'const { length } = await graphql("{ large }"); return length'
  const small = 'return (await graphql("{ a }")).query'
  const others = Array.from({ length: 5 }, () => resultOf(small, { tenant: 'prj_2' }))
  assert.deepEqual(await Promise.all([resultOf(large), ...others]), [9_000_000, ...others.map(() => '{ a }')])
})

test('graphql goes to the project of the run, on its token, with a key for every effect', async () => {
  seen.length = 0
  const run = {
    tenant: 'prj_1',
    executionId: 'exe_1',
    token: 'run_secret',
    request: { headers: { traceparent: '00-a-b-01' } },
  }
  const value = await resultOf(
    'return [await graphql("{ a }", { v: 1 }), await graphql({ toString: () => "{ b }" })]',
    run,
  )
  assert.deepEqual(value, [
    { query: '{ a }', variables: { v: 1 } },
    { query: '{ b }', variables: {} },
  ])
  assert.deepEqual(
    seen.map(({ url, headers }) => [url, headers.authorization, headers['idempotency-key'], headers.traceparent]),
    [
      ['/projects/prj_1/graphql', 'Bearer run_secret', 'exe_1:1', '00-a-b-01'],
      ['/projects/prj_1/graphql', 'Bearer run_secret', 'exe_1:2', '00-a-b-01'],
    ],
  )
})

test('errors of the API are thrown with their codes', async () => {
  const error = (await resultOf('await graphql("{ fail }")')) as { name: string; message: string; errors: unknown }
  assert.deepEqual([error.name, error.message], ['GraphqlError', 'Not yours.'])
  assert.deepEqual(error.errors, [{ message: 'Not yours.', extensions: { code: 'FORBIDDEN' } }])
})

test('the token is nowhere in the function', async () => {
  const source = '({ res, ...rest }) => res.text(JSON.stringify([rest, Object.getOwnPropertyNames(globalThis)]))'
  const { text } = await caller.run(program(source), { token: 'run_hidden' })
  assert.doesNotMatch(text, /run_hidden/)
})

test('a broker that is killed fails the calls that are under way, and is there again', async () => {
  const waiting = resultOf('await fetch(url + "/never")')
  await new Promise((done) => setTimeout(done, 300))
  const [broker] = childrenOf(executor.child.pid).filter(({ command }) => command.includes('broker/main'))
  process.kill(broker?.pid ?? assert.fail('no broker'), 'SIGKILL')
  const { message, why } = (await waiting) as Thrown
  assert.deepEqual([message, /may be tried again/.test(why)], ['fetch failed', true])
  let status: unknown
  for (let n = 0; n < 40 && status !== 201; n += 1) {
    await new Promise((done) => setTimeout(done, 100))
    status = await resultOf('return (await fetch(url)).status')
  }
  assert.equal(status, 201)
})
