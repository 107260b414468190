import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import { setTimeout as wait } from 'node:timers/promises'
import pino from 'pino'
import { type Answer, runCall as call, createPeer, type PeerRun } from '../testing/executor.ts'
import { eventually } from '../testing/receiver.ts'
import { rankFor } from './sandbox/choose.ts'
import { createSandbox, type PrepareCall, type RunCall, type Sandbox } from './sandbox.ts'

const log = pino({ level: 'silent' })
type Peer = Awaited<ReturnType<typeof createPeer>>

let peers: Peer[]
let sandbox: Sandbox
let answer: (run: PeerRun) => Answer | null | Promise<Answer | null> = () => ({ body: 'pong' })
const connect = (urls: string[], secret = 's'.repeat(16)) =>
  createSandbox({ env: { EXECUTORS: urls, EXECUTOR_SECRET: secret }, log })

before(async () => {
  peers = await Promise.all([0, 1].map(() => createPeer((run) => answer(run))))
  sandbox = connect(peers.map(({ url }) => url))
})
after(() => {
  sandbox.close()
  for (const peer of peers) peer.close()
})

test('a run is sent with its body and answered; its code is given when it is asked for', async () => {
  answer = async (run) => ({ body: `${run.body} ${await run.need()}` })
  const { body, response, failure } = await sandbox.run(call())
  assert.deepEqual([String(body), response?.status, failure], ['ping code', 200, null])
  answer = async (run) => ({ body: String(await run.need()) })
  assert.equal(String((await sandbox.run(call({ artefact: async () => null }))).body), 'null')
})

test('an executor is told once of what will be run, with its code where that is at hand, and again when that was long ago', async (t) => {
  t.mock.timers.enable({ apis: ['Date'] })
  const prepare = (foreseen: PrepareCall['foreseen'], runtime = 'javascript') => {
    const { program, ...rest } = call({ tenant: 'prj_p', functionId: 'fun_p' })
    sandbox.prepare({ ...rest, program: { ...program, runtime }, foreseen })
  }
  const prepared = () => peers.flatMap((peer) => peer.prepared)
  const told = async () => {
    await wait(50)
    return Promise.all(prepared().map(async ({ isSent, code }) => [isSent, String(await code)]))
  }
  for (let i = 0; i < 3; i++) prepare(async () => Buffer.from('code'))
  await eventually(async () => assert.deepEqual(await told(), [[true, 'code']]))
  t.mock.timers.tick(6 * 60_000)
  prepare(() => null)
  prepare(() => null)
  const twice = [
    [true, 'code'],
    [false, 'null'],
  ]
  await eventually(async () => assert.deepEqual(await told(), twice))
  prepare(() => null, 'python-3.11')
  assert.deepEqual(await told(), twice)
  answer = (run) => ({ body: String(peers.findIndex(({ runs }) => runs.includes(run))) })
  const { body } = await sandbox.run(call({ tenant: 'prj_p' }))
  const peer = peers[Number(String(body))]
  assert.equal(peer?.prepared.length, 2, 'it is told where it will be run')
})

test('an executor is told again when it was started anew, not when what it can run has changed, and never an older one', async (t) => {
  const peer = await createPeer(() => ({ body: 'pong' }))
  const one = connect([peer.url])
  t.after(() => {
    one.close()
    peer.close()
  })
  await one.run(call())
  const told = async (given: Parameters<Peer['welcome']>[0]) => {
    peer.welcome(given)
    await wait(50)
    one.prepare({ ...call(), foreseen: () => null })
    await wait(50)
    return peer.prepared.length
  }
  assert.equal(await told({}), 1)
  assert.equal(peer.prepared[0]?.isSent, false, 'its code is not read for that')
  assert.equal(await told({ isSealed: true }), 1)
  assert.equal(await told({ instance: 'another' }), 2)
  assert.equal(await told({ instance: 'an older one', prepares: false }), 2)
})

test('many runs go side by side, and each gets its own answer', async () => {
  answer = async (run) => {
    await wait(Math.random() * 20)
    return { body: String(run.body) }
  }
  const texts = Array.from({ length: 200 }, (_, i) => `${i}`)
  const results = await Promise.all(
    texts.map((text, i) => sandbox.run(call({ tenant: `prj_${i % 7}`, body: Buffer.from(text) }))),
  )
  assert.deepEqual(
    results.map(({ body }) => String(body)),
    texts,
  )
})

