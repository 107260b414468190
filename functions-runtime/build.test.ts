import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import vm from 'node:vm'
import { tgz } from './build/fixture.ts'
import type { BuildFrame } from './protocol.ts'
import { startExecutor, type TestExecutor } from './testing/executor.ts'

let executor: TestExecutor
before(async () => {
  executor = await startExecutor()
})
after(() => executor.stop())

async function build(files: Record<string, string>, given: Partial<BuildFrame> = {}) {
  const caller = await executor.connect()
  const asked = { tenant: 'prj_test', runtime: 'typescript', entrypoint: 'index.ts', command: null, variables: {} }
  caller.send({ kind: 'build', id: 'b1', timeoutMs: 30_000, ...asked, ...given }, tgz(files))
  const { head, body } = await caller.next('built')
  const line = head.error === null ? (await caller.next('line')).head.line : null
  caller.close()
  return { ...head, line, script: body.toString() }
}

test('an executor builds what it is sent, and tells how it goes', async () => {
  const { error, durationMs, line, script } = await build({ 'index.ts': 'export default (): number => 42' })
  assert.equal(error, null)
  assert.ok(durationMs > 0)
  assert.match(line?.text ?? '', /^Bundled 1 file into/)
  assert.equal(vm.runInNewContext(`${script}\n;__function.default`)(), 42)
})

test('what was built is run without being asked for', async () => {
  const files = { 'index.ts': 'export default ({ res }) => res.text("built here")' }
  const { script } = await build(files)
  const caller = await executor.connect()
  caller.onNeed = () => assert.fail('It is asked for.')
  assert.equal((await caller.run(script)).text, 'built here')
  caller.close()
})

test('variables are there as process.env, too, without anything of Node', async () => {
  const { script } = await build({
    'index.ts': `const { CITY } = process.env
      export default ({ res }) => res.json([CITY, process.env['KEY'], process.env.NODE_ENV, typeof process])`,
  })
  const caller = await executor.connect()
  const { text } = await caller.run(script, { variables: { CITY: 'Oslo', KEY: 'k' } })
  assert.equal(text, '["Oslo","k","production","undefined"]')
  caller.close()
})

test('what is wrong is told in words for those who own the function', async () => {
  const { error, script } = await build({ 'index.ts': 'export default (' })
  assert.match(error ?? '', /^index\.ts:1:17: /)
  assert.equal(script, '')
})

test('a runtime that nothing can be built for is told', async () => {
  const { error } = await build({ 'main.py': '' }, { runtime: 'fortran-77', entrypoint: 'main.py' })
  assert.ok(error)
})
