import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { after, before, test } from 'node:test'
import { program, startExecutor, type TestExecutor } from '../testing/executor.ts'

let executor: TestExecutor
before(async () => {
  executor = await startExecutor()
})
after(() => executor.stop())

test('nothing is kept of a run that is over while its process goes on', async () => {
  const caller = await executor.connect()
  // The supervisor alone, in pages of 4 kB: its sandboxes wait longer until they collect.
  const heldMb = () => Number(readFileSync(`/proc/${executor.child.pid}/statm`, 'utf8').split(' ')[1]) / 256
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
