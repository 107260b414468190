import assert from 'node:assert/strict'
import { once } from 'node:events'
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { type AddressInfo, createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { test } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import { startDocker, type TestDocker, whyNoDocker } from '../../src/testing/docker/engine.ts'
import { archiveOf, buildArchive, testEngine, untilReady } from '../../src/testing/docker/function.ts'

const skip = whyNoDocker() ?? false

/** Stops the engine's process in its tracks, and answers what lets it go on. */
function hang({ url }: TestDocker): () => void {
  const pid = Number(readFileSync(join(dirname(url.slice('unix://'.length)), 'pid'), 'utf8'))
  process.kill(pid, 'SIGSTOP')
  return () => void process.kill(pid, 'SIGCONT')
}

test('a build on an engine that hangs ends soon after its time, and leaves nothing', { skip }, async (t) => {
  const runtime = 'python-3.11'
  const docker = await startDocker([runtime])
  const engine = testEngine({ DOCKER_HOST: docker.url, DOCKER_RUNTIMES: runtime })
  let goOn = () => {}
  t.after(async () => {
    goOn()
    await engine.close()
    await docker.stop()
  })
  await untilReady(engine, runtime)
  const build = (timeoutMs: number, command: string) =>
    buildArchive(engine, runtime, 'main.py', archiveOf('python'), { timeoutMs, command })
  const hung = build(3_000, 'echo begun; sleep 60')
  await sleep(2_000)
  goOn = hang(docker)
  const begun = performance.now()
  const { error, lines } = await hung
  assert.deepEqual([lines, error], [['begun'], 'The build could not be done. The Docker Engine does not answer.'])
  assert.ok(performance.now() - begun < 8_000)
  goOn()
  await untilReady(engine, runtime)
  assert.equal((await build(60_000, 'true')).error, null)
  const containers = () => docker.api.ask<unknown[]>('GET', '/containers/json?all=true')
  for (let tries = 0; (await containers()).length > 0; tries++) {
    if (tries === 100) assert.fail('The container of a build that was given up is there still.')
    await sleep(100)
  }
})

test('an engine that hangs while it pulls an image is told as such, and asked again when it is back', {
  skip,
}, async (t) => {
  // A registry that never answers.
  const registry = createServer().listen(0, '127.0.0.1')
  await once(registry, 'listening')
  const image = `127.0.0.1:${(registry.address() as AddressInfo).port}/empty:1`
  const dir = mkdtempSync(join(tmpdir(), 'tendril-runtimes-'))
  mkdirSync(join(dir, 'empty'))
  const file = { name: 'empty-1', image, shim: 'empty', entrypoint: 'x', start: 'x' }
  writeFileSync(join(dir, 'empty.json'), JSON.stringify(file))
  const docker = await startDocker([])
  const engine = testEngine({ DOCKER_HOST: docker.url, RUNTIMES_DIR: dir, DOCKER_RUNTIMES: 'empty-1' })
  let goOn = () => {}
  t.after(async () => {
    goOn()
    await engine.close()
    await docker.stop()
    registry.close()
    rmSync(dir, { recursive: true })
  })
  const untilTold = async (text: RegExp) => {
    for (let tries = 0; !text.test(engine.runtimes()[0]?.unavailable ?? ''); tries++) {
      if (tries === 200) assert.fail(`It says: ${engine.runtimes()[0]?.unavailable}`)
      await sleep(100)
    }
  }
  await untilTold(/is being pulled/)
  goOn = hang(docker)
  await untilTold(/does not answer/)
  goOn()
  await untilTold(/is being pulled/)
})
