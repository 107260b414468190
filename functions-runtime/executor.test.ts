import assert from 'node:assert/strict'
import { createHash } from 'node:crypto'
import { once } from 'node:events'
import { request } from 'node:http'
import type { Socket } from 'node:net'
import { test } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import type { ToExecutor } from './protocol.ts'
import { type Caller, program, runFrame, startExecutor } from './testing/executor.ts'

async function upgrade(url: string, path: string, headers: Record<string, string>): Promise<number> {
  const call = request(`${url}${path}`, { headers: { connection: 'upgrade', ...headers } }).end()
  const [answer] = await Promise.race([once(call, 'upgrade'), once(call, 'response')])
  ;(answer.socket as Socket).destroy()
  return answer.statusCode
}

const upgraded = { upgrade: 'tendril-executor' }

test('lets in who shows the secret, and nobody else', async (t) => {
  const executor = await startExecutor()
  t.after(executor.stop)
  const { url, secret } = executor
  const right = { ...upgraded, authorization: `Bearer ${secret}` }
  assert.equal(await upgrade(url, '/executor', right), 101)
  assert.equal(await upgrade(url, '/executor', upgraded), 401)
  assert.equal(await upgrade(url, '/executor', { ...right, authorization: `Bearer ${secret}x` }), 401)
  assert.equal(await upgrade(url, '/executor', { ...right, authorization: secret }), 401)
  assert.equal(await upgrade(url, '/executor', { ...right, upgrade: 'websocket' }), 400)
  assert.equal(await upgrade(url, '/health', right), 404)
})

test('lets nobody in who has no secret to compare with', async (t) => {
  const executor = await startExecutor({ EXECUTOR_SECRET: '' })
  t.after(executor.stop)
  assert.equal(await upgrade(executor.url, '/executor', { ...upgraded, authorization: 'Bearer ' }), 401)
  assert.equal(await upgrade(executor.url, '/executor', { ...upgraded, authorization: 'Bearer x' }), 401)
})

test('says first what it can run, and last that it leaves', async (t) => {
  const executor = await startExecutor()
  t.after(executor.stop)
  const caller = await executor.connect()
  const welcome = await caller.next('welcome')
  assert.equal(welcome.head.version, 1)
  assert.equal(welcome.head.prepares, true)
  assert.ok(welcome.head.runtimes.some(({ engine }) => engine === 'isolate'))
  executor.child.kill('SIGTERM')
  await caller.next('leaving')
  assert.deepEqual(await once(executor.child, 'exit'), [0, null])
})

test('a runtime that is not here is told as one that may be elsewhere', async (t) => {
  const executor = await startExecutor()
  t.after(executor.stop)
  const caller = await executor.connect()
  const { end } = await caller.run('', { program: { runtime: 'cobol' } })
  assert.equal(end.failure?.reason, 'UNAVAILABLE')
  assert.equal(end.failure?.message, 'The runtime cobol is not here.')
})

test('what is no frame ends the connection, and nothing else', async (t) => {
  const executor = await startExecutor()
  t.after(executor.stop)
  const [bad, good] = [await executor.connect(), await executor.connect()]
  bad.socket.write(Buffer.alloc(64, 255))
  await once(bad.socket, 'close')
  assert.equal((await good.run('', { program: { runtime: 'cobol' } })).end.failure?.reason, 'UNAVAILABLE')
})

test('code that is asked for on behalf of a run that is given up is asked for again, for those who still wait', async (t) => {
  const executor = await startExecutor()
  t.after(executor.stop)
  const caller = await executor.connect()
  await caller.next('welcome')
  // Whoever gives up a run answers nothing that is asked on its behalf.
  const source = Buffer.from(program(`async ({ res }) => res.text('here')`))
  const artefact = createHash('sha256').update(source).digest('hex')
  const asked: string[] = []
  const others = caller.onNeed
  caller.onNeed = (head) => {
    asked.push(head.id)
    if (head.id !== 'given up') others(head)
  }
  caller.send(runFrame(artefact, { id: 'given up' }))
  caller.send({ kind: 'cancel', id: 'given up' })
  assert.equal((await caller.run(source)).text, 'here')
  assert.equal(asked[0], 'given up')
})

