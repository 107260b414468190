import assert from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before, describe, test } from 'node:test'
import { gunzipSync } from 'node:zlib'
import { startDocker, type TestDocker, whyNoDocker } from '../../src/testing/docker/engine.ts'
import { type BuildAsked, buildArchive, testEngine, untilReady } from '../../src/testing/docker/function.ts'
import type { DockerEngine } from './engine.ts'

describe('builds in containers', { skip: whyNoDocker() ?? false }, () => {
  const runtime = 'python-3.11'
  const dir = mkdtempSync(join(tmpdir(), 'tendril-build-'))
  let docker: TestDocker
  let engine: DockerEngine
  before(async () => {
    docker = await startDocker([runtime])
    const limits = { BUILD_MEMORY_MB: '64', BUILD_DISK_MB: '32' }
    engine = testEngine({ DOCKER_HOST: docker.url, DOCKER_RUNTIMES: runtime, ...limits })
    await untilReady(engine, runtime)
  })
  after(async () => {
    rmSync(dir, { recursive: true })
    await engine?.close()
    await docker?.stop()
  })

  const pack = (files: Record<string, string>) => {
    const folder = mkdtempSync(join(dir, 'f'))
    for (const [name, content] of Object.entries(files)) writeFileSync(join(folder, name), content)
    return { folder, archive: () => execFileSync('tar', ['-C', folder, '-cz', '.']) }
  }
  const build = (files: Record<string, string>, asked?: BuildAsked) =>
    buildArchive(engine, runtime, 'main.py', pack(files).archive(), asked)
  const main = 'def main(context): return context.res.empty()\n'

  test('what its commands write comes line by line, and the folder is the artefact', async () => {
    const command = 'echo one; echo "$WORD" >&2; echo "made = 1" >made.py'
    const { lines, artefact, error } = await build({ 'main.py': main }, { command, variables: { WORD: 'two' } })
    assert.equal(error, null)
    assert.deepEqual(lines, ['one', 'two'])
    const tar = gunzipSync(artefact ?? assert.fail()).toString('latin1')
    for (const part of ['./main.py', './made.py', 'made = 1', './__pycache__/']) assert.ok(tar.includes(part), part)
  })

  test('a command that fails is told with its code, and what is wrong in a file with its line', async () => {
    const failed = await build({ 'main.py': main }, { command: 'echo going; false; echo on' })
    assert.deepEqual([failed.error, failed.lines], ['The build’s command ended with code 1.', ['going']])
    const wrong = await build({ 'main.py': 'def main(:' })
    assert.match(wrong.lines.join('\n'), /SyntaxError/)
    const absent = await build({ 'other.py': main })
    assert.deepEqual(absent.lines, ['There is no main.py.'])
  })

  test('one that was given up before its container ran is ended: it ran without end, and held its place', async () => {
    for (const delay of [0, 30]) {
      const stop = new AbortController()
      if (delay) setTimeout(() => stop.abort(), delay)
      else stop.abort()
      const asked = { command: 'sleep 30', timeoutMs: 20_000, signal: stop.signal }
      const begun = performance.now()
      const { error } = await build({ 'main.py': main }, asked)
      assert.match(error ?? '', /or was given up\.$/)
      assert.ok(performance.now() - begun < 15_000)
    }
  })

  test('what the engine refuses is told', async () => {
    const { error } = await build({ 'main.py': main }, { variables: { PATH: '/nowhere' } })
    assert.match(error ?? '', /^The build could not be done\. .*PATH/)
  })

  test('what asks for packages says that there is no registry', async () => {
    const { lines, error } = await build({ 'main.py': main, 'requirements.txt': 'requests' })
    assert.equal(error, 'The build’s command ended with code 1.')
    assert.deepEqual(lines, [
      'requirements.txt asks for packages, and builds reach no registry here (BUILD_REGISTRIES).',
    ])
  })

  test('the registries that are named are reached, and no other host', async (t) => {
    const registry = createServer((_, response) => response.end('the package'))
    t.after(() => registry.close())
    registry.listen(0, '127.0.0.1')
    await once(registry, 'listening')
    const { port } = registry.address() as AddressInfo
    const env = { DOCKER_HOST: docker.url, DOCKER_RUNTIMES: runtime, BUILD_REGISTRIES: `localhost:${port}` }
    const wide = testEngine(env)
    t.after(() => wide.close())
    await untilReady(wide, runtime)
    const fetching = (host: string) => `
import http.client, os, urllib.parse
proxy = urllib.parse.urlsplit(os.environ["HTTPS_PROXY"])
connection = http.client.HTTPConnection(proxy.hostname, proxy.port)
connection.set_tunnel("${host}", ${port})
try:
    connection.request("GET", "/")
    print(connection.getresponse().read().decode())
except OSError as error:
    print(error)
`
    const files = { 'main.py': main, 'right.py': fetching('localhost'), 'wrong.py': fetching('127.0.0.1') }
    const command =
      'python3 right.py; python3 wrong.py; python3 -c "import socket; socket.create_connection((\'1.1.1.1\', 53), 2)" || true'
    const { lines } = await buildArchive(wide, runtime, 'main.py', pack(files).archive(), { command })
    assert.deepEqual(lines.slice(0, 2), ['the package', 'Tunnel connection failed: 403 Forbidden'])
    assert.match(lines.at(-1) ?? '', /Network is unreachable/)
  })

  test('disk, memory and time are limited', async () => {
    const full = await build({ 'main.py': main }, { command: 'dd if=/dev/zero of=x bs=1M count=64 2>/dev/null' })
    assert.equal(full.error, 'The build needs more than the 32 MB of disk that it may use.')
    const command = `python3 -c "b'x' * 10**9"`
    const large = await build({ 'main.py': main }, { command })
    assert.equal(large.error, 'The build needs more than the 64 MB of memory that it may use.')
    const slow = await build({ 'main.py': main }, { command: 'sleep 30', timeoutMs: 1_500 })
    assert.equal(slow.error, 'The build took longer than 1.5 s, or was given up.')
  })

  test('it is refused when its archive has a link, and follows those that its commands make', async () => {
    const { folder, archive } = pack({ 'main.py': main })
    symlinkSync('/etc/passwd', join(folder, 'link'))
    const refused = await buildArchive(engine, runtime, 'main.py', archive())
    assert.match(refused.error ?? '', /link.*symbolic link/)
    const followed = await build({ 'main.py': main }, { command: 'ln -s main.py copy.py; ln main.py third.py' })
    assert.equal(followed.error, null)
  })

  test('there is no network, and no container is left', async () => {
    const command = `python3 -c "import socket; socket.create_connection(('1.1.1.1', 53), 2)"`
    const { lines } = await build({ 'main.py': main }, { command })
    assert.match(lines.join('\n'), /Network is unreachable/)
    assert.deepEqual(await docker.api.ask('GET', '/containers/json?all=true'), [])
  })
})
