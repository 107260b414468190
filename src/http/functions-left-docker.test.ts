import assert from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import { startExecutor } from '../../functions-runtime/testing/executor.ts'
import { startApi } from '../api.ts'
import { startDocker, whyNoDocker } from '../testing/docker/engine.ts'
import { makeFunction } from '../testing/functions.ts'
import { leaveFunction, tellsOfLeaving } from '../testing/left.ts'
import { eventually } from '../testing/receiver.ts'
import { createWorld } from '../testing/world.ts'

const programs = {
  'python-3.11': {
    entrypoint: 'main.py',
    source: `import time
def ticks():
    while True:
        yield "tick "
        time.sleep(0.05)
def main(context):
    context.log("begun")
    return context.res.stream(ticks(), 202)
`,
    logs: ['log: begun', tellsOfLeaving],
  },
  'node-22': {
    entrypoint: 'main.js',
    source: `export default ({ log }) => {
      log('begun')
      let timer
      const start = (to) => { timer = setInterval(() => to.enqueue(new TextEncoder().encode('tick ')), 50) }
      const cancel = () => { clearInterval(timer); log('cancelled') }
      return new Response(new ReadableStream({ start, cancel }), { status: 202 })
    }`,
    logs: ['log: begun', 'log: cancelled', tellsOfLeaving],
  },
}

/** As a build makes it. */
function artefactOf(entrypoint: string, source: string): Buffer {
  const folder = mkdtempSync(join(tmpdir(), 'tendril-left-'))
  try {
    writeFileSync(join(folder, entrypoint), source)
    writeFileSync(join(folder, 'package.json'), '{"type":"module"}')
    return execFileSync('tar', ['-C', folder, '-c', '-z', '.'])
  } finally {
    rmSync(folder, { recursive: true })
  }
}

const skip = whyNoDocker() ?? false

test('an answer from a container whose reader left is told as what it was, with its logs and its time', {
  skip,
}, async (t) => {
  const runtimes = Object.keys(programs)
  const docker = await startDocker(runtimes)
  const executor = await startExecutor({ DOCKER_HOST: docker.url, DOCKER_RUNTIMES: runtimes.join() })
  const world = await createWorld({ PORT: '0', EXECUTORS: executor.url, EXECUTOR_SECRET: executor.secret })
  const api = await startApi(world.app)
  t.after(async () => {
    await api.close()
    await world.close()
    await executor.stop()
    await docker.stop()
  })
  const ctx = (await world.createProject()).owner
  const there = () => ctx.sandbox.runtimes().filter(({ engine, unavailable }) => engine === 'docker' && !unavailable)
  await eventually(() => assert.equal(there().length, runtimes.length), 60_000)
  for (const [runtime, { entrypoint, source, logs }] of Object.entries(programs)) {
    const input = { runtime, entrypoint, execute: ['any'], timeoutMs: 20_000 }
    const { id } = await makeFunction(ctx, artefactOf(entrypoint, source), input)
    const row = await leaveFunction(ctx, api, id, 300)
    assert.deepEqual([row.status, row.failure, row.responseStatus, row.logs], ['COMPLETED', null, 202, logs], runtime)
    assert.ok(row.durationMs !== null && row.durationMs >= 280, `${row.durationMs} ms`)
    assert.ok(row.afterMs < 2_000, `${row.afterMs} ms`)
  }
})
