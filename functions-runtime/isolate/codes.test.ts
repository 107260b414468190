import assert from 'node:assert/strict'
import { test } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import { tgz } from '../build/fixture.ts'
import { program, startExecutor } from '../testing/executor.ts'
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
  // Where much else is done it comes later.
  const later: number[] = []
  for (let i = 3; i < 23 && Math.min(...later) > Math.min(...before) / 2; i += 1) {
    await sleep(1_000)
    later.push(await first(`prj_${i}`))
  }
  assert.ok(Math.min(...later) < Math.min(...before) / 2, `${before} ms before, ${later} ms later`)
})

test('it is made of what was built before anybody runs it', async (t) => {
  const { executor, caller } = await start(t)
  const processes = () => childrenOf(executor.child.pid).length
  const until = async (holds: () => boolean, what: string) => {
    for (const end = Date.now() + 30_000; !holds(); await sleep(10)) if (Date.now() > end) assert.fail(what)
  }
  await caller.run(program('({ res }) => res.empty()'), { tenant: 'prj_one' })
  await sleep(1_000)
  const before = processes()
  const source = `const text = '${'a'.repeat(200_000)}'\nexport default ({ res }) => res.text(String(text.length))`
  const asked = { tenant: 'prj_built', runtime: 'javascript', entrypoint: 'index.js', command: null, variables: {} }
  caller.send({ kind: 'build', id: 'b1', timeoutMs: 30_000, ...asked }, tgz({ 'index.js': source }))
  const script = (await caller.next('built')).body.toString()
  await until(() => processes() <= before, 'the process of the build does not end')
  await until(() => processes() > before, 'no process reads what was built')
  await until(() => processes() <= before, 'the process that reads it does not end')
  assert.equal((await caller.run(script, { tenant: 'prj_built' })).text, '200000')
})

test('it is made by a process that ends', async (t) => {
  const { executor, caller } = await start(t)
  const processes = () => childrenOf(executor.child.pid).length
  const run = (text: string) => caller.run(text, { tenant: 'prj_one' })
  await run(program('({ res }) => res.empty()'))
  await sleep(1_000)
  const before = processes()
  await run(large('b'))
  await run(large('c', 'throw new Error("not well")'))
  let most = before
  for (const end = Date.now() + 3_000; Date.now() < end; await sleep(20)) most = Math.max(most, processes())
  assert.ok(most > before)
  for (let tries = 0; processes() > before; tries += 1) {
    if (tries === 100) assert.fail(`${before} processes before, and ${processes()}`)
    await sleep(100)
  }
})
