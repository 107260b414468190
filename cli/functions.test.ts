import assert from 'node:assert/strict'
import { randomBytes } from 'node:crypto'
import { mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { createServer, connect as tcp } from 'node:net'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { Readable } from 'node:stream'
import { test } from 'node:test'
import { list } from 'tar'
import { createApi } from './api.ts'
import { createFunctionsStage } from './fixture.ts'
import { readRules } from './functions/ignore.ts'
import { packFolder } from './functions/pack.ts'
import { tellWhyUnavailable } from './functions/unavailable.ts'

const stage = await createFunctionsStage()

function put(folder: string, files: Record<string, string | Buffer>): void {
  for (const [path, text] of Object.entries(files)) {
    mkdirSync(dirname(join(folder, path)), { recursive: true })
    writeFileSync(join(folder, path), text)
  }
}

const configOf = (functions: object) => `export default ${JSON.stringify({ functions })}`
const good = 'export default ({ res }: { res: { text: (text: string) => unknown } }) => res.text("hello")'

test('push makes the function, uploads its code, tells the build, and what is left out stays', async () => {
  const hello = { runtime: 'typescript', scopes: ['documents.read'], events: ['documents.created'], timeoutMs: 5_000 }
  put(stage.folder, { 'tendril.functions.ts': configOf({ hello }), 'hello/index.ts': good })
  const first = await stage.tendril('functions', 'push')
  assert.equal(first.code, 0, first.err)
  assert.match(
    first.err,
    /^hello: created \(fun_\w+\)\nhello: 1 file, 1 KB\nhello: Bundled 1 file .+\nhello: dep_\w+ is ready after [\d.]+ s, and is run from now on\.\n$/,
  )
  const again = await stage.tendril('functions', 'push')
  assert.match(again.err, /hello: as it was .+\nhello: its code is the one that is run already\.\n$/)
  put(stage.folder, { 'tendril.functions.ts': configOf({ hello: { runtime: 'typescript', memoryMb: 64 } }) })
  const changed = await stage.tendril('functions', 'push', '.', '--no-activate', '--force')
  assert.equal(changed.code, 0, changed.err)
  assert.match(changed.err, /hello: changed .+\n[\s\S]*is ready after [\d.]+ s\.\n$/)
  const { functions } = await stage.request(
    '{ functions { nodes { name scopes events timeoutMs memoryMb deployments { totalCount nodes { isActive status } } } } }',
  )
  const { nodes } = functions as { nodes: object[] }
  const deployments = { totalCount: 2, nodes: [false, true].map((isActive) => ({ isActive, status: 'READY' })) }
  const expected = {
    name: 'hello',
    scopes: hello.scopes,
    events: hello.events,
    timeoutMs: 5_000,
    memoryMb: 64,
    deployments,
  }
  assert.deepEqual(nodes, [expected])
  const { out } = await stage.tendril('functions', 'list')
  assert.match(out, /^fun_\w+\thello\ttypescript\tdep_\w+\n$/)
  put(stage.folder, { 'tendril.functions.ts': configOf({ hello: { runtime: 'typescript', execute: ['any'] } }) })
  const { err } = await stage.tendril('functions', 'push')
  const url = /^hello: (http:\S+\/functions\/fun_\w+)$/m.exec(err)?.[1] ?? assert.fail(err)
  assert.equal(await (await fetch(url)).text(), 'hello')
  assert.equal((await stage.tendril('functions', 'list')).out.trim().split('\t')[4], url)
})

test('why a build waits is told, once, where nothing can run its runtime', async () => {
  const api = createApi({ url: stage.api.url, project: stage.projectId, key: stage.key })
  const reasons = async (runtime: string) => {
    const told: string[] = []
    await tellWhyUnavailable(api, runtime, (reason) => told.push(reason), AbortSignal.timeout(3_000))
    return told
  }
  const [absent, there] = await Promise.all([reasons('python-2'), reasons('typescript')])
  assert.deepEqual([absent, there], [['No executor of functions has it.'], []])
})

test('what the server refuses of a function is told with its name', async () => {
  put(stage.folder, { 'tendril.functions.ts': configOf({ hello: { runtime: 'typescript', execute: ['all'] } }) })
  const { code, err } = await stage.tendril('functions', 'push')
  assert.equal(code, 1)
  assert.match(err, /^tendril: hello: “all” is not a role: .* \(execute\.0\)$/m)
})

test('hooks are part of the file', async () => {
  const hooks = [{ on: 'documents.before-create', deadlineMs: 500 }]
  const folder = join(stage.folder, 'hooked')
  put(folder, {
    'tendril.functions.ts': configOf({ hooked: { runtime: 'typescript', hooks } }),
    'hooked/index.ts': good,
  })
  const first = await stage.tendril('functions', 'push', 'hooked')
  assert.match(first.err, /hooked: created/)
  const { functions } = await stage.request('{ functions { nodes { name hooks { on deadlineMs onMissed } } } }')
  const { nodes } = functions as { nodes: { name: string; hooks: object[] }[] }
  const kept = nodes.find(({ name }) => name === 'hooked')?.hooks
  assert.deepEqual(kept, [{ ...hooks[0], onMissed: 'REJECT' }])
  assert.match((await stage.tendril('functions', 'push', 'hooked')).err, /hooked: as it was/)
})

test('a build that fails is told, and the command fails', async () => {
  const folder = join(stage.folder, 'other')
  const functions = {
    broken: { runtime: 'typescript', folder: 'src' },
    fine: { runtime: 'typescript', folder: 'src', entrypoint: 'b.ts' },
  }
  put(folder, {
    'tendril.functions.json': JSON.stringify({ functions }),
    'src/index.ts': 'export default (',
    'src/b.ts': good,
  })
  const { code, err } = await stage.tendril('functions', 'push', 'other')
  assert.equal(code, 1)
  assert.match(err, /broken: index\.ts:1:17: .+\nbroken: dep_\w+ failed: index\.ts:1:17: /)
  assert.match(err, /fine: dep_\w+ is ready/)
  assert.match(err, /tendril: Not built: broken\.\n$/)
})

test('what is wrong with the file or the folder is told', async () => {
  const wrong: [Record<string, string>, RegExp][] = [
    [{}, /There is no tendril\.functions\.ts/],
    [{ 'tendril.functions.ts': 'export const a = 1' }, /no default export/],
    [{ 'tendril.functions.ts': 'export default {' }, /cannot be read/],
    [{ 'tendril.functions.ts': configOf({ a: { runtime: 'typescript', evnts: [] } }) }, /functions\.a: .*evnts/],
    [{ 'tendril.functions.ts': configOf({ a: { runtime: 'typescript' } }) }, /functions\.a: there is no folder/],
    [{ 'tendril.functions.ts': configOf({ a: { runtime: 'cobol' } }), 'a/x': '' }, /“cobol” is not a runtime/],
  ]
  for (const [i, [files, message]] of wrong.entries()) {
    mkdirSync(join(stage.folder, `wrong${i}`))
    put(join(stage.folder, `wrong${i}`), files)
    const { code, err } = await stage.tendril('functions', 'push', `wrong${i}`)
    assert.equal(code, 1)
    assert.match(err, message)
  }
  const none = await stage.tendril('functions', 'push', '.', '--only', 'nobody')
  assert.match(none.err, /has no function “nobody”/)
})

test('an upload whose last answer is lost is over', async () => {
  const late = { runtime: 'typescript' }
  put(stage.folder, { 'tendril.functions.ts': configOf({ late }), 'late/index.ts': good })
  let lost = 0
  const { port } = new URL(stage.api.url)
  const proxy = createServer((socket) => {
    const onward = tcp(Number(port), '127.0.0.1')
    onward.on('data', (bytes) => {
      if (lost > 0 || !/"status":"PENDING","offset"/.test(String(bytes))) return socket.write(bytes)
      lost += 1
      return socket.destroy()
    })
    onward.on('end', () => socket.end())
    socket.pipe(onward)
    for (const one of [socket, onward]) one.on('error', () => one.destroy())
  })
  await new Promise<void>((resolve) => proxy.listen(0, '127.0.0.1', resolve))
  const url = `http://127.0.0.1:${(proxy.address() as { port: number }).port}`
  const { code, err } = await stage.tendrilAs({ TENDRIL_URL: url }, 'functions', 'push')
  proxy.close()
  assert.deepEqual([code, lost], [0, 1], err)
  assert.match(err, /late: dep_\w+ is ready/)
})

test('an upload goes on where the connection broke', async () => {
  const big = { runtime: 'typescript' }
  put(stage.folder, {
    'tendril.functions.ts': configOf({ big }),
    'big/index.ts': good,
    'big/data.bin': randomBytes(6_000_000),
  })
  let cuts = 0
  const { port } = new URL(stage.api.url)
  const proxy = createServer((socket) => {
    const onward = tcp(Number(port), '127.0.0.1')
    let seen = 0
    socket.on('data', (bytes) => {
      seen += bytes.length
      if (seen > 2_500_000 && cuts < 2) {
        cuts += 1
        socket.destroy()
        onward.destroy()
      }
    })
    socket.pipe(onward).pipe(socket)
    for (const one of [socket, onward]) one.on('error', () => one.destroy())
  })
  await new Promise<void>((resolve) => proxy.listen(0, '127.0.0.1', resolve))
  const url = `http://127.0.0.1:${(proxy.address() as { port: number }).port}`
  const { code, err } = await stage.tendrilAs({ TENDRIL_URL: url }, 'functions', 'push')
  proxy.close()
  assert.equal(code, 0, err)
  assert.equal(cuts, 2)
  assert.match(err, /big: dep_\w+ is ready/)
})

test('what .gitignore and .tendrilignore leave out is not packed; the same files make the same bytes', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'tendril-pack-'))
  try {
    put(folder, {
      'index.ts': 'a',
      '.gitignore': 'node_modules\n*.log\n/dist\n.env*\n!keep.log',
      '.tendrilignore': '!node_modules/\ntests/',
      'node_modules/p/index.js': 'b',
      'node_modules/.bin/p': 'c',
      'a.log': 'd',
      'keep.log': 'e',
      'dist/x.js': 'f',
      'lib/dist/y.js': 'g',
      '.env.local': 'secret',
      'tests/t.ts': 'h',
      'lib/.gitignore': 'z.js',
      'lib/z.js': 'i',
      '.git/config': 'j',
    })
    symlinkSync('index.ts', join(folder, 'link.ts'))
    const { archive, files } = await packFolder(folder)
    const paths: string[] = []
    await new Promise((resolve, reject) => {
      Readable.from([archive])
        .pipe(list({ onReadEntry: ({ path, type }) => paths.push(`${path} ${type}`) }))
        .on('end', resolve)
        .on('error', reject)
    })
    const expected = ['index.ts', 'keep.log', 'lib/dist/y.js', 'link.ts', 'node_modules/p/index.js']
    assert.deepEqual(
      paths.sort(),
      expected.map((path) => `${path} File`),
    )
    assert.equal(files, expected.length)
    assert.ok(archive.equals((await packFolder(folder)).archive))
    symlinkSync('/etc/passwd', join(folder, 'out'))
    await assert.rejects(packFolder(folder), { message: 'out is a link that leads out of the folder.' })
  } finally {
    rmSync(folder, { recursive: true })
  }
})

test('rules of .gitignore', () => {
  const cases: [rules: string, path: string, left: boolean | null][] = [
    ['*.log', 'a/b.log', true],
    ['/a', 'b/a', null],
    ['a/b', 'a/b', true],
    ['a/b', 'c/a/b', null],
    ['**/x', 'a/b/x', true],
    ['a/**/x', 'a/x', true],
    ['a/**', 'a/b/c', true],
    ['?.js', 'ab.js', null],
    ['[ab].js', 'b.js', true],
    ['[!ab].js', 'b.js', null],
    ['# x\n\\#x', '#x', true],
    ['a+b(c)', 'a+b(c)', true],
    ['*\n!a', 'a', false],
  ]
  for (const [rules, path, left] of cases) assert.equal(readRules(rules)(path, false), left, `${rules} ${path}`)
  assert.equal(readRules('a/')('a', false), null)
  assert.equal(readRules('a/')('a', true), true)
})
