import assert from 'node:assert/strict'
import { after, before, describe, test } from 'node:test'
import { authenticate } from '../../authenticate.ts'
import { Conflict, Invalid, LimitExceeded, Unauthenticated } from '../../errors.ts'
import { createWorld, type World } from '../../testing/world.ts'
import { maxSessions } from '../sessions/sessions.ts'
import { updateUser } from '../users/users.ts'
import { findAccount, signIn, signOut, signUp, updateAccount } from './accounts.ts'
import { confirmVerification, createVerification, maxVerifications, verificationSecret } from './verifications.ts'

let world: World
let projectId: string
let other: string
before(async () => {
  world = await createWorld()
  projectId = (await world.createProject()).projectId
  other = (await world.createProject()).projectId
})
after(() => world.close())

const ann = { email: 'ann@example.org', password: 'correct horse', name: 'Ann' }
const as = (secret: string | null, project = projectId) =>
  authenticate(world.app, {
    projectId: project,
    authorization: secret === null ? null : `Bearer ${secret}`,
    requestId: 'r',
    ip: '127.0.0.1',
    userAgent: 'test',
  })

describe('signUp', () => {
  test('ok: makes a user, signs them in, and emits both', async () => {
    const before = (await world.emitted()).length
    const { secret, user } = await signUp(await as(null), ann)
    assert.deepEqual((await world.emitted()).slice(before), ['users.created', 'sessions.created'])
    const ctx = await as(secret)
    assert.deepEqual(ctx.actor, {
      kind: 'user',
      id: user.id,
      sessionId: ctx.actor?.kind === 'user' ? ctx.actor.sessionId : '',
      verified: false,
      labels: [],
    })
    assert.equal((await findAccount(ctx))?.email, ann.email)
  })

  test('conflict: the address is taken here, and nothing is changed; elsewhere it is free', async () => {
    const before = await world.emitted()
    await assert.rejects(signUp(await as(null), ann), new Conflict('This address is taken.', ['input', 'email']))
    assert.deepEqual(await world.emitted(), before)
    await signUp(await as(null, other), ann)
  })

  test('neither password nor secret is stored as it is', async () => {
    const { secret } = await signUp(await as(null), { ...ann, email: 'canary@example.org' })
    for (const table of ['users', 'sessions', 'events.outbox']) {
      const { rows } = await world.app.sql.query(`select t::text as text from ${table} t`)
      assert.ok(!rows.some(({ text }) => text.includes(secret) || text.includes(ann.password)), table)
    }
  })
})

describe('signIn', () => {
  test('ok', async () => {
    const { secret } = await signIn(await as(null), ann)
    assert.equal((await as(secret)).actor?.kind, 'user')
  })

  test('a wrong password, an unknown address and a blocked user get the same answer', async () => {
    const { user } = await signUp(await as(null), { ...ann, email: 'blocked@example.org' })
    await updateUser(world.context(projectId, { kind: 'system', id: 'test' }), user.id, { status: 'BLOCKED' })
    const attempts = [
      { ...ann, password: 'wrong password' },
      { ...ann, email: 'nobody@example.org' },
      { ...ann, email: 'blocked@example.org' },
    ]
    for (const attempt of attempts) {
      await assert.rejects(
        signIn(await as(null), attempt),
        new Unauthenticated('This address and password do not match.'),
      )
    }
  })

  test(`the eleventh session ends the first of ${maxSessions}`, async () => {
    const { secret } = await signUp(await as(null), { ...ann, email: 'many@example.org' })
    for (let i = 0; i < maxSessions; i++) await signIn(await as(null), { ...ann, email: 'many@example.org' })
    await assert.rejects(as(secret), Unauthenticated)
  })
})

test('signOut: the secret is refused from then on', async () => {
  const { secret } = await signIn(await as(null), ann)
  await signOut(await as(secret))
  await assert.rejects(as(secret), Unauthenticated)
  await assert.rejects(signOut(await as(null)), Unauthenticated)
})

describe('authenticate', () => {
  test('whatever is not valid is refused, never more than a guest', async () => {
    const { secret } = await signIn(await as(null), ann)
    for (const text of [
      `${secret}x`,
      secret.slice(0, -1),
      'ses_',
      'key_aaaaaaaaaaaaaaaaaaaaaaaaa',
      '',
      'null',
      '{}',
      "ses_' or 1=1 --aaaaaaaaaaaaa",
    ]) {
      await assert.rejects(as(text), Unauthenticated, text)
    }
    await assert.rejects(as(secret, other), Unauthenticated)
    await assert.rejects(as(secret, 'console'), Unauthenticated)
    assert.equal((await as(null)).actor, null)
  })

  test('a session of the console opens the projects of its member, and no others', async () => {
    const { secret, user } = await signUp(await as(null, 'console'), { ...ann, email: 'dev@example.org' })
    await assert.rejects(as(secret), Unauthenticated)
    await world.app.db.member.create({ data: { id: 'mem_1', projectId, userId: user.id, role: 'DEVELOPER' } })
    const { actor } = await as(secret)
    assert.equal(actor?.kind === 'account' && actor.role, 'DEVELOPER')
    await assert.rejects(as(secret, other), Unauthenticated)
  })

  test('a blocked user is refused at the next request', async () => {
    const { secret, user } = await signUp(await as(null), { ...ann, email: 'soon@example.org' })
    const ctx = await as(secret)
    await updateUser(world.context(projectId, { kind: 'system', id: 'test' }), user.id, { status: 'BLOCKED' })
    assert.equal(await ctx.reauthenticate(), null)
  })
})

