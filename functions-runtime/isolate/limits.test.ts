import assert from 'node:assert/strict'
import { randomUUID } from 'node:crypto'
import { test } from 'node:test'
import { program } from '../testing/executor.ts'
import { answerOf, caller, failureOf } from '../testing/stage.ts'
import { unwanted } from './messages.ts'

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
    `async () => {
      const zeros = new ReadableStream({ pull: (c) => c.enqueue(new Uint8Array(1e6)) })
      const unpacked = zeros.pipeThrough(new CompressionStream('gzip')).pipeThrough(new DecompressionStream('gzip'))
      await new Response(unpacked).bytes()
    }`,
  ]) {
    const failure = await failureOf(source, { limits: { timeoutMs: 60_000 } })
    if (failure.reason !== 'THREW') assert.equal(failure.reason, 'MEMORY', source)
    else assert.match(failure.message, /RangeError/)
    assert.equal((await answerOf('({ res }) => res.text("fine")')).text, 'fine')
  }
})

test('what other functions of a project have left behind is not held against a run', async () => {
  const bytes = 'const kept = []; for (let n = 0; n < 90; n += 1) kept.push(new Uint8Array(1e6).fill(1))'
  const text = `const kept = JSON.parse('[' + '{"a":"bcdefghij","n":[1,2,3]},'.repeat(400_000) + '1]')`
  for (let n = 0; n < 20; n += 1) {
    const source = `({ res }) => { ${n % 2 ? bytes : text}; return res.text('${n} ' + typeof kept) }`
    const limits = { memoryMb: 128, timeoutMs: 60_000 }
    assert.equal((await answerOf(source, { tenant: 'prj_heavy', limits })).text, `${n} object`)
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

test('a timer that is cleared when its time has come already is nothing to tell of', async () => {
  const { end } = await caller.run(
    program(`async ({ res }) => {
      const timer = setTimeout(() => {}, 5)
      for (const end = Date.now() + 50; Date.now() < end; );
      clearTimeout(timer)
      await new Promise((done) => setTimeout(done, 20))
      return res.empty()
    }`),
  )
  assert.deepEqual(end.logs, [])
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
