/** An engine on another machine, by TCP and TLS. */
import assert from 'node:assert/strict'
import { copyFileSync, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before, describe, test } from 'node:test'
import { makeCertificates } from '../../src/testing/docker/certificates.ts'
import { startDocker, type TestDocker, whyNoDocker } from '../../src/testing/docker/engine.ts'
import { buildFunction, testEngine, untilReady } from '../../src/testing/docker/function.ts'
import { createDockerApi } from './api.ts'

const runtime = 'node-22'

describe('an engine that is reached by TLS', { skip: whyNoDocker() ?? false }, () => {
  let docker: TestDocker
  const others = mkdtempSync(join(tmpdir(), 'tendril-certificates-'))
  before(async () => {
    docker = await startDocker([runtime], { isRemote: true })
    makeCertificates(others)
  })
  after(async () => {
    await docker?.stop()
    rmSync(others, { recursive: true, force: true })
  })

  test('builds and runs functions', async () => {
    const engine = testEngine({
      DOCKER_HOST: docker.url,
      DOCKER_CERT_PATH: docker.certificates ?? '',
      DOCKER_RUNTIMES: runtime,
    })
    try {
      await untilReady(engine, runtime)
      const it = await buildFunction(engine, runtime, 'javascript', 'main.ts')
      const { end, text } = await it.run('/hello')
      assert.deepEqual([end.failure, end.response?.status], [null, 201], text)
    } finally {
      await engine.close()
    }
  })

  test('who shows no certificate of its authority, or another one’s, is refused, and an engine that shows another one’s too', async () => {
    const ask = (certificates: string | null) => createDockerApi(docker.url, certificates).ask('GET', '/version')
    assert.ok(await ask(docker.certificates))
    await assert.rejects(ask(null), { status: 400, message: /HTTP request to an HTTPS server/ })
    await assert.rejects(ask(others), { status: 0, message: /certificate/ })
    // It knows the engine by its authority, and is known to nobody.
    copyFileSync(join(docker.certificates ?? '', 'ca.pem'), join(others, 'ca.pem'))
    await assert.rejects(ask(others), {
      status: 0,
      message: /^No Docker Engine answers at tcp:.*(unknown|certificate)/,
    })
  })
})
