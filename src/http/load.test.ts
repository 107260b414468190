import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import { Unavailable } from '../errors.ts'
import { connect, createFixture, type Fixture, poster, read } from '../testing/server.ts'
import { limits } from './limits.ts'
import { createLoad } from './load.ts'

let fixture: Fixture
before(async () => {
  fixture = await createFixture({ DATABASE_POOL: '4' })
})
after(() => fixture.close())

const hello = { query: '{ hello }' }
const guest = { actor: null, projectId: 'p' }
const member = { actor: { kind: 'account', id: 'usr_1', sessionId: 'ses_1', role: 'OWNER' } as const, projectId: 'p' }

/** Holds every connection, with `waiting` statements more behind; answers how to let go. */
async function occupy(waiting: number): Promise<() => Promise<unknown>> {
  const { sql } = fixture.world.app
  const held = await Promise.all(Array.from({ length: 4 }, () => sql.connect()))
  const rest = Array.from({ length: waiting }, () => sql.query('select 1'))
  return () => {
    for (const client of held) client.release()
    return Promise.all(rest)
  }
}

test('with too many waiting, requests are refused at once and told when to come back; health is answered', async () => {
  const { url } = fixture.api
  const post = poster(url)
  const path = `/projects/${fixture.projectId}/graphql`
  // Who they are must be known: finding it out takes a connection.
  for (let i = 0; i < 3; i += 1) {
    await post(hello, undefined, path)
    await sleep(50)
  }
  const socket = await connect(`${url}${path}`)
  const release = await occupy(limits.load.waiting)
  const started = performance.now()
  const response = await post(hello, undefined, path)
  assert.ok(performance.now() - started < 500)
  assert.deepEqual([response.status, response.headers.get('retry-after')], [503, '1'])
  const { code, retryAfterMs } = (await read(response)).errors[0].extensions
  assert.deepEqual([code, retryAfterMs], ['UNAVAILABLE', limits.load.retryAfterMs])
  socket.send({ id: '1', type: 'subscribe', payload: hello })
  assert.match(JSON.stringify((await socket.received(2))[1]), /UNAVAILABLE/)
  for (const health of ['/health', '/health/ready']) assert.equal((await fetch(url + health)).status, 200)
  await release()
  assert.equal((await post(hello, undefined, path)).status, 200)
  socket.socket.terminate()
})

test('members of a project are let in for longer', async () => {
  const load = createLoad(fixture.world.app)
  let release = await occupy(limits.load.waiting)
  assert.throws(() => load.admit(guest), Unavailable)
  load.admit(member)
  await release()
  load.admit(guest)
  release = await occupy(limits.load.waiting * limits.load.membersTimes)
  assert.throws(() => load.admit(member), Unavailable)
  await release()
  load.close()
})

test('an event loop that stays behind refuses; one long step does not', async () => {
  const load = createLoad(fixture.world.app)
  const block = (ms: number) => {
    for (const until = performance.now() + ms; performance.now() < until; );
  }
  const isRefused = () => {
    try {
      load.admit(guest)
      return false
    } catch (error) {
      return error instanceof Unavailable
    }
  }
  await sleep(500)
  block(1_500)
  await sleep(10)
  const afterOneStep = isRefused()
  const busy = setInterval(() => block(900), 1)
  await sleep(4_000)
  const behind = isRefused()
  clearInterval(busy)
  await sleep(1_500)
  assert.deepEqual([afterOneStep, behind, isRefused()], [false, true, false])
  load.close()
})

test('whoever waits for a connection too long hears of it', async () => {
  const release = await occupy(0)
  const started = performance.now()
  await assert.rejects(fixture.world.app.sql.query('select 1'), /timeout exceeded when trying to connect/)
  const ms = performance.now() - started
  assert.ok(ms > 4_000 && ms < 8_000, `${ms} ms`)
  await release()
})

test('a project that asks for much at once is served bit by bit; others and its own members are not kept waiting', async () => {
  const load = createLoad(fixture.world.app)
  const other = { actor: null, projectId: 'q' }
  let running = 0
  let most = 0
  const slow = async () => {
    running += 1
    most = Math.max(most, running)
    await sleep(5)
    running -= 1
  }
  await load.run(guest, async () => {})
  assert.equal(await load.run(other, async () => 'served'), 'served')
  const noisy = Promise.all(Array.from({ length: 100 }, () => load.run(guest, slow)))
  assert.equal(await load.run(other, async () => 'served'), 'served')
  assert.equal(await load.run(member, async () => 'served'), 'served')
  assert.equal(running, limits.load.beside)
  await noisy
  assert.equal(most, limits.load.beside)
  const path = `/projects/${fixture.projectId}/graphql`
  const post = poster(fixture.api.url)
  const responses = await Promise.all(
    Array.from({ length: 30 }, () => post({ query: '{ slow(ms: 5) }' }, undefined, path)),
  )
  assert.ok(responses.every(({ status }) => status === 200))
  load.close()
})