describe('verification', () => {
  test('of 20 parallel redeems one wins', async () => {
    const { secret, user } = await signUp(await as(null), { ...ann, email: 'proof@example.org' })
    const { id } = await createVerification(await as(secret))
    const guest = await as(null)
    const redeem = () => confirmVerification(guest, { id, secret: verificationSecret(world.env, id) })
    const results = await Promise.allSettled(Array.from({ length: 20 }, redeem))
    assert.equal(results.filter(({ status }) => status === 'fulfilled').length, 1)
    assert.equal((await world.app.db.user.findUniqueOrThrow({ where: { id: user.id } })).emailVerified, true)
    await assert.rejects(createVerification(await as(secret)), Conflict)
  })

  test('limited: so many within an hour, at once or one after another', async () => {
    const { secret, user } = await signUp(await as(null), { ...ann, email: 'often@example.org' })
    const ctx = await as(secret)
    const results = await Promise.allSettled(Array.from({ length: 8 }, () => createVerification(ctx)))
    assert.equal(results.filter(({ status }) => status === 'fulfilled').length, maxVerifications)
    await assert.rejects(createVerification(ctx), LimitExceeded)
    assert.equal(await world.app.db.verification.count({ where: { userId: user.id } }), maxVerifications)
    const later = new Date(Date.now() + 3_601_000)
    await createVerification({ ...ctx, clock: () => later })
  })

  test('invalid: forged, of another project, or of an address that was changed since', async () => {
    const { secret, user } = await signUp(await as(null), { ...ann, email: 'old@example.org' })
    const { id } = await createVerification(await as(secret))
    const input = { id, secret: verificationSecret(world.env, id) }
    await assert.rejects(confirmVerification(await as(null), { id, secret: 'forged' }), Invalid)
    await assert.rejects(confirmVerification(await as(null, other), input), Invalid)
    await world.app.db.user.update({ where: { id: user.id }, data: { email: 'new@example.org' } })
    await assert.rejects(confirmVerification(await as(null), input), Invalid)
  })
})

describe('updateAccount', () => {
  const signedIn = async (email: string) => {
    const { secret, user } = await signUp(await as(null), { ...ann, email })
    return { secret, id: user.id, ctx: await as(secret) }
  }

  test('a name needs no password, an address and a password need the present one', async () => {
    const { ctx, id } = await signedIn('change@example.org')
    assert.equal((await updateAccount(ctx, { name: 'Anna' })).name, 'Anna')
    const before = await world.emitted()
    for (const change of [{ email: 'new-home@example.org' }, { password: 'battery staple' }])
      for (const currentPassword of [undefined, null, '', 'wrong horse'])
        await assert.rejects(updateAccount(ctx, { ...change, currentPassword }), { at: ['input', 'currentPassword'] })
    assert.deepEqual(await world.emitted(), before)
    await world.app.db.user.update({ where: { id }, data: { emailVerified: true } })
    const changed = await updateAccount(ctx, { email: 'new-home@example.org', currentPassword: ann.password })
    assert.deepEqual([changed.email, changed.emailVerified], ['new-home@example.org', false])
    await assert.rejects(
      updateAccount(ctx, { email: ann.email, currentPassword: ann.password }),
      new Conflict('This address is taken.', ['input', 'email']),
    )
  })

  test('another password ends the other sessions, and of two at once one wins', async () => {
    const { ctx, secret } = await signedIn('twice@example.org')
    const old = await signIn(await as(null), { ...ann, email: 'twice@example.org' })
    const change = (password: string) => updateAccount(ctx, { password, currentPassword: ann.password })
    const results = await Promise.allSettled(['battery staple', 'staple battery'].map(change))
    assert.equal(results.filter(({ status }) => status === 'fulfilled').length, 1)
    await assert.rejects(as(old.secret), Unauthenticated)
    assert.equal((await as(secret)).actor?.kind, 'user')
    await assert.rejects(signIn(await as(null), { ...ann, email: 'twice@example.org' }), Unauthenticated)
  })

  test('a guest has no account to change', async () => {
    await assert.rejects(updateAccount(await as(null), { name: 'x' }), Unauthenticated)
  })
})
