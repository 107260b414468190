import assert from 'node:assert/strict'
import { createHash } from 'node:crypto'
import { after, before, test } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import { type Caller, program, startExecutor, type TestExecutor } from '../testing/executor.ts'
import { residentBytes } from './memory.ts'

let executor: TestExecutor
let caller: Caller
before(async () => {
  executor = await startExecutor()
  caller = await executor.connect()
})
after(() => executor.stop())

/** What the executor and all of its sandboxes hold. */
const memoryMb = async () => ((await residentBytes(executor.child.pid ?? 0)) ?? 0) / 1024 / 1024

/** Tells the executor of a run that will come, with the program, which the caller has nowhere else. */
function prepare(text: string, tenant: string, to = caller) {
  const artefact = createHash('sha256').update(text).digest('hex')
  const shared = { tenant, functionId: 'fun_test' }
  const limits = { timeoutMs: 5_000, memoryMb: 64, isTrusted: false }
  const made = { runtime: 'javascript', deploymentId: 'dep_test', artefact, entrypoint: 'main.ts' }
  to.send({ kind: 'prepare', id: `p-${tenant}`, ...shared, program: made, limits, isSent: true })
  to.send({ kind: 'artefact', hash: artefact, isMissing: false }, Buffer.from(text))
  return () => to.run('', { tenant, program: { artefact } })
}

test('what was made ready is run without asking for its program; the first run is the cold one', async () => {
  const run = prepare(program('({ res }) => res.text("ready")'), 'prj_ready')
  const { text, end } = await run()
  assert.deepEqual([text, end.failure, end.isCold], ['ready', null, true])
  assert.equal((await run()).end.isCold, false)
})

test('nothing of a program runs before its run', async () => {
  const begun = Date.now()
  const run = prepare(`const at = Date.now();${program('({ res }) => res.text(String(at))')}`, 'prj_waits')
  await new Promise((done) => setTimeout(done, 300))
  assert.ok(Number((await run()).text) >= begun + 300)
})

test('what cannot be read is told by the run', async () => {
  const { end } = await prepare('var __function = (', 'prj_broken')()
  assert.equal(end.failure?.reason, 'THREW')
  assert.match(end.failure?.message ?? '', /Unexpected/)
})

test('a program that is not what its name says is not run', async () => {
  const text = program('({ res }) => res.text("theirs")')
  const artefact = createHash('sha256').update('another').digest('hex')
  const made = { runtime: 'javascript', deploymentId: 'dep_test', artefact, entrypoint: 'main.ts' }
  const limits = { timeoutMs: 5_000, memoryMb: 64, isTrusted: false }
  const shared = { tenant: 'prj_other', functionId: 'fun_test', program: made, limits }
  caller.send({ kind: 'prepare', id: 'p-other', ...shared, isSent: true })
  caller.send({ kind: 'artefact', hash: artefact, isMissing: false }, Buffer.from(text))
  const { end } = await caller.run('', { tenant: 'prj_other', program: { artefact } })
  assert.equal(end.failure?.reason, 'UNAVAILABLE')
})

test('of what is made ready and never run no more is kept than of what is run', async () => {
  const tenant = 'prj_never'
  await caller.run(program('({ res }) => res.text("first")'), { tenant })
  // A spare is started in the place of the one that was taken.
  await sleep(1_000)
  const before = await memoryMb()
  for (let i = 0; i < 120; i += 1) {
    prepare(program(`() => ${i}`), tenant)
    await sleep(10)
  }
  await prepare(program('({ res }) => res.text("last")'), tenant)()
  await sleep(500)
  const more = (await memoryMb()) - before
  assert.ok(more < 110, `${more} MB`)
})

test('of what is made ready at once little is, however much it is', async () => {
  const tenant = 'prj_at_once'
  await caller.run(program('({ res }) => res.text("first")'), { tenant })
  await sleep(1_000)
  const before = await memoryMb()
  let most = before
  for (let i = 0; i < 120; i += 1) prepare(program(`() => ${i}`), tenant)
  const last = caller.run(program('({ res }) => res.text("run")'), { tenant })
  for (let i = 0; i < 40; i += 1) {
    most = Math.max(most, await memoryMb())
    await sleep(20)
  }
  assert.equal((await last).text, 'run')
  assert.ok(most - before < 60, `${most - before} MB`)
})

test('runs do not wait for what is made ready and whose program does not come', async () => {
  const tenant = 'prj_waiting'
  const artefact = createHash('sha256').update('never').digest('hex')
  const made = { runtime: 'javascript', deploymentId: 'dep_test', artefact, entrypoint: 'main.ts' }
  const limits = { timeoutMs: 5_000, memoryMb: 64, isTrusted: false }
  const frame = { tenant, functionId: 'fun_test', program: made, limits, isSent: true }
  for (let i = 0; i < 100; i += 1) caller.send({ kind: 'prepare', id: `p${i}`, ...frame })
  const run = caller.run(program('({ res }) => res.text("run")'), { tenant })
  assert.equal((await Promise.race([run, sleep(5_000, null, { ref: false })]))?.text, 'run')
})

test('no process of others ends for what is made ready', async (t) => {
  const small = await startExecutor({ SANDBOX_PROCESSES: '1' })
  t.after(() => small.stop())
  const source = program('({ res }) => res.text("warm")')
  const one = await small.connect()
  const warm = () => one.run(source, { tenant: 'prj_warm' })
  await warm()
  prepare(program('() => 0'), 'prj_other', one)
  await sleep(300)
  assert.equal((await warm()).end.isCold, false)
})
