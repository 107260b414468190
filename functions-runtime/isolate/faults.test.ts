import assert from 'node:assert/strict'
import { existsSync, mkdtempSync, readFileSync, rmSync, symlinkSync } from 'node:fs'
import { getPriority, tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import { program, startExecutor, type TestExecutor } from '../testing/executor.ts'
import { childrenOf } from '../testing/processes.ts'

const slow = program('async ({ res }) => { await new Promise((r) => setTimeout(r, 1_000)); return res.text("slow") }')
const waiting = program('() => new Promise((r) => setTimeout(r, 60_000))')
const quick = program('({ res }) => res.text("quick")')
const killer = program('() => { "x".repeat(2 ** 28).split("") }')

/** The Node processes within the walls: the innermost of their trees. */
const sandboxes = (executor: TestExecutor) =>
  childrenOf(executor.child.pid).filter(({ command }) => /^\S*node --no-node-snapshot --jitless/.test(command))

test('a sandbox that is killed fails its runs as ones that may be tried again, and nobody else’s', async (t) => {
  const executor = await startExecutor()
  t.after(executor.stop)
  const caller = await executor.connect()
  await caller.run(quick, { tenant: 'prj_a' })
  const [first] = sandboxes(executor)
  const asked = { tenant: 'prj_a', limits: { timeoutMs: 60_000 } }
  const cut = [caller.run(waiting, asked), caller.run(waiting, asked)]
  const other = caller.run(slow, { tenant: 'prj_b' })
  await sleep(300)
  process.kill(first?.pid ?? assert.fail('no sandbox'), 'SIGKILL')
  for (const { end } of await Promise.all(cut)) assert.equal(end.failure?.reason, 'CRASHED')
  assert.equal((await other).text, 'slow')
  assert.equal((await caller.run(quick, { tenant: 'prj_a' })).text, 'quick')
})

test('what kills its process is blamed, and what ran beside it may be tried again', async (t) => {
  const executor = await startExecutor()
  t.after(executor.stop)
  const caller = await executor.connect()
  await caller.run(quick)
  const beside = caller.run(waiting, { limits: { timeoutMs: 60_000 } })
  const other = caller.run(slow, { tenant: 'prj_other' })
  await sleep(100)
  assert.equal((await caller.run(killer)).end.failure?.reason, 'MEMORY')
  assert.equal((await beside).end.failure?.reason, 'CRASHED')
  assert.equal((await other).text, 'slow')
})

test('a run whose process ends before its code has come has not begun', async (t) => {
  const executor = await startExecutor()
  t.after(executor.stop)
  const caller = await executor.connect()
  await caller.run(quick)
  const give = caller.onNeed
  const needed = new Promise<() => void>((resolve) => {
    caller.onNeed = (head) => resolve(() => give(head))
  })
  const late = caller.run(program(`({ res }) => res.text('late')`))
  const come = await needed
  process.kill(sandboxes(executor)[0]?.pid ?? assert.fail('no sandbox'), 'SIGKILL')
  await sleep(300)
  come()
  assert.equal((await late).end.failure?.reason, 'UNAVAILABLE')
})

test('a tenant whose processes keep dying stands behind the others', async (t) => {
  const executor = await startExecutor()
  t.after(executor.stop)
  const caller = await executor.connect()
  await caller.run(quick, { tenant: 'prj_good' })
  for (let n = 0; n < 3; n += 1) await caller.run(killer, { tenant: 'prj_bad' })
  const known = new Set(sandboxes(executor).map(({ pid }) => pid))
  await caller.run(quick, { tenant: 'prj_bad' })
  const behind = sandboxes(executor).filter(({ pid }) => getPriority(pid) >= getPriority() + 15)
  assert.equal(behind.length, 1)
  const [{ pid } = assert.fail()] = behind
  assert.ok(!known.has(pid))
  const group = `/proc/${pid}/autogroup`
  if (existsSync(group)) assert.match(readFileSync(group, 'utf8'), / nice 15$/m)
})

test('what has died once stands behind others, but not as far', async (t) => {
  if (!existsSync('/proc/self/autogroup')) return t.skip('Sessions are told apart nowhere here.')
  const executor = await startExecutor()
  t.after(executor.stop)
  const caller = await executor.connect()
  await caller.run(killer, { tenant: 'prj_bad' })
  await caller.run(quick, { tenant: 'prj_bad' })
  await sleep(500)
  const nices = sandboxes(executor).map(({ pid }) => {
    const said = readFileSync(`/proc/${pid}/autogroup`, 'utf8')
    return Number(/ nice (\d+)/.exec(said)?.[1])
  })
  assert.deepEqual(nices.sort(), [0, 5])
})

test('an executor that is killed takes all its processes with it', async (t) => {
  const executor = await startExecutor()
  t.after(executor.stop)
  const caller = await executor.connect()
  await caller.run(quick)
  const below = childrenOf(executor.child.pid)
  assert.ok(below.length >= 3)
  const lost = assert.rejects(caller.run(waiting), /has gone/)
  executor.child.kill('SIGKILL')
  await lost
  for (let n = 0; n < 400 && below.some(isAlive); n += 1) await sleep(50)
  assert.deepEqual(below.filter(isAlive), [])
})

function isAlive({ pid }: { pid: number }): boolean {
  try {
    process.kill(pid, 0)
    return true
  } catch {
    return false
  }
}

test('an executor that leaves finishes what runs, and takes nothing more', async (t) => {
  const executor = await startExecutor()
  t.after(executor.stop)
  const caller = await executor.connect()
  await caller.run(quick)
  const running = caller.run(slow)
  await sleep(50)
  executor.child.kill('SIGTERM')
  await caller.next('leaving')
  assert.equal((await running).text, 'slow')
})

test('tenants over the number of processes take the place of who was idle longest', async (t) => {
  const executor = await startExecutor({ SANDBOX_PROCESSES: '2' })
  t.after(executor.stop)
  const caller = await executor.connect()
  for (const tenant of ['prj_a', 'prj_b', 'prj_c']) assert.equal((await caller.run(quick, { tenant })).text, 'quick')
  const colds = []
  for (const tenant of ['prj_b', 'prj_c', 'prj_a']) colds.push((await caller.run(quick, { tenant })).end.isCold)
  assert.deepEqual(colds, [false, false, true])
  await Promise.all([
    caller.run(slow, { tenant: 'prj_a' }),
    caller.run(slow, { tenant: 'prj_c' }),
    sleep(100).then(async () => {
      assert.equal((await caller.run(quick, { tenant: 'prj_d' })).end.failure?.reason, 'UNAVAILABLE')
    }),
  ])
})

test('more runs than a project may have at once wait for their turn, and too many are refused', async (t) => {
  const executor = await startExecutor()
  t.after(executor.stop)
  const caller = await executor.connect()
  const many = Array.from({ length: 200 }, () => caller.run(quick))
  assert.ok((await Promise.all(many)).every(({ text }) => text === 'quick'))
  const refused = Promise.withResolvers<void>()
  let left = 1_100 - 64 - 1_000
  for (let n = 0; n < 1_100; n += 1) {
    caller.run(slow).then(
      ({ end }) => {
        if (end.failure?.reason === 'UNAVAILABLE') left -= 1
        if (left === 0) refused.resolve()
      },
      () => {},
    )
  }
  await refused.promise
})

test('trusted and untrusted programs of a project run in different processes', async (t) => {
  const executor = await startExecutor()
  t.after(executor.stop)
  const caller = await executor.connect()
  const jit = program('({ res }) => res.text(typeof WebAssembly)')
  assert.equal((await caller.run(jit)).text, 'undefined')
  assert.equal((await caller.run(jit, { limits: { isTrusted: true } })).text, 'object')
})

test('an artefact that is gone, and one that is not what its name says', async (t) => {
  const executor = await startExecutor()
  t.after(executor.stop)
  const caller = await executor.connect()
  const gone = await caller.run(quick, { program: { artefact: 'f'.repeat(64) } })
  assert.equal(gone.end.failure?.reason, 'UNAVAILABLE')
})

test('without bubblewrap it says so loudly, and still runs', async (t) => {
  const path = mkdtempSync(join(tmpdir(), 'tendril-no-bwrap-'))
  t.after(() => rmSync(path, { recursive: true }))
  for (const name of ['nice', 'prlimit']) symlinkSync(`/usr/bin/${name}`, join(path, name))
  const executor = await startExecutor({ PATH: path })
  t.after(executor.stop)
  const caller = await executor.connect()
  assert.equal((await caller.next('welcome')).head.isSealed, false)
  assert.equal((await caller.run(quick)).text, 'quick')
  assert.equal((await caller.run(killer)).end.failure?.reason, 'MEMORY')
  assert.equal((await caller.run(quick)).text, 'quick')
  assert.match(executor.said(), /^WARNING: functions run without the walls of bubblewrap: /)
})
