import assert from 'node:assert/strict'
import { test } from 'node:test'
import { transform } from 'esbuild'
import { program } from '../testing/executor.ts'
import { answerOf, caller, failureOf } from '../testing/stage.ts'

test('no socket is opened, which is told to whoever tries, and an error of the network is no answer', async () => {
  const { text } = await answerOf(
    `({ res }) => { try { new WebSocket('wss://a.b') } catch (e) { return res.text([e instanceof DOMException, e.name, e.message].join()) } }`,
  )
  assert.equal(text, 'true,NotSupportedError,A function opens no sockets.')
  const { reason, message } = await failureOf('() => Response.error()')
  assert.deepEqual([reason, message], ['INVALID_ANSWER', 'Response.error() is no answer.'])
})

test('answers JSON, text, nothing, a redirect and bytes', async () => {
  assert.deepEqual((await answerOf('async ({ res }) => res.json({ ok: true }, 201, { "X-Own": 1 })')).headers, {
    'content-type': 'application/json',
    'x-own': '1',
  })
  assert.equal((await answerOf('({ res }) => res.text("héllo")')).text, 'héllo')
  assert.deepEqual(await answerOf('({ res }) => { res.empty() }'), {
    status: 204,
    headers: {},
    text: '',
    body: Buffer.alloc(0),
  })
  const redirect = await answerOf('({ res }) => res.redirect("/there", 307)')
  assert.deepEqual([redirect.status, redirect.headers], [307, { location: '/there' }])
  const binary = await answerOf('({ res }) => res.binary(Uint8Array.of(0, 255, 128, 10))')
  assert.deepEqual([...binary.body], [0, 255, 128, 10])
})

test('headers of an answer are an object, lists or Headers; several cookies are several', async () => {
  const headersOf = async (headers: string) => (await answerOf(`({ res }) => res.empty(204, ${headers})`)).headers
  assert.deepEqual(
    await headersOf('{ "Set-Cookie": ["a=1", "b=2, c"], vary: ["x", "y"], none: undefined, no: null }'),
    {
      'set-cookie': 'a=1\nb=2, c',
      vary: 'x, y',
    },
  )
  const own = 'const h = new Headers({ A: 1 }); h.append("set-cookie", "a=1"); h.append("set-cookie", "b=2")'
  assert.deepEqual(await headersOf(`(() => { ${own}; return h })()`), { a: '1', 'set-cookie': 'a=1\nb=2' })
  const away = await answerOf('({ res }) => res.redirect("/\u20ac x%20?a=b", 303, new Headers({ a: "b" }))')
  assert.deepEqual([await headersOf('null'), away.headers], [{}, { a: 'b', location: '/%E2%82%AC%20x%20?a=b' }])
})

test('sees the request: method, path, query, headers and its body as text, JSON and bytes', async () => {
  const echo = `async ({ req, res }) => res.json([req.method, req.url, req.path, req.query, req.headers, await req.json()])`
  const request = { method: 'POST', url: '/a/b?x=1&y=%C3%A9+z', headers: { 'x-a': 'b' } }
  const { text } = await answerOf(echo, { request, body: Buffer.from('{"k":"é"}') })
  const { method, url, headers } = request
  assert.deepEqual(JSON.parse(text), [method, url, '/a/b', { x: '1', y: 'é z' }, headers, { k: 'é' }])
  const bytes = Buffer.from([0xff, 0, 0xfe, 0x80])
  const back = await answerOf('async ({ req, res }) => res.binary(await req.bytes())', { body: bytes })
  assert.deepEqual(back.body, bytes)
})

test('what has caused an error is told with it, and what it holds', async () => {
  const failing =
    'async () => { throw new Error("outer", { cause: Object.assign(new TypeError("inner"), { code: "E_IN" }) }) }'
  const { stack } = await failureOf(failing)
  assert.match(stack ?? '', /^Error: outer\n +at .*\n\[cause\]: TypeError: inner\n +at .*\n\{ code: "E_IN" \}$/)
  const any = await failureOf(
    '() => Promise.any([Promise.reject(new Error("first")), Promise.reject(new Error("2nd"))])',
  )
  assert.match(
    any.stack ?? '',
    /^AggregateError[\s\S]*\n\[errors 0\]: Error: first\n[\s\S]*\n\[errors 1\]: Error: 2nd\n/,
  )
})

test('every run has a context of its own; variables are those of the run', async () => {
  const counting =
    '({ res, env }) => { globalThis.n = (globalThis.n ?? 0) + 1; Array.prototype.n = 1; return res.json([n, env]) }'
  for (const A of ['1', '2', '3'])
    assert.equal((await answerOf(counting, { variables: { A } })).text, `[1,{"A":"${A}"}]`)
})

test('a warm run is told as one, with the memory that the function holds', async () => {
  const source = program('({ res }) => res.text("warm?")')
  const runs = [await caller.run(source), await caller.run(source)]
  assert.deepEqual(
    runs.map(({ end }) => end.isCold),
    [true, false],
  )
  assert.ok(runs.every(({ end }) => Number(end.memoryBytes) > 100_000 && Number(end.memoryBytes) < 8_000_000))
})

