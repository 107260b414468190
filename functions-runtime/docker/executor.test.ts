import assert from 'node:assert/strict'
import { randomUUID } from 'node:crypto'
import { test } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import { startDocker, whyNoDocker } from '../../src/testing/docker/engine.ts'
import { archiveOf } from '../../src/testing/docker/function.ts'
import { startExecutor } from '../testing/executor.ts'

test('an executor builds and runs in containers, and none outlives it', { skip: whyNoDocker() ?? false }, async (t) => {
  const runtime = 'python-3.11'
  const docker = await startDocker([runtime])
  const executor = await startExecutor({ DOCKER_HOST: docker.url, DOCKER_RUNTIMES: runtime })
  t.after(async () => {
    await executor.stop()
    await docker.stop()
  })
  const caller = await executor.connect()
  const stateOf = async () => {
    const { head } = await caller.next('welcome')
    return head.runtimes.find(({ name }) => name === runtime)
  }
  let state = await stateOf()
  while (state?.unavailable) state = await stateOf()
  assert.deepEqual(state, { name: runtime, engine: 'docker', unavailable: null, entrypoint: 'main.py' })

  const frame = { kind: 'build', id: randomUUID(), tenant: 'prj_test', runtime, entrypoint: 'main.py' } as const
  caller.send({ ...frame, command: 'echo building', variables: {}, timeoutMs: 60_000 }, archiveOf('python'))
  assert.equal((await caller.next('line')).head.line.text, 'building')
  const built = await caller.next('built')
  assert.equal(built.head.error, null)

  const program = { runtime, entrypoint: 'main.py' }
  const limits = { timeoutMs: 60_000, memoryMb: 128 }
  const asked = { program, limits, variables: { NAME: 'Ada' }, request: { url: '/env' } }
  const { text, end } = await caller.run(built.body, asked)
  assert.deepEqual([text, end.failure, end.isCold], ['Ada Ada', null, true])
  // What it asks of the world goes to the broker, which refuses what is no public address.
  const fetched = await caller.run(built.body, { ...asked, request: { url: '/loopback' } })
  assert.match(fetched.text, /not allowed|private|refused|public/i)

  const containers = () => docker.api.ask<unknown[]>('GET', '/containers/json')
  assert.equal((await containers()).length, 1)
  await executor.stop()
  for (let tries = 0; (await containers()).length > 0; tries++) {
    if (tries === 100) assert.fail('A container has outlived its executor.')
    await sleep(100)
  }
})
