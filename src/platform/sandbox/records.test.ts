import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import { setTimeout as wait } from 'node:timers/promises'
import pino from 'pino'
import { type Answer, runCall as call, createPeer, type PeerRun } from '../../testing/executor.ts'
import { eventually } from '../../testing/receiver.ts'
import { createSandbox, type Sandbox } from '../sandbox.ts'

let peer: Awaited<ReturnType<typeof createPeer>>
let sandbox: Sandbox
let answer: (run: PeerRun) => Answer | Promise<Answer>
const connect = (url: string) =>
  createSandbox({ env: { EXECUTORS: [url], EXECUTOR_SECRET: 's'.repeat(16) }, log: pino({ level: 'silent' }) })

before(async () => {
  peer = await createPeer((run) => answer(run))
  sandbox = connect(peer.url)
})
after(() => {
  sandbox.close()
  peer.close()
})

test('that a run begins is written down when its executor asks, and by its end nobody may have asked', async () => {
  let written = 0
  const record = async () => {
    written += 1
  }
  answer = () => ({ body: 'alone' })
  await sandbox.run(call({ record }))
  assert.equal(written, 0)
  answer = async (run) => {
    run.send({ kind: 'record', id: run.id })
    while (!run.wasRecorded()) await wait(5)
    return { body: `${run.isRecorded} ${written}` }
  }
  assert.equal(String((await sandbox.run(call({ record }))).body), 'false 1')
})

test('a run whose beginning cannot be written down is ended', async () => {
  answer = async (run) => {
    run.send({ kind: 'record', id: run.id })
    while (!run.wasCancelled()) await wait(5)
    return { response: null, failure: { reason: 'CRASHED', message: '', stack: null } }
  }
  const record = () => Promise.reject(new Error('no'))
  assert.equal((await sandbox.run(call({ record }))).failure?.message, 'That it begins could not be written down.')
})

test('for an executor that would not wait it is written down before the run is sent', async (t) => {
  const told: unknown[] = []
  const peer = await createPeer((run) => ({ body: `${told.push(run.isRecorded)}` }))
  t.after(peer.close)
  peer.welcome({ records: false })
  const one = connect(peer.url)
  t.after(one.close)
  await one.run(call({ record: async () => void told.push('written') }))
  assert.deepEqual(told, ['written', true])
  const failing = await one.run(call({ record: () => Promise.reject(new Error('no')) }))
  assert.deepEqual([failing.failure?.reason, told.length], ['CRASHED', 2])
})

test('what a run is to do when nobody waits for it any more is written down, too', async () => {
  answer = async (run) => {
    while (!run.wasCancelled()) await wait(5)
    run.send({ kind: 'record', id: run.id })
    for (let i = 0; i < 100 && !run.wasRecorded(); i++) await wait(5)
    return { body: `${run.wasRecorded()}` }
  }
  const signal = AbortSignal.timeout(50)
  assert.equal(String((await sandbox.run(call({ record: async () => {}, signal }))).body), 'true')
})

test('an executor that goes away while a beginning is written down has begun nothing', async (t) => {
  const peer = await createPeer(() => ({ body: 'pong' }))
  peer.welcome({ records: false })
  const one = connect(peer.url)
  t.after(one.close)
  await one.run(call())
  const record = async () => {
    peer.close()
    await eventually(async () => assert.equal(one.executors()[0]?.status, 'unavailable'))
  }
  const begun = performance.now()
  const { failure } = await one.run(call({ record }))
  assert.equal(failure?.reason, 'UNAVAILABLE')
  assert.ok(performance.now() - begun < 5_000)
})
