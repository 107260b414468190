import assert from 'node:assert/strict'
import { test } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import { startExecutor } from '../testing/executor.ts'
import { childrenOf } from '../testing/processes.ts'

/** A program that takes V8 some 30 ms to read, and none to run. */
const large = (name: string, rest = '') => {
  const functions = Array.from({ length: 20_000 }, (_, i) => `function f${i}(a) { return a + ${i} + "${name}".length }`)
  return `var __function = (() => {${rest}\n${functions.join('\n')}\nreturn { default: ({ res }) => res.text('${name} ' + f1(1)) } })();`
}

async function start(t: { after: (end: () => unknown) => void }) {
  const executor = await startExecutor()
  t.after(() => executor.stop())
  return { executor, caller: await executor.connect() }
}

test('what V8 has made of a program serves the processes that come to it later, of whichever project', async (t) => {
  const { caller } = await start(t)
  const text = large('a')
  const first = async (tenant: string) => {
    const { text: answer, end } = await caller.run(text, { tenant })
    assert.deepEqual([answer, end.isCold], ['a 3', true])
    return end.durationMs
  }
  const before = [await first('prj_1'), await first('prj_2')]
  await sleep(4_000)
  const later = [await first('prj_3'), await first('prj_4')]
  assert.ok(Math.min(...later) < Math.min(...before) / 2, `${before} ms before, ${later} ms later`)
})

test('it is made once, by a process that ends, of what has answered', async (t) => {
  const { executor, caller } = await start(t)
  const started = new Set<number>()
  const look = setInterval(() => childrenOf(executor.child.pid).map(({ pid }) => started.add(pid)), 20)
  t.after(() => clearInterval(look))
  const run = (text: string) => caller.run(text, { tenant: 'prj_one' })
  await run(large('b'))
  await sleep(1_000)
  const before = childrenOf(executor.child.pid).length
  await run(large('c'))
  await run(large('d', 'throw new Error("not well")'))
  await sleep(600)
  started.clear()
  await sleep(3_500)
  assert.equal(childrenOf(executor.child.pid).length, before)
  const counted = started.size - before
  await run(large('c'))
  await sleep(2_500)
  assert.equal(started.size - before, counted)
})
