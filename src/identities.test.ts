import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import { startRelay } from '../workers/relay.ts'
import { type App, createApp } from './app.ts'
import { authenticate } from './authenticate.ts'
import type { Context } from './context.ts'
import { NotFound, Unauthenticated } from './errors.ts'
import { changesQuery, createIdentities, type Identities } from './identities.ts'
import { signIn, signOut, signUp } from './modules/accounts/accounts.ts'
import { createKey, deleteKey } from './modules/keys/keys.ts'
import { addMember, removeMember } from './modules/members/members.ts'
import { updateUser } from './modules/users/users.ts'
import { createPool } from './platform/db.ts'
import { oldUntil } from './testing/outdated.ts'
import { createWorld, type World } from './testing/world.ts'

let world: World
let second: App
let projectId: string
let owner: Context
before(async () => {
  world = await createWorld()
  second = await createApp(world.env, 'second')
  const made = await world.createProject()
  projectId = made.projectId
  owner = made.ownerAtConsole
})
after(async () => {
  await second.close()
  await world.close()
})

const as = (app: App, secret: string | null, project = projectId) =>
  authenticate(app, {
    projectId: project,
    authorization: secret === null ? null : `Bearer ${secret}`,
    requestId: 'r',
    ip: '127.0.0.1',
    userAgent: 'test',
  })

/** How many statements a piece of work sends through the app's pool. */
async function statements(app: App, work: () => Promise<unknown>): Promise<number> {
  const { query } = app.sql
  let count = 0
  app.sql.query = ((...args: Parameters<typeof query>) => {
    count += 1
    return query.apply(app.sql, args)
  }) as typeof query
  await work().finally(() => {
    app.sql.query = query
  })
  return count
}

const patienceMs = 10_000

const refusedAfter = (app: App, secret: string) =>
  oldUntil(
    () => as(app, secret).catch((error) => error),
    (answer) => !(answer instanceof Unauthenticated),
  )

/** Asks until it is remembered, which is not before what has changed has been looked at. */
async function warm(app: App, secret: string | null, project = projectId) {
  const ask = () => statements(app, () => as(app, secret, project))
  for (const until = performance.now() + patienceMs; (await ask()) > 0; await sleep(10))
    assert.ok(performance.now() < until, 'it is not remembered')
}

let made = 0
const newUser = async (project = projectId) => {
  const email = `user${++made}@example.org`
  return { email, ...(await signUp(world.context(project), { email, password: 'correct horse' })) }
}
const newKey = () => createKey(owner, { projectId, name: `key ${++made}`, scopes: ['users.read'] })

test('who comes again is known without a statement: guests, sessions, keys and accounts', async () => {
  const { secret } = await newUser()
  const account = await newUser('console')
  await addMember(owner, { projectId, email: account.email, role: 'DEVELOPER' })
  const key = await newKey()
  for (const credential of [null, secret, key.secret, account.secret]) await warm(second, credential)
})

const revocations: Record<string, () => Promise<{ secret: string; revoke: () => Promise<unknown> }>> = {
  'a user who signs out': async () => {
    const { secret } = await newUser()
    return { secret, revoke: async () => signOut(await as(world.app, secret)) }
  },
  'a user who is blocked': async () => {
    const { secret, user } = await newUser()
    const system = world.context(projectId, { kind: 'system', id: 'test' })
    return { secret, revoke: () => updateUser(system, user.id, { status: 'BLOCKED' }) }
  },
  'a user whose password is set': async () => {
    const { secret, user } = await newUser()
    const system = world.context(projectId, { kind: 'system', id: 'test' })
    return { secret, revoke: () => updateUser(system, user.id, { password: 'battery staple' }) }
  },
  'a key that is deleted': async () => {
    const { secret, key } = await newKey()
    return { secret, revoke: () => deleteKey(owner, key.id) }
  },
  'an account that leaves the project': async () => {
    const { secret, email } = await newUser('console')
    const { id } = await addMember(owner, { projectId, email, role: 'DEVELOPER' })
    return { secret, revoke: () => removeMember(owner, id) }
  },
  'the first session, as the eleventh begins': async () => {
    const { secret, email } = await newUser()
    const again = () => signIn(world.context(projectId), { email, password: 'correct horse' })
    for (let i = 0; i < 9; i += 1) await again()
    return { secret, revoke: again }
  },
}

for (const [name, arrange] of Object.entries(revocations)) {
  test(`${name} is refused at once here, and within a second on another node, relay or not`, async (t) => {
    for (const withRelay of [false, true]) {
      const { secret, revoke } = await arrange()
      for (const app of [world.app, second]) await warm(app, secret)
      const relay = withRelay ? startRelay(world.app) : null
      try {
        await revoke()
        await assert.rejects(as(world.app, secret), Unauthenticated)
        const ms = await refusedAfter(second, secret)
        t.diagnostic(`${withRelay ? 'with' : 'without'} a relay: ${ms.toFixed(0)} ms`)
        assert.ok(ms < 1_000, `${ms} ms`)
      } finally {
        await relay?.stop()
      }
    }
  })
}