test('what is thrown is told with its position, and what is said is kept', async () => {
  const { end } = await caller.run(
    program(
      'async ({ log }) => { log("a", 1, { b: [true] }); console.error(new Error("said")); throw new TypeError("no") }',
    ),
  )
  assert.equal(end.failure?.reason, 'THREW')
  assert.equal(end.failure?.message, 'TypeError: no')
  assert.match(end.failure?.stack ?? '', /^TypeError: no\n +at .*function\.js:3:\d+/)
  assert.deepEqual(
    end.logs.map(({ level, text }) => [level, text.split('\n')[0]]),
    [
      ['log', 'a 1 { b: [true] }'],
      ['error', 'Error: said'],
    ],
  )
  assert.doesNotMatch(JSON.stringify(end), /tendril|isolated-vm|node:|\/work|\.ts/)
})

test('why something was thrown is told with it, whatever it is', async () => {
  const messageOf = async (cause: string) =>
    (await failureOf(`() => { throw new Error('It failed', { cause: ${cause} }) }`)).message
  assert.equal(await messageOf("new Error('no room')"), 'Error: It failed: no room')
  assert.equal(await messageOf("'no room'"), 'Error: It failed')
  assert.equal(await messageOf("Object.assign(new Error(), { message: Symbol('s') })"), 'Error: It failed: Symbol(s)')
})

test('whoever looks for what Node has is told where it is', async () => {
  const failure = await failureOf('() => Buffer.from("a")')
  const message = "ReferenceError: Buffer is not defined: it is Node's, and there with the runtime node-22."
  assert.deepEqual([failure.message, failure.stack?.split('\n')[0]], [message, 'ReferenceError: Buffer is not defined'])
  assert.equal((await failureOf('() => buffer')).message, 'ReferenceError: buffer is not defined')
})

test('positions are those of the sources, where the program has a source map', async () => {
  const source = `type Row = { id: number }

function fails(row: Row): never {
  throw new Error('of ' + row.id)
}
export default () => fails({ id: 7 })
`
  const { code } = await transform(source, {
    loader: 'ts',
    format: 'iife',
    globalName: '__function',
    sourcemap: 'inline',
    sourcefile: 'src/index.ts',
    minify: true,
  })
  const { end } = await caller.run(code)
  assert.equal(end.failure?.message, 'Error: of 7')
  assert.match(end.failure?.stack ?? '', /src\/index\.ts:4:9[\s\S]*src\/index\.ts:6:22/)
})

test('a project may have more versions than its process keeps', async () => {
  const nth = (n: number) => program(`({ res }) => res.text("${n}")`)
  const tenant = 'prj_versions'
  for (let n = 0; n < 40; n += 1) assert.equal((await caller.run(nth(n), { tenant })).text, String(n))
  assert.equal((await caller.run(nth(0), { tenant })).text, '0')
})

test('thrown on loading, thrown by a timer, thrown as no error, and not to be compiled', async () => {
  const loading = await caller.run('throw new RangeError("at load")')
  assert.equal(loading.end.failure?.message, 'RangeError: at load')
  assert.equal(
    (await failureOf('() => new Promise(() => setTimeout(() => { throw new Error("late") }))')).message,
    'Error: late',
  )
  assert.equal((await failureOf('() => { throw { code: 1 } }')).message, 'Thrown: {"code":1}')
  assert.equal((await failureOf('() => { throw null }')).message, 'Thrown: null')
  const broken = (await caller.run('this is no program')).end.failure
  assert.equal(broken?.reason, 'THREW')
  assert.match(broken?.message ?? '', /^SyntaxError|Unexpected/)
})

test('no answer, none possible, two, and what is none', async () => {
  assert.equal((await failureOf('() => {}')).reason, 'INVALID_ANSWER')
  assert.equal((await failureOf('() => ({ any: "thing" })')).reason, 'INVALID_ANSWER')
  assert.equal(
    (await failureOf('() => new Promise(() => {})')).message,
    'The function never answered: it waits for what cannot happen.',
  )
  assert.equal(
    (await failureOf('({ res }) => { res.text("a"); res.text("b") }')).message,
    'The function answered twice.',
  )
  assert.equal((await failureOf('({ res }) => res.text("", 99)')).reason, 'INVALID_ANSWER')
  assert.equal((await failureOf('({ res }) => res.text("", 200, { "bad name": "" })')).reason, 'INVALID_ANSWER')
  assert.equal((await failureOf('({ res }) => res.text("", 200, { a: "x\\r\\ny: z" })')).reason, 'INVALID_ANSWER')
  assert.equal((await caller.run('var __function = { name: 1 }')).end.failure?.reason, 'INVALID_ANSWER')
})

test('a streamed answer comes as it is made', async () => {
  const source = `() => new Response(new ReadableStream({
    async start(c) { for (const n of [1, 2, 3]) { c.enqueue(new TextEncoder().encode("part " + n)); await new Promise((r) => setTimeout(r, 5)) } c.close() },
  }), { status: 206, headers: { 'content-type': 'text/event-stream' } })`
  const streamed = await caller.run(program(source), { isStreamed: true })
  assert.deepEqual(
    [streamed.head?.head.status, streamed.head?.head.headers],
    [206, { 'content-type': 'text/event-stream' }],
  )
  assert.deepEqual(streamed.chunks.map(String), ['part 1', 'part 2', 'part 3'])
  assert.deepEqual([streamed.end.failure, streamed.end.response?.status, streamed.text], [null, 206, ''])
  assert.equal((await answerOf(source)).text, 'part 1part 2part 3')
})