test('a run that is given up ends soon, tells what it has said, and its id may be taken again', async (t) => {
  const executor = await startExecutor()
  t.after(executor.stop)
  const caller = await executor.connect()
  const waits = program(`async () => { console.log('said'); await new Promise((done) => setTimeout(done, 9_000)) }`)
  // Its process is there from here on: to start one may take seconds on a busy machine.
  await caller.run(program('({ res }) => res.empty()'))
  for (const loops of [false, true]) {
    const source = loops ? program(`() => { console.log('said'); for (;;); }`) : waits
    const running = caller.run(source, { id: 'one', limits: { timeoutMs: 20_000 } })
    await sleep(1_000)
    const begun = performance.now()
    caller.send({ kind: 'cancel', id: 'one' })
    const { end } = await running
    assert.ok(performance.now() - begun < 5_000, 'it ends long before its time is over')
    assert.deepEqual([end.failure?.reason, end.logs.map(({ text }) => text)], ['CRASHED', ['said']])
    assert.ok(end.durationMs > 100, `${end.durationMs} ms`)
  }
  assert.equal((await caller.run(program(`({ res }) => res.text('next')`), { id: 'one' })).text, 'next')
})

test('a run that is not written down waits with what others see, and asks once', async (t) => {
  const executor = await startExecutor()
  t.after(executor.stop)
  const caller = await executor.connect()
  const asked: string[] = []
  const isRecorded = false
  const alone = await caller.run(program(`({ res }) => res.text('alone')`), { isRecorded })
  assert.equal(alone.text, 'alone')
  const refused = `fetch('http://127.0.0.1:1/').catch(({ message }) => message)`
  const source = program(`async ({ res }) => res.json(await Promise.all([${refused}, ${refused}]))`)
  const running = caller.run(source, { id: 'seen', isRecorded })
  void running.then(({ text }) => asked.push(text))
  assert.equal((await caller.next('record')).head.id, 'seen')
  await sleep(300)
  assert.deepEqual(asked, [], 'it waits')
  caller.send({ kind: 'recorded', id: 'seen' })
  assert.equal(JSON.parse((await running).text).length, 2)
  const again = caller.run(source, { id: 'next' })
  assert.match((await again).text, /\[.*\]/, 'one that is written down asks nothing')
})

test('an answer that is wanted as it comes is held back until the run is written down; one that is there as a whole is not', async (t) => {
  const executor = await startExecutor()
  t.after(executor.stop)
  const caller = await executor.connect()
  const given = { isRecorded: false, isStreamed: true }
  const whole = await caller.run(program(`({ res }) => res.text('whole')`), given)
  assert.deepEqual([whole.text, whole.head], ['whole', null])
  const parts = `new ReadableStream({ start(to) { for (const one of ['a', 'b']) to.enqueue(new TextEncoder().encode(one)); to.close() } })`
  const running = caller.run(program(`() => new Response(${parts}, { status: 201 })`), { id: 'seen', ...given })
  let isOver = false
  void running.then(() => {
    isOver = true
  })
  assert.equal((await caller.next('record')).head.id, 'seen')
  await sleep(300)
  assert.equal(isOver, false, 'it waits')
  caller.send({ kind: 'recorded', id: 'seen' })
  const { head, chunks } = await running
  assert.deepEqual([head?.head.status, Buffer.concat(chunks).toString()], [201, 'ab'])
})

