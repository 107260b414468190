import assert from 'node:assert/strict'
import { mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { createFunctionsStage } from '../fixture.ts'

const stage = await createFunctionsStage()

const code = 'export default ({ res }) => res.text("hello")'
const read = (path: string) => readFileSync(join(stage.folder, path), 'utf8')

test('what was pushed is pulled, and pushed again it is as it was', async () => {
  const hello = {
    runtime: 'javascript',
    folder: 'src',
    events: ['documents.created'],
    hooks: [{ on: 'documents.before-create', deadlineMs: 500, onMissed: 'ALLOW' }],
    schedule: '0 3 * * *',
    timeZone: 'Europe/Berlin',
    execute: ['users'],
    scopes: ['documents.read', 'documents.write'],
    timeoutMs: 5_000,
    logging: false,
  }
  const odd = { runtime: 'javascript', folder: 'src', entrypoint: 'lib/b.js' }
  const functions = { hello, '../odd name': odd }
  mkdirSync(join(stage.folder, 'src/lib'), { recursive: true })
  writeFileSync(join(stage.folder, 'tendril.functions.json'), JSON.stringify({ functions }))
  writeFileSync(join(stage.folder, 'src/index.js'), code)
  writeFileSync(join(stage.folder, 'src/lib/b.js'), code)
  const pushed = await stage.tendril('functions', 'push')
  assert.equal(pushed.code, 0, pushed.err)
  await stage.request('mutation { createFunction(input: { name: "empty", runtime: "typescript" }) { id } }')

  const { code: exit, err } = await stage.tendril('functions', 'pull', 'copy')
  assert.equal(exit, 0, err)
  assert.match(err, /hello: 2 files of dep_\w+\./)
  assert.match(err, /empty: it has no deployment\.\n/)
  assert.match(err, /tendril\.functions\.ts: 3 functions\.\n$/)
  assert.deepEqual(readdirSync(join(stage.folder, 'copy/hello')).sort(), ['index.js', 'lib'])
  assert.equal(read('copy/hello/lib/b.js'), code)
  assert.deepEqual(
    readdirSync(join(stage.folder, 'copy'))
      .map((name) => name.replace(/^fun_\w+$/, 'fun'))
      .sort(),
    ['empty', 'fun', 'hello', 'tendril.functions.ts'],
  )
  const text = read('copy/tendril.functions.ts')
  assert.match(text, /^import type \{ Functions \} from 'tendril\/functions'\n\nexport default \{\n/)
  for (const one of ['hello', '../odd name']) {
    const again = await stage.tendril('functions', 'push', 'copy', '--only', one)
    assert.equal(again.code, 0, again.err)
    assert.match(again.err, /: as it was .+\n(.*: http.+\n)?.*: its code is the one that is run already\.\n$/)
  }
})

test('nothing is written over without being told to', async () => {
  const { code: exit, err } = await stage.tendril('functions', 'pull', 'copy')
  assert.equal(exit, 1)
  assert.match(err, /There is already tendril\.functions\.ts, .*hello.*: --force writes over what is there\./)
  writeFileSync(join(stage.folder, 'copy/hello/index.js'), 'changed')
  writeFileSync(join(stage.folder, 'copy/hello/mine.js'), 'mine')
  assert.equal((await stage.tendril('functions', 'pull', 'copy', '--force')).code, 0)
  assert.deepEqual([read('copy/hello/index.js'), read('copy/hello/mine.js')], [code, 'mine'])
  // Nothing at all is written where one thing is there.
  mkdirSync(join(stage.folder, 'half/hello'), { recursive: true })
  writeFileSync(join(stage.folder, 'half/hello/index.js'), 'mine')
  assert.equal((await stage.tendril('functions', 'pull', 'half')).code, 1)
  assert.deepEqual(readdirSync(join(stage.folder, 'half')), ['hello'])
})
