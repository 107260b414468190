import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { after, before, test } from 'node:test'
import { program, startExecutor, type TestExecutor } from '../testing/executor.ts'
import { childrenOf } from '../testing/processes.ts'

let executor: TestExecutor
before(async () => {
  executor = await startExecutor()
})
after(() => executor.stop())

/** In pages of 4 kB. */
const residentMb = (pid: number | undefined) => Number(readFileSync(`/proc/${pid}/statm`, 'utf8').split(' ')[1]) / 256

test('nothing is kept of a run that is over while its process goes on', async () => {
  const caller = await executor.connect()
  // The supervisor alone: its sandboxes wait longer until they collect.
  const heldMb = () => residentMb(executor.child.pid)
  const echo = program('async ({ req, res }) => res.text(String((await req.bytes()).length))')
  const body = Buffer.alloc(512 * 1024, 'x')
  const run = async (times: number) => {
    for (let i = 0; i < times; i += 1) assert.equal((await caller.run(echo, { body })).text, '524288')
  }
  await run(200)
  const before = heldMb()
  await run(400)
  const more = heldMb() - before
  assert.ok(more < 100, `${more} MB`)
})

test('nor in that process, for as long as it might have run', async () => {
  const caller = await executor.connect()
  const variables = { large: 'x'.repeat(100_000) }
  const limits = { timeoutMs: 600_000 }
  const empty = program('({ res }) => res.empty()')
  const run = async (times: number) => {
    for (let i = 0; i < times; i += 1) assert.equal((await caller.run(empty, { variables, limits })).end.failure, null)
  }
  const heldMb = () => childrenOf(executor.child.pid).reduce((sum, { pid }) => sum + residentMb(pid), 0)
  await run(300)
  const before = heldMb()
  await run(1_000)
  const more = heldMb() - before
  assert.ok(more < 50, `${more} MB`)
})
