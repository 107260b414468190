import assert from 'node:assert/strict'
import { chmodSync, mkdtempSync, readdirSync, rmSync } from 'node:fs'
import { SourceMap } from 'node:module'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, test } from 'node:test'
import vm from 'node:vm'
import { tgz } from './fixture.ts'
import { buildForIsolate, type IsolateBuild } from './isolate.ts'

// A place of its own, so that it can be seen what is left.
const place = mkdtempSync(join(tmpdir(), 'tendril-builds-'))
chmodSync(place, 0o711)
process.env.TMPDIR = place
after(() => rmSync(place, { recursive: true, force: true }))
const leftovers = () => readdirSync(place)

type Built = { error: string; lines: string[]; script: string }

async function build(
  files: Record<string, string | Buffer> | Buffer,
  more: Partial<IsolateBuild> = {},
): Promise<Built> {
  const lines: string[] = []
  const given = {
    archive: Buffer.isBuffer(files) ? files : tgz(files),
    entrypoint: 'index.ts',
    timeoutMs: 30_000,
    onLine: ({ text }: { text: string }) => lines.push(text),
    signal: new AbortController().signal,
    registry: null,
    ...more,
  }
  return buildForIsolate(given).then(
    (script) => ({ error: '', lines, script: script.toString() }),
    (error) => ({ error: error.message, lines, script: '' }),
  )
}

/** What the script's default export is, in an empty context. */
const run = (script: string) => vm.runInNewContext(`${script}\n;__function.default`)

test('TypeScript with imports becomes one script', async () => {
  const { error, lines, script } = await build({
    'index.ts': `import { twice } from './lib/twice'\nimport text from './a.txt'\nexport default (n: number): string => text + twice(n)`,
    'lib/twice.ts': 'export const twice = (n: number) => 2 * n',
    'a.txt': 'is ',
  })
  assert.equal(error, '')
  assert.equal(run(script)(21), 'is 42')
  assert.match(lines.at(-1) ?? '', /^Bundled 3 files into 2 KB in/)
  assert.match(script, /sourceMappingURL=data:application\/json;base64/)
  assert.deepEqual(leftovers(), [])
})

test('CommonJS and packages that the archive carries', async () => {
  const { error, script } = await build(
    {
      'main.js': `const add = require('add')\nmodule.exports = (n) => add.add(n, 1)`,
      'node_modules/add/package.json': '{"main":"wrong.js","browser":"right.js"}',
      'node_modules/add/right.js': 'exports.add = (a, b) => a + b',
    },
    { entrypoint: 'main.js' },
  )
  assert.equal(error, '')
  assert.equal(run(script)(41), 42)
})

test('a program may export a function for each method', async () => {
  const { error, script } = await build({ 'index.ts': 'export const POST = () => 42\nexport const helper = 1' })
  assert.equal(error, '')
  assert.equal(vm.runInNewContext(`${script}\n;__function`).POST(), 42)
})

test('a program may await at its top level, and is told what it does not export', async () => {
  const lib = { 'lib.ts': 'export const n: number = await Promise.resolve(41)' }
  const one = await build({
    'index.ts': `import { n } from './lib'\nexport default () => {\n  throw new Error('at ' + n)\n}`,
    ...lib,
  })
  assert.equal(one.error, '')
  const { default: main } = await vm.runInNewContext(`${one.script}\n;__function`, {}, { filename: 'function.js' })
  const { stack } = await (async () => main())().catch((error: Error) => error)
  assert.match(stack, /at 41/)
  const [, row, column] = /function\.js:(\d+):(\d+)/.exec(stack) ?? []
  const map = Buffer.from(one.script.split('base64,').at(-1) ?? '', 'base64').toString()
  const entry = new SourceMap(JSON.parse(map)).findEntry(Number(row) - 1, Number(column) - 1)
  assert.deepEqual('originalLine' in entry && [entry.originalSource, entry.originalLine], ['index.ts', 2])
  const methods = await build({ 'index.ts': `import { n } from './lib'\nexport const POST = () => n`, ...lib })
  assert.equal((await vm.runInNewContext(`${methods.script}\n;__function`)).POST(), 41)
  const meta = await build({ 'index.ts': 'const a = await import.meta.url\nexport default () => typeof a' })
  assert.match(meta.lines.join('\n'), /index\.ts:1:17: import\.meta is not there in an isolate, and is empty\./)
  assert.equal((await vm.runInNewContext(`${meta.script}\n;__function`)).default(), 'undefined')
  const none = await build({ 'index.ts': 'export const a = await 1' })
  assert.match(none.error, /^index\.ts: it has no default export/)
})

test('a package of the archive stands for what Node has by its name, also where it is called node:', async () => {
  const { error, script } = await build({
    'index.ts': `import { Buffer } from 'node:buffer'\nexport default (n) => Buffer + n`,
    'node_modules/buffer/index.js': 'exports.Buffer = 1',
  })
  assert.equal(error, '')
  assert.equal(run(script)(41), 42)
})

