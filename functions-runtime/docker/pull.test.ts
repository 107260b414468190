import assert from 'node:assert/strict'
import { createHash } from 'node:crypto'
import { once } from 'node:events'
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import { gzipSync } from 'node:zlib'
import { startDocker, whyNoDocker } from '../../src/testing/docker/engine.ts'
import { testEngine, untilReady } from '../../src/testing/docker/function.ts'

/** A registry with one image of one layer, in which there is nothing. */
async function startRegistry() {
  const digestOf = (bytes: Buffer) => `sha256:${createHash('sha256').update(bytes).digest('hex')}`
  const tar = Buffer.alloc(1024)
  const layer = gzipSync(tar)
  const rootfs = { type: 'layers', diff_ids: [digestOf(tar)] }
  const config = Buffer.from(JSON.stringify({ architecture: 'amd64', os: 'linux', config: {}, rootfs }))
  const of = (kind: string, bytes: Buffer) => ({
    mediaType: `application/vnd.docker.${kind}`,
    size: bytes.length,
    digest: digestOf(bytes),
  })
  const mediaType = 'application/vnd.docker.distribution.manifest.v2+json'
  const parts = { config: of('container.image.v1+json', config), layers: [of('image.rootfs.diff.tar.gzip', layer)] }
  const manifest = Buffer.from(JSON.stringify({ schemaVersion: 2, mediaType, ...parts }))
  const blobs = new Map([config, layer, manifest].map((bytes) => [digestOf(bytes), bytes]))
  const server = createServer((req, res) => {
    const path = req.url ?? ''
    const isManifest = path.includes('/manifests/')
    const bytes =
      path === '/v2/' ? Buffer.from('{}') : path.endsWith('/1') ? manifest : blobs.get(path.split('/').at(-1) ?? '')
    if (!bytes) return void res.writeHead(404).end()
    const type = isManifest ? mediaType : 'application/octet-stream'
    res.writeHead(200, {
      'content-type': type,
      'content-length': bytes.length,
      'docker-content-digest': digestOf(bytes),
    })
    res.end(req.method === 'HEAD' ? undefined : bytes)
  })
  await once(server.listen(0, '127.0.0.1'), 'listening')
  return { name: `127.0.0.1:${(server.address() as AddressInfo).port}`, close: () => server.close() }
}

test('an image is pulled, and what is done meanwhile is told', { skip: whyNoDocker() ?? false }, async (t) => {
  const registry = await startRegistry()
  const docker = await startDocker([])
  const dir = mkdtempSync(join(tmpdir(), 'tendril-runtimes-'))
  mkdirSync(join(dir, 'empty'))
  const image = `${registry.name}/languages/empty:1`
  writeFileSync(
    join(dir, 'empty.json'),
    JSON.stringify({ name: 'empty-1', image, shim: 'empty', entrypoint: 'x', start: 'x' }),
  )
  const engine = testEngine({ DOCKER_HOST: docker.url, RUNTIMES_DIR: dir, DOCKER_RUNTIMES: 'empty-1' }, () => {
    told.add(engine.runtimes()[0]?.unavailable ?? null)
  })
  const told = new Set<string | null>()
  t.after(async () => {
    await engine.close()
    await docker.stop()
    registry.close()
    rmSync(dir, { recursive: true })
  })
  await untilReady(engine, 'empty-1')
  assert.ok(told.has(`The image ${image} is being pulled.`), [...told].join('\n'))
  assert.ok(told.has(null))
  await docker.api.ask('GET', `/images/${image}/json`)
})