test('an answer that is wanted as it comes comes in parts', async () => {
  answer = async (run) => {
    run.send({ kind: 'head', id: run.id, status: 201, headers: { a: 'b' } })
    for (const part of ['one', 'two']) run.send({ kind: 'chunk', id: run.id }, Buffer.from(part))
    return { body: '' }
  }
  const seen: unknown[] = []
  await sandbox.run(
    call({ stream: { head: ({ status }) => seen.push(status), chunk: (bytes) => seen.push(String(bytes)) } }),
  )
  assert.deepEqual(seen, [201, 'one', 'two'])
})

test('a tenant stays with one executor, and goes to the next while that one has no room', async () => {
  answer = (run) => ({ body: String(peers.findIndex(({ runs }) => runs.includes(run))) })
  const asked = await Promise.all([1, 2, 3].map(() => sandbox.run(call({ tenant: 'prj_a' }))))
  assert.equal(new Set(asked.map(({ body }) => String(body))).size, 1)
  let isFirst = true
  answer = () => {
    const full = { response: null, failure: { reason: 'UNAVAILABLE', message: 'It is full.', stack: null } } as const
    const said = isFirst ? full : { body: 'took over' }
    isFirst = false
    return said
  }
  assert.equal(String((await sandbox.run(call({ tenant: 'prj_a' }))).body), 'took over')
})

test('a run that had begun fails when its executor goes away; one whose code was still asked for goes to the next', async () => {
  answer = (run) => {
    run.cut()
    return null
  }
  assert.equal((await sandbox.run(call())).failure?.reason, 'CRASHED')
  let isCut = false
  answer = (run) => {
    if (isCut) return { body: 'elsewhere' }
    isCut = true
    void run.need()
    setTimeout(run.cut, 50)
    return null
  }
  const artefact = () => wait(isCut ? 200 : 0, Buffer.from('code'))
  assert.equal(String((await sandbox.run(call({ artefact }))).body), 'elsewhere')
})

test('a run whose code comes to its executor already has not begun before it is sent, for whichever run', async () => {
  const joining = (run: PeerRun) => run.send({ kind: 'waits', id: run.id })
  let cuts = 0
  answer = (run) => {
    if (cuts++ > 0) return { body: 'elsewhere' }
    joining(run)
    setTimeout(run.cut, 50)
    return null
  }
  assert.equal(String((await sandbox.run(call())).body), 'elsewhere')
  for (const isToldBefore of [true, false]) {
    answer = async (run) => {
      if (String(run.body) === 'joins') {
        if (isToldBefore) joining(run)
        return null
      }
      await run.need()
      const joined = peers.flatMap(({ runs }) => runs).findLast(({ body }) => String(body) === 'joins')
      if (joined && !isToldBefore) joining(joined)
      // The executor would say nothing more of what it has begun.
      setTimeout(run.cut, 50)
      return null
    }
    const joins = sandbox.run(call({ body: Buffer.from('joins') }))
    const asks = sandbox.run(call({ body: Buffer.from('asks') }))
    for (const { failure } of await Promise.all([joins, asks])) assert.equal(failure?.reason, 'CRASHED')
    answer = () => ({ body: 'back' })
    assert.equal(String((await sandbox.run(call())).body), 'back', 'one of them is back')
  }
})

test('what is too large to be sent is not run, and ends no run of others', async () => {
  answer = async (run) => {
    await wait(200)
    return { body: String(run.body) }
  }
  const other = sandbox.run(call({ tenant: 'prj_2', body: Buffer.from('goes on') }))
  const variables = { A: 'x'.repeat(17 * 1024 * 1024) }
  const large = 'Its variables are too large together: delete some, or set shorter values.'
  const tried = await Promise.all(['prj_1', 'prj_2', 'prj_3'].map((tenant) => sandbox.run(call({ tenant, variables }))))
  for (const { failure } of tried) assert.deepEqual([failure?.reason, failure?.message], ['TOO_LARGE', large])
  const { tenant, program } = call()
  const build = { tenant, variables, runtime: program.runtime, entrypoint: program.entrypoint, command: null }
  const made = await sandbox.build({ ...build, timeoutMs: 1_000, archive: Buffer.from(''), onLine: () => {} })
  assert.deepEqual([made.error, made.isRetriable], [large, false])
  assert.equal(String((await other).body), 'goes on')
})