test('a run that is over ends no process, however long it takes until it is written down', async (t) => {
  const executor = await startExecutor()
  t.after(executor.stop)
  const caller = await executor.connect()
  const beside = caller.run(
    program(`({ res }) => new Promise((done) => setTimeout(() => done(res.text('beside')), 2_600))`),
  )
  const empty = program(`() => new Response(new ReadableStream({ start(to) { to.close() } }))`)
  const given = { id: 'over', isRecorded: false, isStreamed: true, limits: { timeoutMs: 300 } }
  const running = caller.run(empty, given)
  await caller.next('record')
  assert.equal((await beside).text, 'beside')
  caller.send({ kind: 'recorded', id: 'over' })
  assert.equal((await running).head?.head.status, 200)
})

/** Tells the executor of a run that will come, whose code comes unasked. */
function expected(source: string) {
  const artefact = createHash('sha256').update(source).digest('hex')
  const { kind, request, ...frame } = runFrame(artefact, { id: 'expected' })
  return { artefact, prepare: { ...frame, kind: 'prepare', isSent: true } as const }
}

test('a run whose code was to come unasked, and did not, asks for it', async (t) => {
  const executor = await startExecutor()
  t.after(executor.stop)
  const caller = await executor.connect()
  await caller.next('welcome')
  const source = program(`({ res }) => res.text('asked')`)
  const { artefact, prepare } = expected(source)
  for (const _ of [1, 2]) caller.send(prepare)
  const running = [caller.run(source), caller.run(source)]
  await sleep(50)
  for (const _ of [1, 2]) caller.send({ kind: 'artefact', hash: artefact, isMissing: true })
  for (const { text } of await Promise.all(running)) assert.equal(text, 'asked')
})

test('what has not come and the run that would have had it, in one piece', async (t) => {
  const executor = await startExecutor()
  t.after(executor.stop)
  const caller = await executor.connect()
  await caller.next('welcome')
  const source = program(`({ res }) => res.text('asked')`)
  const { artefact, prepare } = expected(source)
  caller.socket.cork()
  caller.send(prepare)
  caller.send({ kind: 'artefact', hash: artefact, isMissing: true })
  const running = caller.run(source)
  caller.socket.uncork()
  assert.equal((await running).text, 'asked')
})

test('a run whose code comes already says that it waits for it', async (t) => {
  const executor = await startExecutor()
  t.after(executor.stop)
  const caller = await executor.connect()
  const source = program(`({ res }) => res.text('waited')`)
  const { artefact, prepare } = expected(source)
  caller.send(prepare)
  caller.send(runFrame(artefact, { id: 'joins' }))
  assert.deepEqual((await caller.next('waits')).head, { kind: 'waits', id: 'joins' })
  caller.send({ kind: 'artefact', hash: artefact, isMissing: false }, Buffer.from(source))
  assert.equal((await caller.next('end')).body.toString(), 'waited')
})

test('runs of two callers that have the same id are two', async (t) => {
  const executor = await startExecutor()
  t.after(executor.stop)
  const callers = [await executor.connect(), await executor.connect()]
  const source = program(
    `async ({ req, res }) => { await new Promise((done) => setTimeout(done, 300)); return res.text(req.url) }`,
  )
  await callers[0]?.run(source)
  const run = (caller: Caller, at: number) => caller.run(source, { id: 'r1', request: { url: `/${at}` } })
  const answers = Promise.all(callers.map(run)).then((all) => all.map(({ text }) => text))
  assert.deepEqual(await Promise.race([answers, sleep(4_000, null, { ref: false })]), ['/0', '/1'])
})

test('a frame of a later version is nothing to an executor that knows none such', async (t) => {
  const executor = await startExecutor()
  t.after(executor.stop)
  const caller = await executor.connect()
  caller.send({ ...expected('').prepare, kind: 'later' } as unknown as ToExecutor)
  const built = caller.next('built').then(() => 'built')
  await caller.run(program('({ res }) => res.text("run")'))
  assert.equal(await Promise.race([built, sleep(200, 'nothing')]), 'nothing')
})
