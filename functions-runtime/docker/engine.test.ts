import assert from 'node:assert/strict'
import { symlinkSync } from 'node:fs'
import { after, before, describe, test } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import { startDocker, type TestDocker, whyNoDocker } from '../../src/testing/docker/engine.ts'
import { buildFunction, type TestFunction, testEngine, untilReady } from '../../src/testing/docker/function.ts'
import type { DockerEngine } from './engine.ts'

const runtime = 'python-3.11'

test('without an engine, what needs one says so', async () => {
  const none = testEngine({})
  const [state] = none.runtimes()
  assert.equal(state?.engine, 'docker')
  assert.equal(
    state?.unavailable,
    'No Docker Engine is configured: set DOCKER_HOST; with `npm start`, DOCKER_RUNTIMES as well.',
  )
  const absent = testEngine({ DOCKER_HOST: 'unix:///nonexistent/docker.sock' })
  await sleep(100)
  assert.match(
    absent.runtimes()[0]?.unavailable ?? '',
    /^No Docker Engine answers at unix:\/\/\/nonexistent\/docker\.sock: /,
  )
  await Promise.all([none.close(), absent.close()])
})

describe('functions in containers', { skip: whyNoDocker() ?? false }, () => {
  let docker: TestDocker
  let engine: DockerEngine
  let it: TestFunction
  before(async () => {
    docker = await startDocker([runtime])
    engine = testEngine({ DOCKER_HOST: docker.url, DOCKER_RUNTIMES: `${runtime},node-22` })
    await untilReady(engine, runtime)
    it = await buildFunction(engine, runtime, 'python', 'main.py')
  })
  after(async () => {
    await engine?.close()
    await docker?.stop()
  })

  type Listed = { Id: string; Labels: Record<string, string> }
  const containers = () => docker.api.ask<Listed[]>('GET', '/containers/json')
  const untilThereAre = async (count: number) => {
    for (let tries = 0; (await containers()).length !== count; tries++) {
      if (tries === 100) assert.fail(`There are ${(await containers()).length} containers, not ${count}.`)
      await sleep(100)
    }
  }
  /** Another adapter on the same engine, and the function on it. */
  const other = async (
    env: Record<string, string>,
    work: (it: TestFunction, engine: DockerEngine) => Promise<void>,
  ) => {
    const second = testEngine({ DOCKER_HOST: docker.url, DOCKER_RUNTIMES: runtime, ...env })
    try {
      await untilReady(second, runtime)
      await work(await buildFunction(second, runtime, 'python', 'main.py'), second)
    } finally {
      await second.close()
    }
  }

  test('an image that cannot be had is told, and the others run', async () => {
    const state = engine.runtimes().find(({ name }) => name === 'node-22')
    for (let tries = 0; tries < 100 && !state?.unavailable?.includes('could not'); tries++) {
      await sleep(100)
      if (engine.runtimes().some(({ unavailable }) => unavailable?.includes('could not'))) break
    }
    const told = engine.runtimes().map(({ name, unavailable }) => [name, unavailable] as const)
    assert.match(new Map(told).get('node-22') ?? '', /^The image node:22-slim could not be had: /)
    assert.equal(new Map(told).get(runtime), null)
  })

  test('a container is kept for the next run', async () => {
    const cold = await it.run('/env')
    assert.deepEqual([cold.text, cold.end.isCold], ['Ada Ada', true])
    const warm = await it.run('/env')
    assert.deepEqual([warm.text, warm.end.isCold], ['Ada Ada', false])
    assert.ok(warm.end.durationMs < cold.end.durationMs)
  })

  test('runs at once have a container each, and one image', async () => {
    const images = () => docker.api.ask<{ RepoTags: string[] | null }[]>('GET', '/images/json?all=true')
    const before = (await images()).length
    await other({}, async (several) => {
      const ends = await Promise.all([1, 2, 3].map(() => several.run('/env')))
      assert.deepEqual(
        ends.map(({ text, end }) => [text, end.isCold]),
        [1, 2, 3].map(() => ['Ada Ada', true]),
      )
    })
    assert.ok((await images()).length <= before + 1)
  })

  test('one run too long is killed with its container', async () => {
    const { end } = await it.run('/loop', { timeoutMs: 300 })
    assert.equal(end.failure?.reason, 'TIMEOUT')
    const next = await it.run('/env')
    assert.deepEqual([next.text, next.end.isCold], ['Ada Ada', true])
  })

  test('more headers than an answer may have are none: they would end the connection to its caller, and all that runs there', async () => {
    for (const isStreamed of [false, true]) {
      const { end, head } = await it.run('/headers', { isStreamed })
      assert.deepEqual(
        [end.failure?.reason, end.failure?.message, head],
        ['INVALID_ANSWER', 'An answer may have 64 headers, and 16 KB of them.', null],
      )
    }
  })

  test('one whose streamed answer is refused at its beginning answers no other run with the rest of it', async () => {
    const { end } = await it.run('/headers-of-stream', { isStreamed: true })
    assert.equal(end.failure?.reason, 'INVALID_ANSWER')
    const next = await it.run('/env')
    assert.deepEqual([next.text, next.end.isCold], ['Ada Ada', true])
  })

  test('one nobody waits for is killed with its container', async () => {
    const stop = new AbortController()
    setTimeout(() => stop.abort(), 300)
    const begun = performance.now()
    await it.run('/loop', { signal: stop.signal })
    assert.ok(performance.now() - begun < 5_000)
    assert.equal((await it.run('/env')).end.isCold, true)
  })

  test('one that is given up while its container starts is over at once', async () => {
    const stop = new AbortController()
    setTimeout(() => stop.abort(), 10)
    const begun = performance.now()
    await assert.rejects(it.run('/env', { deploymentId: 'dep_given_up', signal: stop.signal }), /Nobody waits/)
    assert.ok(performance.now() - begun < 200)
  })

  test('there is no network, no privilege and nothing to write to but /tmp', async () => {
    assert.match((await it.run('/network')).text, /^refused: .*unreachable/)
    assert.deepEqual(JSON.parse((await it.run('/walls')).text), {
      uid: 65534,
      capabilities: ['0000000000000000', '0000000000000000', '0000000000000000'],
      noNewPrivileges: '1',
      interfaces: ['lo'],
      written: { '/': false, '/function': false, '/tendril': false, '/etc': false, '/tmp': true },
      sockets: [],
    })
  })

  test('too large an answer, too many lines, no status and what is no frame are refused', async () => {
    const reasonOf = async (path: string) => (await it.run(path)).end.failure
    assert.deepEqual(
      [(await reasonOf('/huge'))?.reason, (await reasonOf('/huge'))?.message],
      ['TOO_LARGE', 'The answer is larger than 6 MB.'],
    )
    assert.equal(
      (await reasonOf('/status'))?.message,
      'The status of an answer must be a whole number from 200 to 599.',
    )
    const { end } = await it.run('/flood')
    assert.deepEqual([end.response?.status, end.logs.length, end.logsDropped], [204, 1_000, 2_000])
    assert.equal(
      (await reasonOf('/garbage'))?.message,
      'The container wrote something that is no frame, or too large a one.',
    )
    assert.equal((await it.run('/env')).text, 'Ada Ada')
  })

  test('a container that is killed during a run ends that run', async () => {
    await it.run('/env', { deploymentId: 'dep_killed' })
    const running = it.run('/wait', { deploymentId: 'dep_killed' })
    await sleep(200)
    for (const { Id } of await containers()) await docker.api.ask('POST', `/containers/${Id}/kill`)
    const { failure } = (await running).end
    assert.equal(failure?.reason, 'CRASHED')
    assert.match(failure?.message ?? '', /ended with code 137 before/)
  })

  test('what has nothing to do is removed', async () => {
    await engine.close()
    await untilThereAre(0)
    await other({ DOCKER_IDLE_SECONDS: '1' }, async (idle) => {
      await idle.run('/env')
      await untilThereAre(1)
      await untilThereAre(0)
      assert.equal((await idle.run('/env')).end.isCold, true)
    })
  })

  test('there are never more than are allowed', async () => {
    await other({ DOCKER_CONTAINERS: '2' }, async (few) => {
      for (const deploymentId of ['one', 'two', 'three']) await few.run('/env', { deploymentId })
      await untilThereAre(2)
      assert.equal((await few.run('/env', { deploymentId: 'three' })).end.isCold, false)
      assert.equal((await few.run('/env', { deploymentId: 'one' })).end.isCold, true)
    })
  })

  test('two tenants with long runs leave room for a third, who finds it with warm containers too', async () => {
    await other({ DOCKER_CONTAINERS: '4' }, async (few) => {
      const stop = new AbortController()
      const long = (tenant: string) =>
        ['one', 'two', 'three', 'four'].map((deploymentId) =>
          few.run('/wait', { signal: stop.signal, timeoutMs: 60_000, tenant, deploymentId }),
        )
      const greedy = long('prj_greedy')
      await untilThereAre(2)
      greedy.push(...long('prj_other'))
      await untilThereAre(3)
      assert.equal((await few.run('/env', { tenant: 'prj_modest' })).text, 'Ada Ada')
      assert.equal((await containers()).length, 4)
      stop.abort()
      await Promise.allSettled(greedy)
    })
    await other({ DOCKER_CONTAINERS: '4' }, async (few) => {
      const both = (path: string, deploymentId: string, signal?: AbortSignal) =>
        [1, 2].map(() => few.run(path, { deploymentId, timeoutMs: 60_000, ...(signal ? { signal } : {}) }))
      await Promise.all(both('/env', 'one'))
      await Promise.all(both('/env', 'two'))
      await untilThereAre(4)
      const stop = new AbortController()
      const greedy = [...both('/wait', 'one', stop.signal), ...both('/wait', 'two', stop.signal)]
      const modest = ['prj_second', 'prj_third'].map((tenant) => few.run('/env', { tenant }))
      assert.deepEqual(
        (await Promise.all(modest)).map(({ text }) => text),
        ['Ada Ada', 'Ada Ada'],
      )
      stop.abort()
      await Promise.allSettled(greedy)
    })
  })

  test('two engines share the deployments', async () => {
    const path = docker.url.slice('unix://'.length)
    symlinkSync(path, `${path}.second`)
    await other({ DOCKER_HOSTS: `${docker.url},${docker.url}.second` }, async (shared, both) => {
      let deployments = 0
      // Where one goes is a matter of its name.
      for (; deployments < 20 && both.loads().includes(0); deployments++) {
        await shared.run('/env', { deploymentId: `dep_${deployments}` })
      }
      assert.ok(!both.loads().includes(0), `All ${deployments} on one engine.`)
      assert.equal((await shared.run('/env', { deploymentId: 'dep_0' })).end.isCold, false)
    })
  })

  // Last: from here on the engine is another one.
  test('an engine that goes away fails its runs as to be tried again, and is used when it is back', async () => {
    await other({}, async (function_, second) => {
      await Promise.all([1, 2, 3, 4, 5, 6].map(() => function_.run('/env')))
      const running = function_.run('/wait')
      await sleep(200)
      await docker.halt()
      assert.match((await running).end.failure?.reason ?? '', /^(UNAVAILABLE|CRASHED)$/)
      await assert.rejects(function_.run('/env'), { reason: 'UNAVAILABLE' })
      assert.match(second.runtimes()[0]?.unavailable ?? '', /^No Docker Engine answers at /)
      await docker.start()
      await untilReady(second, runtime)
      assert.equal((await function_.run('/env')).text, 'Ada Ada')
      // Those that were over while it was away are removed, too.
      const all = await docker.api.ask<Listed[]>('GET', '/containers/json?all=true')
      assert.equal(all.length, 1)
    })
  })
})
