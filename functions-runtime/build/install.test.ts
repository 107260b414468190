import assert from 'node:assert/strict'
import { createHash } from 'node:crypto'
import { once } from 'node:events'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { after, before, test } from 'node:test'
import vm from 'node:vm'
import { tgz } from './fixture.ts'
import { buildForIsolate } from './isolate.ts'

const left = tgz({
  'package/package.json': JSON.stringify({
    name: 'left',
    version: '1.0.0',
    scripts: { postinstall: 'echo dirty > index.js' },
  }),
  'package/index.js': `module.exports = 'clean'`,
})
const integrity = `sha512-${createHash('sha512').update(left).digest('base64')}`
const resolved = 'https://registry.npmjs.org/left/-/left-1.0.0.tgz'
const manifest = { name: 'app', version: '1.0.0', dependencies: { left: '1.0.0' } }

const asked: string[] = []
const server = createServer((req, res) => {
  asked.push(`${req.headers.authorization ?? ''} ${req.url}`)
  if (req.url === '/npm/left/-/left-1.0.0.tgz') return res.end(left)
  if (req.url === '/npm/away/-/away-1.0.0.tgz') return res.writeHead(302, { location: 'http://127.0.0.1/' }).end()
  res.writeHead(404).end('{}')
})
let registry: string
before(async () => {
  await once(server.listen(0, '127.0.0.1'), 'listening')
  registry = `http://ann:secret@127.0.0.1:${(server.address() as AddressInfo).port}/npm`
})
after(() => {
  server.close()
  server.closeAllConnections()
})

async function build(
  locked: object,
  {
    configured = registry,
    ...more
  }: { configured?: string | null; isSealed?: boolean; files?: Record<string, string> } = {},
) {
  const { files = {}, ...rest } = more
  const lines: string[] = []
  const packages = { '': manifest, ...locked }
  const archive = tgz({
    'index.js': `import left from 'left'\nexport default left`,
    'package.json': JSON.stringify(manifest),
    'package-lock.json': JSON.stringify({
      name: 'app',
      version: '1.0.0',
      lockfileVersion: 3,
      requires: true,
      packages,
    }),
    ...files,
  })
  const script = await buildForIsolate({
    archive,
    entrypoint: 'index.js',
    timeoutMs: 60_000,
    onLine: ({ text }) => lines.push(text),
    signal: new AbortController().signal,
    registry: configured,
    ...rest,
  }).catch((error) => {
    throw Object.assign(error, { lines })
  })
  return { value: vm.runInNewContext(`${script}\n;__function.default`), lines }
}

const locked = { 'node_modules/left': { version: '1.0.0', resolved, integrity, hasInstallScript: true } }

for (const isSealed of [true, false]) {
  test(`packages come from the registry, their scripts are not run, ${isSealed ? 'with' : 'without'} bubblewrap`, async () => {
    asked.length = 0
    const { value, lines } = await build(locked, { isSealed })
    assert.equal(value, 'clean')
    assert.ok(lines.includes('npm ci'))
    assert.deepEqual(asked, [`Basic ${btoa('ann:secret')} /npm/left/-/left-1.0.0.tgz`])
  })
}

test('a package that is not what the lockfile says is refused', async () => {
  const other = `sha512-${createHash('sha512').update('x').digest('base64')}`
  await assert.rejects(
    build({ 'node_modules/left': { version: '1.0.0', resolved, integrity: other } }),
    (error: Error & { lines: string[] }) => {
      assert.equal(error.message, 'npm ci failed: its last lines say why.')
      assert.match(error.lines.join('\n'), /EINTEGRITY/)
      return true
    },
  )
})

test('a registry that leads elsewhere is not followed', async () => {
  const away = { version: '1.0.0', resolved: resolved.replaceAll('left', 'away') }
  await assert.rejects(build({ 'node_modules/left': away }), { message: /npm ci failed/ })
})

test('without a registry it is said what to do', async () => {
  await assert.rejects(build(locked, { configured: null }), {
    name: 'BuildFailed',
    message: /no registry is configured \(NPM_REGISTRY\): put node_modules into the archive/,
  })
})

test('only what the registry has is installed', async () => {
  for (const resolved of [
    'git+ssh://git@github.com/a/b.git#1234',
    'file:../../etc',
    'https://github.com/a/b.git#1234',
  ]) {
    await assert.rejects(build({ 'node_modules/left': { version: '1.0.0', resolved } }), {
      message: /node_modules\/left comes from .+ Packages are installed from the registry only/,
    })
  }
})
