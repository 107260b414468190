import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import { setTimeout as wait } from 'node:timers/promises'
import pino from 'pino'
import { type Answer, createPeer, type PeerRun, runCall } from '../../testing/executor.ts'
import { createSandbox, type Sandbox } from '../sandbox.ts'

let peer: Awaited<ReturnType<typeof createPeer>>
let sandbox: Sandbox
/** What an executor says when it is told that nobody waits any more; null: nothing, as those of old. */
let atCancel: (run: PeerRun) => Answer | null

before(async () => {
  peer = await createPeer(async (run) => {
    const begin = () => {
      run.send({ kind: 'head', id: run.id, status: 201, headers: { 'x-color': 'blue' } })
      run.send({ kind: 'chunk', id: run.id }, Buffer.from('part'))
    }
    begin()
    while (!run.wasCancelled()) await wait(5)
    begin()
    return atCancel(run)
  })
  sandbox = createSandbox({
    env: { EXECUTORS: [peer.url], EXECUTOR_SECRET: peer.secret },
    log: pino({ level: 'silent' }),
  })
})
after(() => {
  sandbox.close()
  peer.close()
})

/** Runs something whose reader leaves 100 ms after the first part of the answer. */
async function left() {
  const told: string[] = []
  const leaving = new AbortController()
  const call = runCall({
    limits: { timeoutMs: 10_000, memoryMb: 128, isTrusted: false },
    stream: {
      head: ({ status }) => void told.push(String(status)),
      chunk: (bytes) => {
        told.push(String(bytes))
        setTimeout(() => leaving.abort(), 100)
      },
    },
    signal: leaving.signal,
  })
  const begun = performance.now()
  const result = await sandbox.run(call)
  return { ...result, told, tookMs: performance.now() - begun }
}

const crashed = { reason: 'CRASHED', message: 'Nobody waits.', stack: null } as const

test('a run whose reader left is what was answered, with what its executor tells of it', async () => {
  const logs = [{ at: 1, level: 'log', text: 'said' }] as const
  atCancel = () => ({ response: null, failure: crashed, logs, durationMs: 77 })
  const { response, failure, hasReaderLeft, tookMs, told, ...rest } = await left()
  assert.deepEqual([failure, hasReaderLeft, rest.logs, rest.durationMs], [null, true, logs, 77])
  assert.deepEqual(response, { status: 201, headers: { 'x-color': 'blue' } })
  assert.deepEqual(told, ['201', 'part'], 'nothing comes after its reader left')
  assert.ok(tookMs < 900, `${tookMs} ms`)
})

test('an executor that tells nothing of it is waited for a second, which is not time of the run', async () => {
  atCancel = () => null
  const { response, failure, hasReaderLeft, durationMs, logs, tookMs } = await left()
  assert.deepEqual([response?.status, failure, hasReaderLeft, logs], [201, null, true, []])
  assert.ok(durationMs >= 95 && durationMs < 900, `${durationMs} ms`)
  assert.ok(tookMs >= 1_000 && tookMs < 2_500, `${tookMs} ms`)
})

test('a run that ended by itself while its reader left has ended so', async () => {
  atCancel = () => ({ response: null, failure: { reason: 'THREW', message: 'by itself', stack: null } })
  const threw = await left()
  assert.deepEqual([threw.failure?.reason, threw.response, threw.hasReaderLeft], ['THREW', null, undefined])
  atCancel = () => ({})
  const well = await left()
  assert.deepEqual([well.failure, well.response?.status, well.hasReaderLeft], [null, 200, undefined])
})