test('what nobody waits for any more is cancelled, and its time is told', async () => {
  answer = () => null
  const stopping = new AbortController()
  const running = sandbox.run(call({ signal: stopping.signal }))
  await wait(50)
  stopping.abort()
  const { failure, durationMs } = await running
  assert.equal(failure?.reason, 'CRASHED')
  assert.ok(durationMs >= 45, `${durationMs} ms`)
  await wait(50)
  assert.ok(peers.some(({ runs }) => runs.at(-1)?.wasCancelled()))
})

test('what nobody waits for any more when its turn has come is not begun', async () => {
  const reached = () => peers.reduce((sum, { runs }) => sum + runs.length, 0)
  answer = () => ({ body: 'run' })
  const before = reached()
  assert.equal((await sandbox.run(call({ signal: AbortSignal.abort() }))).failure?.reason, 'CRASHED')
  await sandbox.run(call())
  assert.equal(reached() - before, 1)
})

test('why nothing can be run is said: no executor, a wrong secret, a runtime that is not there', async () => {
  const reason = async (chosen: Sandbox, given: Partial<RunCall> = {}) => {
    const { failure } = await chosen.run(call(given))
    assert.equal(failure?.reason, 'UNAVAILABLE')
    return failure?.message
  }
  const [none, wrong] = [connect([]), connect([peers[0]?.url ?? ''], 'x'.repeat(16))]
  assert.match((await reason(none)) ?? '', /EXECUTORS/)
  assert.match((await reason(wrong)) ?? '', /No executor .* can be reached/)
  assert.deepEqual(wrong.executors(), [
    { status: 'unavailable', reason: 'It does not take EXECUTOR_SECRET.', isSealed: null },
  ])
  const python = { ...call().program, runtime: 'python-3.11' }
  assert.equal(await reason(sandbox, { program: python }), 'There is no Docker here.')
  assert.match((await reason(sandbox, { program: { ...python, runtime: 'cobol' } })) ?? '', /“cobol” is not there/)
  for (const closed of [none, wrong]) closed.close()
})

test('an executor that leaves finishes what runs, and gets nothing more', async () => {
  const left = Promise.withResolvers<Answer>()
  const [leaving, staying] = await Promise.all([createPeer(() => left.promise), createPeer(() => ({ body: 'stays' }))])
  const both = connect([leaving.url, staying.url])
  // One of the tenants whose first is the one that leaves.
  const names = Array.from({ length: 50 }, (_, i) => `prj_${i}`)
  const tenant = names.find((name) => rankFor(name, [leaving, staying])[0] === leaving) ?? ''
  const running = both.run(call({ tenant }))
  await eventually(() => assert.equal(leaving.runs.length, 1))
  leaving.leave()
  await eventually(() => assert.ok(both.executors().some(({ reason }) => reason === 'It is leaving.')))
  assert.equal(String((await both.run(call({ tenant }))).body), 'stays')
  left.resolve({})
  assert.equal((await running).failure, null)
  for (const part of [both, leaving, staying]) part.close()
})

test('rendezvous hashing: tenants are spread, and only those of the executor that goes move', () => {
  const executors = ['a', 'b', 'c', 'd'].map((url) => ({ url }))
  const tenants = Array.from({ length: 4_000 }, (_, i) => `prj_${i}`)
  const first = (of: typeof executors) => tenants.map((tenant) => rankFor(tenant, of)[0]?.url)
  const before = first(executors)
  for (const { url } of executors) {
    const share = before.filter((chosen) => chosen === url).length
    assert.ok(share > 850 && share < 1_150, `${url} ${share}`)
  }
  for (const gone of executors) {
    const after = first(executors.filter((executor) => executor !== gone))
    for (const [i, tenant] of tenants.entries())
      if (before[i] !== gone.url) assert.equal(after[i], before[i], tenant)
      else assert.equal(after[i], rankFor(tenant, executors)[1]?.url)
  }
})
