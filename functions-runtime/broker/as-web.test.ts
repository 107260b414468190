import assert from 'node:assert/strict'
import { once } from 'node:events'
import { createServer, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { after, before, test } from 'node:test'
import { type Caller, program, startExecutor, type TestExecutor } from '../testing/executor.ts'

let server: Server
let url: string
let executor: TestExecutor
let caller: Caller

/** Tells what it was asked, and redirects. */
before(async () => {
  server = createServer(async (req, res) => {
    const parts: Buffer[] = []
    for await (const part of req) parts.push(part)
    const status = Number(/^\/to\/(\d+)/.exec(req.url ?? '')?.[1] ?? 0)
    const { host: _host, connection: _connection, 'user-agent': _agent, ...headers } = req.headers
    for (const name of Object.keys(headers))
      if (/^(accept|sec-|content-length|transfer)/.test(name)) delete headers[name]
    if (status) res.writeHead(status, { location: '/there?a=1' }).end('moved')
    else if (req.url === '/nowhere') res.writeHead(302).end('nowhere')
    else if (req.url === '/204') res.writeHead(204).end()
    else
      res
        .writeHead(201, { 'x-a': 'b' })
        .end(JSON.stringify([req.method, req.url, Object.entries(headers).sort(), Buffer.concat(parts).toString()]))
  }).listen(0, '127.0.0.1')
  await once(server, 'listening')
  url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`
  executor = await startExecutor({ EGRESS_ALLOW: '127.0.0.1/32' })
  caller = await executor.connect()
})
after(async () => {
  await executor.stop()
  server.closeAllConnections()
  server.close()
})

const told = '.then(async (r) => [r.status, r.statusText, r.ok, r.url, r.redirected, r.type, await r.text()])'
const given = (name: string) => (name === 'content-length' ? '0' : 'v')

const same = [
  ...[
    'TRACE',
    'trace',
    'CONNECT',
    'connect',
    'TRACK',
    'Track',
    'get',
    'Post',
    'PATCH',
    'delete',
    'PURGE',
    'purge',
    'a b',
    '',
    'OPTIONS',
  ].map((method) => `await fetch(url, { method: ${JSON.stringify(method)} })${told}`),
  ...['GET', 'HEAD', 'get', 'head', 'DELETE', 'OPTIONS', 'POST', 'PUT'].map(
    (method) => `await fetch(url, { method: '${method}', body: 'x' })${told}`,
  ),
  `await fetch(url, { method: 'GET', body: '' })${told}`,
  `await fetch(url, { method: 'GET', body: null })${told}`,
  `await fetch(url, { body: new ReadableStream(), method: 'GET', duplex: 'half' })${told}`,
  ...[301, 302, 303, 307, 308, 300, 304].flatMap((status) =>
    ['follow', 'manual', 'error'].flatMap((redirect) =>
      ['GET', 'POST', 'PUT', 'HEAD'].map(
        (method) =>
          `await fetch(url + '/to/${status}', { method: '${method}', redirect: '${redirect}'${/P/.test(method) ? ", body: 'x'" : ''}, headers: { 'x-own': '1', authorization: 'me' } })${told}`,
      ),
    ),
  ),
  `await fetch(url, { redirect: 'wrong' })${told}`,
  `await fetch(url + '/nowhere')${told}`,
  `await fetch(url + '/204')${told}`,
  ...[
    'host',
    'connection',
    'content-length',
    'cookie',
    'origin',
    'referer',
    'date',
    'via',
    'dnt',
    'sec-a',
    'proxy-a',
    'accept-charset',
    'set-cookie',
    'x a',
    '',
  ].map((name) => `await fetch(url, { headers: { ${JSON.stringify(name)}: given(${JSON.stringify(name)}) } })${told}`),
  "await fetch('ftp://a.b')",
  "await fetch('/relative')",
  "await fetch('https://user:pass@a.b')",
  "await fetch('about:blank')",
  "await fetch('blob:x')",
  'await fetch()',
  'await fetch(null)',
  'await fetch(url, { signal: AbortSignal.abort() })',
  "await fetch(url, { signal: AbortSignal.abort('why') }).catch((e) => String(e))",
  'await fetch(url, { signal: {} })',
  "await (async () => { const r = new Request(url, { method: 'POST', body: 'x', headers: { a: 'b' } }); const c = r.clone(); return [await fetch(r)" +
    told +
    ', await fetch(c)' +
    told +
    ', r.bodyUsed, c.bodyUsed] })()',
  "await (async () => { const r = new Request(url, { method: 'POST', body: 'x' }); await fetch(r); return fetch(r) })()",
  "await (async () => { const r = new Request(url, { method: 'POST', body: 'x' }); await fetch(r); return r.clone() })()",
  "await (async () => { const r = new Request(url, { redirect: 'manual', method: 'PUT', body: 'x' }); const c = r.clone(); return [c.redirect, c.method, await c.text(), await r.text()] })()",
  "await (async () => { const k = new AbortController(); const r = new Request(url, { signal: k.signal }); const c = r.clone(); k.abort('w'); return [c.signal.aborted, String(c.signal.reason), 1] })()",
  "await (async () => { const r = new Request(url, { method: 'POST', body: ReadableStream.from([new TextEncoder().encode('ab')]), duplex: 'half' }); const c = r.clone(); return [await r.text(), await c.text()] })()",
  `await fetch(new Request(url, { method: 'POST', body: 'x' }), { method: 'PUT' })${told}`,
  `await fetch(new Request(url, { method: 'POST', body: 'x' }), { method: 'GET' })${told}`,
  `await fetch(new Request(url, { method: 'POST', body: 'x' }), { body: 'y' })${told}`,
  `await fetch(new Request(url, { method: 'POST', body: 'x', headers: { a: '1' } }), { headers: { b: '2' } })${told}`,
  'await (async () => { const r = await fetch(url); const c = r.clone(); return [c.url === r.url, c.redirected, c.status, c.type, await c.text() === await r.text()] })()',
  "await (async () => { const r = await fetch(url + '/to/302'); const c = r.clone(); return [c.url, c.redirected] })()",
  'await (async () => { const r = await fetch(url); await r.text(); r.clone() })()',
  "new Request(url, { redirect: 'nope' }).redirect",
  'new Request(url, { signal: 5 })',
  "new Request('https://user:pass@a.b')",
  "new Request(url + '#frag').url",
  'new Request(url, { method: undefined }).method',
  "new Request(url, { body: 'x', method: 'post' }).headers.get('content-type')",
  '(await fetch(url)).headers instanceof Headers',
]

test('fetch, requests and their answers: as in Node', async () => {
  for (const expression of same) {
    const source = `async (url, given) => { try { return await (${expression}) } catch (e) { return 'threw ' + e.name } }`
    const called = `(${source})(${JSON.stringify(url)}, ${given})`
    const { end, text } = await caller.run(program(`async ({ res }) => res.json(await ${called})`))
    assert.equal(end.failure, null, expression)
    const here = await new Function(`return ${called}`)()
    assert.deepEqual(JSON.parse(text), JSON.parse(JSON.stringify(here) ?? 'null'), expression)
  }
})
