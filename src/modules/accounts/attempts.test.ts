import assert from 'node:assert/strict'
import { after, before, describe, test } from 'node:test'
import { type App, createApp } from '../../app.ts'
import type { Context } from '../../context.ts'
import { Invalid, LimitExceeded, Unauthenticated } from '../../errors.ts'
import { type RedisServers, startRedisCluster } from '../../testing/redis-servers.ts'
import { createWorld, type World } from '../../testing/world.ts'
import { signIn, signUp, updateAccount } from './accounts.ts'
import { attemptLimits } from './attempts.ts'

const { passwordsHere, passwordsOfAddress, passwordsOfPlace, passwordMs, signUpsOfPlace } = attemptLimits
const right = 'correct horse'

let redis: RedisServers
let world: World
let second: App
let projectId: string
let other: string
before(async () => {
  redis = await startRedisCluster()
  world = await createWorld({ REDIS_URL: redis.url })
  second = await createApp(world.env, 'second')
  projectId = (await world.createProject()).projectId
  other = (await world.createProject()).projectId
})
after(async () => {
  await second.close()
  await world.close()
  await redis.stop()
})

/** A guest who comes from there, to one of the nodes. */
const from = (ip: string, node: App = world.app, project = projectId): Context => ({
  ...world.context(project),
  ...node,
  client: { ip, userAgent: 'test' },
})
const later = (ctx: Context): Context => ({ ...ctx, clock: () => new Date(Date.now() + passwordMs) })
const wrong = (ctx: Context, email: string) => signIn(ctx, { email, password: 'wrong horse' })
const createUser = (email: string) => signUp(from('192.0.2.200'), { email, password: right })

/** What so many at once are told, by its words. */
async function told(count: number, attempt: (i: number) => Promise<unknown>): Promise<Record<string, number>> {
  const results = await Promise.allSettled(Array.from({ length: count }, (_, i) => attempt(i)))
  const words = results.map((result) => (result.status === 'fulfilled' ? 'ok' : String(result.reason.message)))
  return Object.fromEntries([...new Set(words)].map((word) => [word, words.filter((other) => other === word).length]))
}

const refused = 'This address and password do not match.'
const limited = 'There were too many wrong passwords. Try again in 15 minutes.'
const tooMuch = 'This project asks for more than its share right now. Try again.'

describe('signIn', () => {
  test('limited: for an address from a place, on two nodes together, whether or not anybody has it', async () => {
    await createUser('ann@example.org')
    for (const [i, email] of ['ann@example.org', 'nobody@example.org'].entries()) {
      const ip = `192.0.2.${i}`
      const answers = await told(60, (n) => wrong(from(ip, n % 2 ? world.app : second), email))
      assert.deepEqual(answers, { [refused]: passwordsHere, [limited]: 60 - passwordsHere })
      const error = await signIn(from(ip), { email, password: right }).catch((error) => error)
      assert.ok(error instanceof LimitExceeded)
      assert.ok(error.retryAfterMs && error.retryAfterMs > passwordMs - 60_000 && error.retryAfterMs <= passwordMs)
    }
  })

  test('ok: after the pause, from elsewhere, for other addresses, and in other projects', async () => {
    const place = '192.0.2.10'
    await createUser('bob@example.org')
    await createUser('bill@example.org')
    await signUp(from(place, second, other), { email: 'bob@example.org', password: right })
    await told(20, () => wrong(from(place), 'bob@example.org'))
    const input = { email: 'bob@example.org', password: right }
    await assert.rejects(signIn(from(place), input), LimitExceeded)
    await signIn(from(place), { ...input, email: 'bill@example.org' })
    await signIn(from('192.0.2.11'), input)
    await signIn(from(place, world.app, other), input)
    await signIn(later(from(place)), input)
  })

  test('right passwords are not counted', async () => {
    await createUser('cleo@example.org')
    const ctx = from('192.0.2.20')
    for (let i = 0; i < passwordsHere + 2; i++) await signIn(ctx, { email: 'cleo@example.org', password: right })
    await assert.rejects(wrong(ctx, 'cleo@example.org'), Unauthenticated)
  })

  test('limited: for an address from all places, but where it has signed in before', async () => {
    await createUser('dora@example.org')
    const input = { email: 'dora@example.org', password: right }
    await signIn(from('192.0.2.30'), input)
    const answers = await told(passwordsOfAddress + 5, (i) => wrong(from(`198.51.100.${i}`), input.email))
    assert.deepEqual(answers, { [refused]: passwordsOfAddress, [limited]: 5 })
    await assert.rejects(signIn(from('192.0.2.31'), input), LimitExceeded)
    await signIn(from('192.0.2.30', second), input)
    await signIn(later(from('192.0.2.31')), input)
  })

  test('limited: from one place, a /64 of IPv6, for all addresses that have not signed in from it', async () => {
    const input = { email: 'emil@example.org', password: right }
    await signUp(from('2001:db8::1'), input)
    const answers = await told(passwordsOfPlace + 5, (i) => wrong(from(`2001:db8::a:${i}`), `e${i}@example.org`))
    assert.deepEqual(answers, { [refused]: passwordsOfPlace, [limited]: 5 })
    await assert.rejects(wrong(from('2001:db8::2'), 'fritz@example.org'), LimitExceeded)
    await signIn(from('2001:db8::2'), input)
    await assert.rejects(wrong(from('2001:db8:0:1::2'), 'fritz@example.org'), Unauthenticated)
  })

  test('one place cannot shut an address for all others', async () => {
    await createUser('gina@example.org')
    const answers = await told(3 * passwordsOfAddress, () => wrong(from('192.0.2.40'), 'gina@example.org'))
    // So many at once are more than a project's share of a busy node, and some may be told that.
    const { [refused]: tried, ...others } = answers
    assert.equal(tried, passwordsHere)
    assert.deepEqual(
      Object.keys(others).filter((words) => words !== tooMuch),
      [limited],
    )
    await signIn(from('192.0.2.41'), { email: 'gina@example.org', password: right })
  })

  test('without Redis all of this is the same', async () => {
    for (const server of redis.servers) server.kill()
    const answers = await told(40, (n) => wrong(from('192.0.2.50', n % 2 ? world.app : second), 'hugo@example.org'))
    assert.deepEqual(answers, { [refused]: passwordsHere, [limited]: 40 - passwordsHere })
  })
})

test('updateAccount: wrong present passwords count with those of signIn', async () => {
  const { user } = await createUser('ida@example.org')
  const you: Context = {
    ...from('192.0.2.60'),
    actor: { kind: 'user', id: user.id, sessionId: 'ses_1', verified: false, labels: [] },
  }
  const change = (currentPassword: string) =>
    updateAccount(you, { name: 'Ida', password: 'new horse', currentPassword })
  for (let i = 0; i < passwordsHere - 1; i++) await assert.rejects(change('wrong horse'), Invalid)
  await change(right)
  await assert.rejects(change('wrong horse'), Invalid)
  await assert.rejects(change('new horse'), LimitExceeded)
  await assert.rejects(wrong(from('192.0.2.60'), user.email), LimitExceeded)
})

test('signUp: limited from one place', async () => {
  const answers = await told(signUpsOfPlace + 3, (i) =>
    signUp(from('192.0.2.70'), { email: i < 2 ? `u${i}@example.org` : 'u0@example.org', password: right }),
  )
  assert.equal(answers['There were too many sign-ups. Try again in 60 minutes.'], 3)
  await signUp(from('192.0.2.71'), { email: 'julia@example.org', password: right })
})