test('labels that change reach another node within a second', async () => {
  const { secret, user } = await newUser()
  await warm(second, secret)
  await updateUser(world.context(projectId, { kind: 'system', id: 'test' }), user.id, { labels: ['vip'] })
  const labels = async () => {
    const { actor } = await as(second, secret)
    return actor?.kind === 'user' ? actor.labels.join() : null
  }
  const ms = await oldUntil(labels, (answer) => answer === '')
  assert.ok(ms < 1_000, `${ms} ms`)
  assert.equal(await labels(), 'vip')
})

test('a key and a session end when they expire, remembered or not', async () => {
  const { secret } = await newUser()
  const key = await createKey(owner, {
    projectId,
    name: 'short',
    scopes: [],
    expiresAt: new Date(Date.now() + 60_000),
  })
  for (const credential of [secret, key.secret]) await warm(second, credential)
  const later = { ...second, clock: () => new Date(Date.now() + 366 * 24 * 3_600_000) }
  for (const credential of [secret, key.secret]) await assert.rejects(as(later, credential), Unauthenticated)
})

test('what is refused is not remembered: a member is let in at once, a project that is made is there', async () => {
  const { secret, email } = await newUser('console')
  for (const app of [world.app, second]) await assert.rejects(as(app, secret), Unauthenticated)
  await addMember(owner, { projectId, email, role: 'DEVELOPER' })
  for (const app of [world.app, second]) assert.equal((await as(app, secret)).actor?.kind, 'account')
  await assert.rejects(as(second, null, 'prj_new'), NotFound)
  await world.app.db.project.create({ data: { id: 'prj_new', name: 'New' } })
  assert.equal((await as(second, null, 'prj_new')).actor, null)
})

/** A reader of its own, warmed up, and what it reads. */
async function withIdentities(work: (identities: Identities, find: () => Promise<number>) => Promise<void>, url = '') {
  const sql = createPool(url || world.env.DATABASE_URL, 1)
  const identities = createIdentities({ sql, log: world.app.log })
  let reads = 0
  const read = async () => {
    reads += 1
    return { found: reads, ids: ['thing'], expiresAt: null }
  }
  const find = async () => (await identities.find('name', new Date(), read)).found
  await work(identities, find)
  await identities.close()
  await sql.end()
}

/** What is found again and again, once it is remembered. */
async function keep(find: () => Promise<number>): Promise<number> {
  const until = performance.now() + patienceMs
  for (let [last, found] = [await find(), await find()]; ; [last, found] = [found, await find()]) {
    if (last === found) return found
    assert.ok(performance.now() < until, 'it is not remembered')
    await sleep(10)
  }
}

test('what was being read while it changed is not kept', () =>
  withIdentities(async (identities, find) => {
    const kept = await keep(find)
    identities.forget(['thing'])
    let finish = () => {}
    const slow = new Promise<void>((resolve) => {
      finish = resolve
    })
    const stale = identities.find('name', new Date(), async () => {
      await slow
      return { found: -1, ids: ['thing'], expiresAt: null }
    })
    identities.forget(['another', 'thing'])
    finish()
    assert.equal((await stale).found, -1)
    assert.equal(await find(), kept + 1)
  }))

test('nothing is known while the changes cannot be read, nor just after', async () => {
  await withIdentities(async (_identities, find) => {
    const first = await find()
    assert.equal(await find(), first + 1)
  }, 'postgresql://postgres@127.0.0.1:1/none')
  await withIdentities(async (_identities, find) => {
    const kept = await keep(find)
    const lock = await world.app.sql.connect()
    await lock.query('begin; lock table events.head in access exclusive mode')
    const ms = await oldUntil(find, (found) => found === kept)
    assert.ok(ms < 1_000, `the lease is over after ${ms} ms`)
    assert.equal(await find(), kept + 2)
    await lock.query('rollback')
    lock.release()
    await keep(find)
  })
})

test('a look costs the same however many documents wait in the outbox', async () => {
  const { sql } = world.app
  const client = await sql.connect()
  try {
    await client.query('begin')
    await client.query(
      `insert into events.outbox (id, "projectId", name, type, aggregate, payload, "actorKind")
       select gen_random_uuid(), 'prj_x', 'n', 'documents.created', 'a', '{}', 'system' from generate_series(1, 50000)`,
    )
    const { rows } = await client.query(`explain (analyze, format json) ${changesQuery}`, [0])
    const plan = JSON.stringify(rows)
    assert.match(plan, /outbox_remembered/)
    assert.doesNotMatch(plan, /Seq Scan"[^{}]*"outbox"/)
  } finally {
    await client.query('rollback')
    client.release()
  }
})