test('what is imported by a name that only a run knows is refused by that name', async () => {
  const { script } = await build({ 'index.ts': 'export default (name) => import(name)' })
  await assert.rejects(run(script)('left-pad'), /Dynamic require of "left-pad" is not supported/)
})

const good = 'export default () => 1'
const wrong: readonly [name: string, files: Record<string, string>, error: RegExp][] = [
  ['a mistake', { 'index.ts': 'export default () => {\n  const a = ;\n}' }, /^index\.ts:2:13: Unexpected ";"\.$/],
  [
    'a mistake in what is imported',
    { 'index.ts': `import './b'\n${good}`, 'b.ts': 'let a\nlet a' },
    /^b\.ts:2:5: The symbol "a" has already been declared\.$/,
  ],
  [
    'node:fs',
    { 'index.ts': `import { x } from 'node:fs'\nexport default x` },
    /^index\.ts:1:19: node:fs is not there in an isolate/,
  ],
  [
    'fs in a package',
    {
      'index.ts': `import 'p'\n${good}`,
      'node_modules/p/package.json': '{}',
      'node_modules/p/index.js': `\nrequire('fs/promises')`,
    },
    /^node_modules\/p\/index\.js:2:9: node:fs\/promises is not there in an isolate/,
  ],
  ['a package', { 'index.ts': `import 'left-pad'\n${good}` }, /^index\.ts:1:8: Could not resolve "left-pad"/],
  ['no export', { 'index.ts': 'export const a = 1' }, /^index\.ts: it has no default export\. A function is/],
  ['nothing at all', { 'index.ts': 'const a = 1' }, /^index\.ts: it has no default export\. A function is/],
  ['no entry', { 'other.ts': good }, /^The entry point “index\.ts” is not in the archive\. It has: other\.ts\.$/],
  ['a file of the machine', { 'index.ts': `import '/etc/passwd.json'\n${good}` }, /^index\.ts:1:8: Could not resolve/],
]

for (const [name, files, error] of wrong) {
  test(`told: ${name}`, async () => {
    const built = await build(files)
    assert.match(built.error, error)
  })
}

test('several mistakes are all lines of the log', async () => {
  const { error, lines } = await build({ 'index.ts': `import 'node:fs'\nimport 'node:net'\n${good}` })
  assert.match(
    error,
    /^index\.ts:1:8: node:fs is not there in an isolate, but with the runtime node-22\. \(and 1 more\)$/,
  )
  assert.match(lines.join('\n'), /index\.ts:2:8: node:net is not/)
})

for (const isSealed of [true, false]) {
  const how = isSealed ? 'with bubblewrap' : 'without bubblewrap'

  test(`a file of the machine is not read, ${how}`, async () => {
    const path = new URL('../../package.json', import.meta.url).pathname
    const { error } = await build({ 'index.ts': `import x from '${path}'\nexport default x` }, { isSealed })
    assert.match(error, /which is not in the archive/)
  })

  test(`a hostile archive is refused, and nothing is left, ${how}`, async () => {
    const { error } = await build(Buffer.from('no archive'), { isSealed })
    assert.equal(error, 'The archive is no tar.gz.')
    assert.deepEqual(leftovers(), [])
  })

  test(`a build that takes too long is ended, ${how}`, async () => {
    const { error } = await build({ 'index.ts': good }, { timeoutMs: 5, isSealed })
    assert.equal(error, 'The build took longer than 0.005 s.')
    assert.deepEqual(leftovers(), [])
  })
}

test('a file of the machine that functions may not see does not exist, with bubblewrap', async () => {
  const { error } = await build({ 'index.ts': `import x from '/etc/passwd'\nexport default x` })
  assert.match(error, /Could not resolve "\/etc\/passwd"/)
})

test('no space is told, and nothing is left', async () => {
  const big = Buffer.alloc(3_000_000, 'x')
  const { error } = await build({ 'index.ts': good, 'big.txt': big }, { space: 2_000_000 })
  assert.equal(error, 'There is not enough space to build it.')
  assert.deepEqual(leftovers(), [])
})

test('a bundle that is too large is told, with its largest part', async () => {
  const big = `export default ${JSON.stringify('x'.repeat(11_000_000))}`
  const { error } = await build({ 'index.ts': `export { default } from './big'`, 'big.ts': big })
  assert.match(
    error,
    /^The bundle has 10,7\d\d KB, and may have 10,240 KB\. Its largest part is big\.ts with 10,7\d\d KB\.$/,
  )
})

test('nobody waits any more', async () => {
  const stop = new AbortController()
  const building = build({ 'index.ts': good }, { signal: stop.signal })
  setTimeout(() => stop.abort(new Error('gone')), 30)
  assert.equal((await building).error, 'gone')
  assert.deepEqual(leftovers(), [])
})
