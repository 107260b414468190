import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import pino from 'pino'
import { createPeer, type PeerRun, runCall } from '../../testing/executor.ts'
import { eventually } from '../../testing/receiver.ts'
import { createSandbox, type RunCall, type Sandbox } from '../sandbox.ts'

const logged: { kind?: string; msg: string; err?: { message: string } }[] = []
const log = pino({}, { write: (line: string) => void logged.push(JSON.parse(line)) })

let peer: Awaited<ReturnType<typeof createPeer>>
let sandbox: Sandbox
/** The run that goes on while something goes wrong with another. */
let other: Promise<string>
const goOn: (() => void)[] = []
let say: (run: PeerRun) => void = () => {}

const call = (text: string, given: Partial<RunCall> = {}) => runCall({ body: Buffer.from(text), limits, ...given })
const limits = { timeoutMs: 5_000, memoryMb: 128, isTrusted: false }

before(async () => {
  peer = await createPeer(async (run) => {
    if (String(run.body) === 'other') return new Promise((resolve) => goOn.push(() => resolve({ body: 'went on' })))
    say(run)
    return null
  })
  sandbox = createSandbox({ env: { EXECUTORS: [peer.url], EXECUTOR_SECRET: peer.secret }, log })
})
after(() => {
  sandbox.close()
  peer.close()
})

const begin = async () => {
  other = sandbox.run(call('other', { tenant: 'prj_2' })).then(({ body, failure }) => failure?.message ?? String(body))
  await eventually(() => assert.equal(goOn.length, 1))
}
const end = () => {
  for (const go of goOn.splice(0)) go()
  return other
}

test('whoever throws at what is said of their run has it ended, and the runs of others go on', async () => {
  await begin()
  say = (run) => run.send({ kind: 'head', id: run.id, status: 200, headers: {} })
  const head = () => {
    throw new Error('a fault of ours')
  }
  const { failure } = await sandbox.run(call('mine', { stream: { head, chunk: () => {} } }))
  assert.deepEqual([failure?.reason, failure?.message], ['CRASHED', 'What its executor said of it could not be taken.'])
  assert.equal(await end(), 'went on')
  const mine = peer.runs.find(({ body }) => String(body) === 'mine')
  await eventually(() => assert.ok(mine?.wasCancelled(), 'its executor need not go on'))
  const [told] = logged.filter(({ err }) => err?.message === 'a fault of ours')
  assert.deepEqual([told?.kind, told?.msg.slice(0, 40)], ['head', 'what an executor said could not be taken'])
})

test('a frame that says nothing ends no run', async () => {
  await begin()
  say = (run) => {
    run.send(null as never)
    run.send({ kind: 'unheard of', id: run.id } as never)
    run.send({ kind: 'end', id: 'nobody' } as never)
    goOn.push(() => run.send({ kind: 'end', id: run.id } as never))
  }
  const mine = sandbox.run(call('mine'))
  await eventually(() => assert.equal(goOn.length, 2))
  assert.equal(await end(), 'went on')
  assert.equal((await mine).failure?.reason, undefined)
})
