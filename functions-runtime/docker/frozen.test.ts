import assert from 'node:assert/strict'
import { once } from 'node:events'
import { mkdtempSync, rmSync } from 'node:fs'
import { createServer, type ServerResponse } from 'node:http'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import { createDockerApi } from './api.ts'
import { startContainer } from './container.ts'
import { createPool } from './pool.ts'
import { readRuntimes } from './runtimes.ts'

test('an engine that does not answer holds neither a run nor its place for longer than a start may take', async (t) => {
  const folder = mkdtempSync(join(tmpdir(), 'tendril-frozen-'))
  const socket = join(folder, 'docker.sock')
  const asked: { what: string; res: ServerResponse }[] = []
  const engine = createServer((req, res) => void asked.push({ what: `${req.method} ${req.url}`, res })).listen(socket)
  await once(engine, 'listening')
  const pool = createPool({ max: 1, idleMs: 60_000, startMs: 300 })
  t.after(async () => {
    await pool.close()
    engine.closeAllConnections()
    engine.close()
    rmSync(folder, { recursive: true })
  })
  const [runtime] = readRuntimes(null, ['python-3.11']).values()
  const docker = createDockerApi(`unix://${socket}`)
  const options = { image: 'x', runtime: runtime ?? assert.fail(), entrypoint: 'main.py', memoryMb: 64, cpus: 1 }
  const { signal } = new AbortController()
  const acquire = (key: string) =>
    pool.acquire({ key, tenant: key, start: () => startContainer(docker, options), signal })
  const begun = performance.now()
  const refused = { reason: 'UNAVAILABLE', message: 'The Docker Engine has started no container in 0.3 s.' }
  const [first, second] = [acquire('one'), acquire('two')]
  await assert.rejects(first, refused)
  await assert.rejects(second, refused)
  assert.equal(asked.length, 2, 'the place of the first is had by the second')
  assert.ok(performance.now() - begun < 2_000)
  assert.equal(pool.size(), 0)
  // What it starts when it is back nobody waits for: it is removed.
  asked[0]?.res.writeHead(201, { 'content-type': 'application/json' }).end('{"Id":"late"}')
  while (asked.length < 3) await once(engine, 'request')
  asked[2]?.res.writeHead(500).end()
  while (!asked.some(({ what }) => what.startsWith('DELETE '))) await once(engine, 'request')
  assert.match(asked.at(-1)?.what ?? '', /^DELETE \/v1\.\d+\/containers\/late\?/)
})
