/** What is left on an engine, and what is taken away from it. */
import assert from 'node:assert/strict'
import { text } from 'node:stream/consumers'
import { after, before, describe, test } from 'node:test'
import { startDocker, type TestDocker, whyNoDocker } from '../../src/testing/docker/engine.ts'
import { buildFunction, type TestFunction, testEngine, untilReady } from '../../src/testing/docker/function.ts'
import type { DockerEngine } from './engine.ts'
import { prepareFunction } from './images.ts'

const runtime = 'python-3.11'

describe('images and containers on an engine', { skip: whyNoDocker() ?? false }, () => {
  let docker: TestDocker
  let engine: DockerEngine
  let it: TestFunction
  before(async () => {
    docker = await startDocker([runtime])
    engine = testEngine({ DOCKER_HOST: docker.url, DOCKER_RUNTIMES: runtime })
    await untilReady(engine, runtime)
    it = await buildFunction(engine, runtime, 'python', 'main.py')
    await it.run('/env')
  })
  after(async () => {
    await engine?.close()
    await docker?.stop()
  })

  /** Another adapter on the same engine, and the function on it. */
  const other = async (work: (it: TestFunction, engine: DockerEngine) => Promise<void>) => {
    const second = testEngine({ DOCKER_HOST: docker.url, DOCKER_RUNTIMES: runtime })
    try {
      await untilReady(second, runtime)
      await work(await buildFunction(second, runtime, 'python', 'main.py'), second)
    } finally {
      await second.close()
    }
  }

  test('what another run could not have is asked for again by those who waited for it too', async () => {
    const filters = encodeURIComponent(JSON.stringify({ label: ['tendril.kind=runtime'] }))
    const [image] = await docker.api.ask<{ Id: string }[]>('GET', `/images/json?filters=${filters}`)
    const prepare = (artefact: () => Promise<Buffer>) =>
      prepareFunction(docker.api, image?.Id ?? '', 'shared', artefact)
    const first = prepare(() => Promise.reject(new Error('given up')))
    const others = [prepare(async () => it.artefact), prepare(async () => it.artefact)]
    await assert.rejects(first, /given up/)
    assert.equal(new Set(await Promise.all(others)).size, 1)
  })

  test('containers of an executor that is gone are removed', async () => {
    const create = (executor: string) => {
      const labels = { 'tendril.kind': 'run', 'tendril.executor': executor }
      const config = {
        Image: 'python:3.11-slim',
        Cmd: ['sleep', '60'],
        Labels: labels,
        HostConfig: { NetworkMode: 'none' },
      }
      return docker.api.ask<{ Id: string }>('POST', '/containers/create', config)
    }
    const { hostname } = await import('node:os')
    const gone = await create(`${hostname()}/4194304/x`)
    const alive = await create(`${hostname()}/1/x`)
    await other(async () => {
      await assert.rejects(docker.api.ask('GET', `/containers/${gone.Id}/json`), /No such container/)
      await docker.api.ask('GET', `/containers/${alive.Id}/json`)
    })
    await docker.api.ask('DELETE', `/containers/${alive.Id}?force=true`)
  })

  test('every container says whose it is, so that it is removed when its executor is no more', async () => {
    const filters = encodeURIComponent(JSON.stringify({ type: ['container'], event: ['create'] }))
    const until = Math.ceil(Date.now() / 1000)
    const events = await docker.api.send('GET', `/events?since=0&until=${until}&filters=${filters}`, null)
    const lines = (await text(events)).trim().split('\n')
    const labels = lines.map(
      (line) => (JSON.parse(line) as { Actor: { Attributes: Record<string, string> } }).Actor.Attributes,
    )
    const kinds = new Map(labels.map((of) => [of['tendril.kind'], of['tendril.executor']]))
    for (const kind of ['runtime', 'function', 'build', 'run']) assert.ok(kinds.get(kind), kind)
  })

  test('images that the operator of the engine has removed are made again', async () => {
    await other(async (function_, second) => {
      await function_.run('/env')
      const running = await docker.api.ask<{ Id: string }[]>('GET', '/containers/json')
      for (const { Id } of running) await docker.api.ask('DELETE', `/containers/${Id}?force=true`)
      const filters = encodeURIComponent(JSON.stringify({ label: ['tendril.kind'] }))
      const images = await docker.api.ask<{ RepoTags: string[] | null }[]>('GET', `/images/json?filters=${filters}`)
      for (const tag of images.flatMap(({ RepoTags }) => RepoTags ?? [])) {
        await docker.api.ask('DELETE', `/images/${tag}?force=true`)
      }
      await assert.rejects(function_.run('/env'), { reason: 'UNAVAILABLE' })
      await untilReady(second, runtime)
      assert.equal((await function_.run('/env')).text, 'Ada Ada')
    })
  })
})
