import assert from 'node:assert/strict'
import { randomUUID } from 'node:crypto'
import { test } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import { type Caller, program } from '../testing/executor.ts'
import { caller } from '../testing/stage.ts'

/** Runs a function whose caller leaves after 150 ms, and tells what is in its log and how long it went on. */
async function left(source: string, asked: Parameters<Caller['run']>[1] = {}) {
  const id = randomUUID()
  // The first run of all waits for a process.
  await caller.run(program('({ res }) => res.empty()'))
  const run = caller.run(program(source), { id, isStreamed: true, ...asked })
  await sleep(150)
  const leftAt = performance.now()
  caller.send({ kind: 'cancel', id })
  const { end, chunks } = await run
  assert.equal(end.failure?.reason, 'CRASHED')
  return { logs: end.logs.map(({ text }) => text.split('\n')[0]), chunks, tookMs: performance.now() - leftAt }
}

/** The quickest of three: a busy machine may be late, but not each time. */
async function leftWithin(mostMs: number, source: string) {
  for (let tries = 1; ; tries += 1) {
    const one = await left(source)
    if (one.tookMs < mostMs) return one
    if (tries === 3) assert.fail(`${one.tookMs} ms`)
  }
}

test('cancel of a streamed answer is called when its reader leaves, with an AbortError', async () => {
  const ticks = (rest = '') => `() => {
    let timer
    const stream = new ReadableStream({
      start(c) { timer = setInterval(() => c.enqueue('tick'), 10) },
      cancel(reason) { clearInterval(timer); console.log(reason.name, 'closed'); ${rest} },
    })
    return new Response(stream)
  }`
  const { logs, chunks } = await leftWithin(250, ticks())
  assert.deepEqual(logs, ['AbortError closed'])
  assert.ok(chunks.length > 2)
  const slow = `return new Promise((done) => setTimeout(done, 50)).then(() => console.log('and done'))`
  assert.deepEqual((await left(ticks(slow))).logs, ['AbortError closed', 'and done'])
  const endless = await leftWithin(480, ticks('return new Promise((done) => setTimeout(done, 60_000))'))
  assert.deepEqual(endless.logs, ['AbortError closed'])
  assert.ok(endless.tookMs > 250, `${endless.tookMs} ms`)
  assert.deepEqual((await left(ticks('throw new RangeError("late")'))).logs, ['AbortError closed', 'RangeError: late'])
})

test('a generator is ended where it stands, also behind a TransformStream', async () => {
  const source = `() => {
    async function* ticks() {
      try { for (;;) { yield 'tick'; await new Promise((done) => setTimeout(done, 20)) } } finally { console.log('closed') }
    }
    return new Response(ReadableStream.from(ticks()).pipeThrough(new TextEncoderStream()))
  }`
  assert.deepEqual((await leftWithin(250, source)).logs, ['closed'])
})

test('the signal of the request is aborted, before there is an answer, too, and what is asked then is done', async () => {
  const waits = (signal: string) =>
    `${signal}.addEventListener('abort', async () => {
      console.log(${signal}.reason.name, ${signal}.aborted)
      await fetch('http://127.0.0.1:1/').catch((error) => console.log(error.name))
    })
    return new Promise((done) => setTimeout(done, 9_000))`
  const heard = ['AbortError true', 'TypeError']
  assert.deepEqual((await left(`({ req }) => { ${waits('req.signal')} }`)).logs, heard)
  assert.deepEqual((await left(`{ fetch(request) { ${waits('request.signal')} } }`)).logs, heard)
  const whole = await left(`({ request }) => { ${waits('request.signal')} }`, { isStreamed: false })
  assert.deepEqual(whole.logs, heard)
  const same =
    '({ req, request }) => { console.log(req.signal === request.signal, req.signal.aborted); return new Promise((done) => setTimeout(done, 9_000)) }'
  assert.deepEqual((await left(same)).logs, ['true false'])
})

test('a fetch that is given up while its body is read is not made', async () => {
  const source = `async ({ res, fetch }) => {
    const given = new AbortController()
    const body = ReadableStream.from((async function* () { yield new Uint8Array(1); given.abort() })())
    const said = await fetch('http://127.0.0.1:1/', { method: 'POST', body, signal: given.signal }).catch(({ name }) => name)
    return res.text(said)
  }`
  assert.equal((await caller.run(program(source))).text, 'AbortError')
})

test('what hears nothing of it is ended at once', async () => {
  const source = '() => { console.log("waits"); return new Promise((done) => setTimeout(done, 9_000)) }'
  assert.deepEqual((await leftWithin(150, source)).logs, ['waits'])
})

test('what a listener throws is in the log, and the others hear of it', async () => {
  const source = `({ req }) => {
    req.signal.onabort = () => { throw new RangeError('of a listener') }
    return new Response(new ReadableStream({ start() { setInterval(() => {}, 10) }, cancel() { console.log('closed') } }))
  }`
  assert.deepEqual((await left(source)).logs, ['RangeError: of a listener', 'closed'])
})
