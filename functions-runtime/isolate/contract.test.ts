import assert from 'node:assert/strict'
import { randomUUID } from 'node:crypto'
import { test } from 'node:test'
import { transform } from 'esbuild'
import { type Caller, program } from '../testing/executor.ts'
import { caller } from '../testing/stage.ts'
import { unwanted } from './messages.ts'

async function answerOf(source: string, asked: Parameters<Caller['run']>[1] = {}) {
  const answer = await caller.run(program(source), asked)
  assert.equal(answer.end.failure, null)
  return { ...answer.end.response, text: answer.text, body: answer.body }
}

async function failureOf(source: string, asked: Parameters<Caller['run']>[1] = {}) {
  const { end } = await caller.run(program(source), asked)
  return end.failure ?? assert.fail(`It answered ${end.response?.status}`)
}

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

test('a run over its time ends, whether it loops or waits', async () => {
  const limits = { timeoutMs: 150 }
  // A process that has yet to start takes seconds on a busy machine; no run's time has begun then.
  await answerOf('({ res }) => res.empty()')
  for (const source of [
    '() => { for (;;); }',
    'async () => { await new Promise((r) => setTimeout(r, 5)); for (;;); }',
    '() => new Promise((r) => setTimeout(r, 60_000))',
    '() => (function f() { return Promise.resolve().then(f) })()',
    "() => /^(a+)+$/.test('a'.repeat(40) + 'b')",
    '() => { try { for (;;); } finally { for (;;); } }',
  ]) {
    const begun = performance.now()
    const failure = await failureOf(source, { limits })
    assert.deepEqual([failure.reason, failure.message], ['TIMEOUT', 'The function ran longer than 150 ms.'], source)
    assert.ok(performance.now() - begun < 2_000)
  }
  assert.match((await failureOf('function slow() { for (;;); }', { limits })).stack ?? '', /slow.*function\.js:3/)
})

test('a run that loops keeps others of its version waiting only until there is a second isolate', async () => {
  const source = program('({ req, res }) => { if (req.path === "/loop") for (;;); return res.text("quick") }')
  const run = (url: string) =>
    caller.run(source, {
      tenant: 'prj_lanes',
      request: { url },
      limits: { timeoutMs: url === '/loop' ? 4_000 : 10_000 },
    })
  await run('/')
  const begun = performance.now()
  const stuck = [run('/loop'), run('/'), run('/'), run('/'), run('/')]
  let passed = Number.POSITIVE_INFINITY
  const tried = []
  while (passed > 3_000 && performance.now() - begun < 3_500) {
    await new Promise((done) => setTimeout(done, 200))
    const before = performance.now()
    const one = run('/').then(() => {
      passed = Math.min(passed, performance.now() - before)
    })
    tried.push(one)
  }
  assert.ok(passed < 3_000)
  const [loop, ...others] = await Promise.all(stuck)
  await Promise.all(tried)
  assert.equal(loop?.end.failure?.reason, 'TIMEOUT')
  assert.deepEqual(
    others.map(({ text }) => text),
    ['quick', 'quick', 'quick', 'quick'],
  )
})

test('a function that uses too much memory is told so, and the next run works', async () => {
  for (const source of [
    '() => { const a = []; for (;;) a.push(new Array(1000).fill(1.1)) }',
    '() => { const a = []; for (;;) a.push(new Uint8Array(1e6).fill(1)) }',
    '() => { "x".repeat(2 ** 28).split("") }',
  ]) {
    const failure = await failureOf(source)
    if (failure.reason !== 'THREW') assert.equal(failure.reason, 'MEMORY', source)
    else assert.match(failure.message, /RangeError/)
    assert.equal((await answerOf('({ res }) => res.text("fine")')).text, 'fine')
  }
})

test('answers over 6 MB are refused, whole or streamed into one piece', async () => {
  for (const size of ['7e6', '11e6']) {
    assert.equal((await failureOf(`({ res }) => res.text("x".repeat(${size}))`)).reason, 'TOO_LARGE')
    assert.equal((await failureOf(`({ res }) => res.binary(new Uint8Array(${size}))`)).reason, 'TOO_LARGE')
  }
  const endless = '() => new Response(new ReadableStream({ pull: (c) => c.enqueue(new Uint8Array(1e6)) }))'
  assert.equal((await failureOf(endless)).reason, 'TOO_LARGE')
  assert.equal((await answerOf('({ res }) => res.text("x".repeat(6e6))')).text.length, 6e6)
  const heavy = await failureOf('({ res }) => res.text("", 200, { a: "x".repeat(5e6) })')
  assert.deepEqual([heavy.reason, heavy.message], ['INVALID_ANSWER', 'The call is too large.'])
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

test('logs end at their limits, and what was left out is counted', async () => {
  const { end } = await caller.run(
    program('({ res }) => { for (let i = 0; i < 3000; i++) console.log(i); return res.empty() }'),
  )
  assert.deepEqual([end.logs.length, end.logsDropped], [1_000, 2_000])
  const long = await caller.run(
    program('({ res }) => { for (let i = 0; i < 100; i++) console.log("x".repeat(5000)); return res.empty() }'),
  )
  assert.ok(long.end.logs.length === 13 && long.end.logsDropped === 87)
})

test('what a caller has given up ends; timers die with their run', async () => {
  const late = await answerOf(
    '({ res }) => { setTimeout(() => console.log("late"), 20); setInterval(() => {}, 1); return res.text("now") }',
  )
  assert.equal(late.text, 'now')
  caller.send({ kind: 'cancel', id: 'nothing' })
  assert.equal(
    (await answerOf('async ({ res }) => { await new Promise((r) => setTimeout(r, 40)); return res.text("next") }'))
      .text,
    'next',
  )
})

test('runs that are small each and use up their memory together are told so, blame none, and the next one runs', async () => {
  const source = program(
    'async ({ req, res }) => { const { length } = await req.text(); if (req.path === "/stay") await new Promise((done) => setTimeout(done, 55_000)); return res.text(String(length)) }',
  )
  const body = Buffer.alloc(6_000_000, 97)
  const limits = { timeoutMs: 60_000, memoryMb: 64, isTrusted: false }
  const ids = Array.from({ length: 64 }, () => randomUUID())
  // They stay until there is no room for one more, however slowly a busy machine takes them in.
  const runs = ids.map((id) => caller.run(source, { id, body, limits, request: { url: '/stay' } }))
  const first = await Promise.race(runs)
  assert.ok(first.end.failure, 'there was room for all')
  for (const id of ids) caller.send({ kind: 'cancel', id })
  const failures = (await Promise.all(runs)).flatMap(({ end }) => end.failure ?? [])
  for (const { reason, message } of failures.filter(({ message }) => message !== unwanted.message)) {
    assert.equal(reason, 'CRASHED')
    assert.match(message, /^The runs of the function that were under way together used up its memory\.$/)
  }
  assert.equal((await caller.run(source, { body, limits })).text, '6000000')
})
