import assert from 'node:assert/strict'
import { after, before, describe, test } from 'node:test'
import { authenticate } from '../../authenticate.ts'
import type { Context } from '../../context.ts'
import { Conflict, Forbidden, Invalid, NotFound, Unauthenticated } from '../../errors.ts'
import { newId } from '../../lib/ids.ts'
import { createWorld, type World } from '../../testing/world.ts'
import { signUp } from '../accounts/accounts.ts'
import { createKey, deleteKey, visibleKeys } from '../keys/keys.ts'
import { addMember, removeMember, updateMember, visibleMembers } from '../members/members.ts'
import { createTask } from '../tasks/tasks.ts'
import { createUser } from '../users/users.ts'
import { createWebhook } from '../webhooks/webhooks.ts'
import { createProject, deleteProject, getProject, updateProject, visibleProjects } from './projects.ts'

let world: World
let mine: { projectId: string; ownerAtConsole: Context }
let theirs: { projectId: string; ownerAtConsole: Context }
before(async () => {
  world = await createWorld()
  mine = await world.createProject()
  theirs = await world.createProject()
})
after(() => world.close())

const refused = async (call: () => Promise<unknown>, kind: new (message: string) => Error) => {
  const before = await world.emitted()
  await assert.rejects(call, kind)
  assert.deepEqual(await world.emitted(), before, 'a refused call emits nothing')
}
const idOf = (ctx: Context) => (ctx.actor?.kind === 'account' ? ctx.actor.id : '')

describe('projects', () => {
  test('createProject: ok', async () => {
    const { id } = await createProject(mine.ownerAtConsole, { name: 'Blog' })
    assert.equal((await getProject(mine.ownerAtConsole, id)).name, 'Blog')
  })

  test('createProject: unauthenticated', () =>
    refused(() => createProject(world.context('console'), { name: 'x' }), Unauthenticated))

  test("updateProject: ok; another's is not found", async () => {
    assert.equal((await updateProject(mine.ownerAtConsole, mine.projectId, { name: 'New' })).name, 'New')
    await refused(() => updateProject(mine.ownerAtConsole, theirs.projectId, { name: 'New' }), NotFound)
  })

  test('updateProject: owners set what an operation may cost, and null takes it back', async () => {
    const { projectId, ownerAtConsole } = mine
    const set = async (limits: Parameters<typeof updateProject>[2]['costLimits']) =>
      (await updateProject(ownerAtConsole, projectId, { costLimits: limits })).costLimits
    assert.deepEqual(await set({ client: 500, server: 1_000 }), { client: 500, server: 1_000 })
    assert.deepEqual(await set({ client: null, console: 700 }), { server: 1_000, console: 700 })
    const guest = await authenticate(world.app, {
      projectId,
      authorization: null,
      requestId: 'r',
      ip: '',
      userAgent: '',
    })
    assert.deepEqual(guest.costLimits, { server: 1_000, console: 700 })
    const account = await createUser(world.context('console'), {
      email: 'limits@example.org',
      password: 'correct horse',
    })
    await addMember(ownerAtConsole, { projectId, email: account.email, role: 'DEVELOPER' })
    const developer = world.context('console', { kind: 'account', id: account.id, sessionId: 'ses_1', role: null })
    await refused(() => updateProject(developer, projectId, { costLimits: { client: 1 } }), Forbidden)
    assert.equal((await updateProject(developer, projectId, { name: 'Renamed' })).name, 'Renamed')
  })

  test('another project is answered exactly like one that is not, and so is the console', async () => {
    const errors = await Promise.all(
      [theirs.projectId, 'prj_absent', 'console'].map((id) =>
        getProject(mine.ownerAtConsole, id).catch((error: NotFound) => error),
      ),
    )
    assert.ok(errors.every((error) => error instanceof NotFound && error.message === 'There is no such project.'))
  })

  test('visibleProjects: nobody sees what is not theirs', async () => {
    const ids = async (ctx: Context) =>
      (await world.app.db.project.findMany({ where: visibleProjects(ctx) })).map(({ id }) => id)
    assert.ok(!(await ids(mine.ownerAtConsole)).includes(theirs.projectId))
    assert.deepEqual(await ids(world.context('console')), [])
  })
})

describe('deleteProject', () => {
  const ask = (projectId: string, secret: string | null) =>
    authenticate(world.app, {
      projectId,
      authorization: secret && `Bearer ${secret}`,
      requestId: 'r',
      ip: '',
      userAgent: '',
    })

  test('gone at once for its owner, its keys, its users and guests; what acts by itself stops', async () => {
    const { projectId, ownerAtConsole, owner } = await world.createProject()
    const { secret } = await createKey(ownerAtConsole, { projectId, name: 'k', scopes: ['users.read'] })
    const user = await signUp(await ask(projectId, null), { email: 'ann@example.org', password: 'correct horse' })
    await createTask(owner, { name: 't', schedule: '* * * * *', url: 'https://example.org' })
    await createWebhook(owner, { name: 'w', url: 'https://example.org', events: ['*'] })
    for (const credential of [null, secret, user.secret]) await ask(projectId, credential)
    const count = (await world.emitted()).length
    assert.equal(await deleteProject(ownerAtConsole, { id: projectId, name: 'Test' }), projectId)
    assert.deepEqual((await world.emitted()).slice(count), ['projects.deleted'])
    for (const credential of [null, secret, user.secret, 'key_x'.padEnd(40, 'x')])
      await assert.rejects(ask(projectId, credential), NotFound)
    const { db } = world.app
    assert.equal(await db.project.count({ where: visibleProjects(ownerAtConsole) }), 0)
    assert.equal(await db.key.count({ where: visibleKeys(ownerAtConsole) }), 0)
    assert.equal(await db.member.count({ where: visibleMembers(ownerAtConsole) }), 0)
    const active = { where: { projectId, enabled: true } }
    assert.deepEqual([await db.task.count(active), await db.webhook.count(active)], [0, 0])
    await refused(() => getProject(ownerAtConsole, projectId), NotFound)
    await refused(() => updateProject(ownerAtConsole, projectId, { name: 'Back' }), NotFound)
    await refused(() => deleteProject(ownerAtConsole, { id: projectId, name: 'Test' }), NotFound)
    await refused(() => createKey(ownerAtConsole, { projectId, name: 'k2', scopes: ['users.read'] }), NotFound)
    await refused(() => addMember(ownerAtConsole, { projectId, email: 'a@example.org', role: 'OWNER' }), NotFound)
  })

  test("another's and the console are not found; another name is invalid; a developer may not", async () => {
    const { projectId, ownerAtConsole } = await world.createProject()
    const by = (ctx: Context, id: string, name = 'Test') => deleteProject(ctx, { id, name })
    await refused(() => by(mine.ownerAtConsole, projectId), NotFound)
    await refused(() => by(ownerAtConsole, 'console', 'Console'), NotFound)
    await refused(() => by(world.context('console'), projectId), NotFound)
    await refused(() => by(ownerAtConsole, projectId, 'test'), Invalid)
    const { email } = await world.app.db.user.findUniqueOrThrow({ where: { id: idOf(mine.ownerAtConsole) } })
    await addMember(ownerAtConsole, { projectId, email, role: 'DEVELOPER' })
    await refused(() => by(mine.ownerAtConsole, projectId), Forbidden)
    assert.equal((await getProject(ownerAtConsole, projectId)).deletedAt, null)
  })
})

describe('keys', () => {
  const input = { name: 'ci', scopes: ['users.read', 'documents.read', 'users.read'] }

  test('createKey: ok, scopes once each and sorted', async () => {
    const { key } = await createKey(mine.ownerAtConsole, { ...input, projectId: mine.projectId })
    assert.deepEqual(key.scopes, ['documents.read', 'users.read'])
  })

  test('createKey: conflict, invalid, not found', async () => {
    const ctx = mine.ownerAtConsole
    const { projectId } = mine
    await refused(() => createKey(ctx, { ...input, projectId }), Conflict)
    await refused(() => createKey(ctx, { ...input, projectId, scopes: ['everything'] }), Invalid)
    await refused(() => createKey(ctx, { ...input, projectId, scopes: ['constructor'] }), Invalid)
    await refused(() => createKey(ctx, { ...input, projectId, expiresAt: new Date(0) }), Invalid)
    await refused(() => createKey(ctx, { ...input, projectId: theirs.projectId }), NotFound)
    await refused(() => createKey(ctx, { ...input, projectId: 'console' }), NotFound)
  })

  test("deleteKey: another's key is answered like one that is not", async () => {
    const { key } = await createKey(theirs.ownerAtConsole, { ...input, projectId: theirs.projectId })
    await refused(() => deleteKey(mine.ownerAtConsole, key.id), NotFound)
    assert.equal(await deleteKey(theirs.ownerAtConsole, key.id), key.id)
  })

  test('a key sees no keys', async () => {
    const ctx = world.context(mine.projectId, { kind: 'key', id: 'key_1', scopes: new Set() })
    assert.equal(await world.app.db.key.count({ where: visibleKeys(ctx) }), 0)
  })
})

describe('members', () => {
  const addressOf = async (ctx: Context) =>
    (await world.app.db.user.findUniqueOrThrow({ where: { id: idOf(ctx) } })).email

  test('addMember and removeMember: ok, conflict, forbidden, not found', async () => {
    const { projectId, ownerAtConsole } = mine
    const email = await addressOf(theirs.ownerAtConsole)
    const member = await addMember(ownerAtConsole, { projectId, email, role: 'DEVELOPER' })
    await refused(() => addMember(ownerAtConsole, { projectId, email, role: 'DEVELOPER' }), Conflict)
    await refused(() => addMember(theirs.ownerAtConsole, { projectId, email, role: 'OWNER' }), Forbidden)
    await refused(() => addMember(ownerAtConsole, { projectId, email: 'nobody@example.org', role: 'OWNER' }), NotFound)
    await refused(() => removeMember(theirs.ownerAtConsole, member.id), Forbidden)
    assert.equal(await removeMember(ownerAtConsole, member.id), member.id)
    await refused(() => addMember(theirs.ownerAtConsole, { projectId, email, role: 'OWNER' }), NotFound)
  })

  test('addMember: where mails are sent, an address that somebody has only given is not yet theirs', async () => {
    const { projectId, ownerAtConsole } = mine
    const at = { ...ownerAtConsole, env: { ...ownerAtConsole.env, SMTP_URL: 'smtp://127.0.0.1' } }
    const given = { email: 'soon@example.org', password: 'correct horse' }
    const { user } = await signUp(world.context('console'), given)
    const add = () => addMember(at, { projectId, email: given.email, role: 'OWNER' })
    await refused(add, Conflict)
    await world.app.db.user.update({ where: { id: user.id }, data: { emailVerified: true } })
    assert.equal((await add()).userId, user.id)
  })

  test('updateMember: ok, forbidden, not found; of two owners who step back at once one stays', async () => {
    const { projectId, ownerAtConsole } = await world.createProject()
    const email = await addressOf(theirs.ownerAtConsole)
    const { id } = await addMember(ownerAtConsole, { projectId, email, role: 'DEVELOPER' })
    await refused(() => updateMember(theirs.ownerAtConsole, id, 'OWNER'), Forbidden)
    await refused(() => updateMember(mine.ownerAtConsole, id, 'OWNER'), NotFound)
    const count = (await world.emitted()).length
    assert.equal((await updateMember(ownerAtConsole, id, 'OWNER')).role, 'OWNER')
    assert.deepEqual((await world.emitted()).slice(count), ['members.updated'])
    const members = await world.app.db.member.findMany({ where: { projectId } })
    const results = await Promise.allSettled(members.map((one) => updateMember(ownerAtConsole, one.id, 'DEVELOPER')))
    assert.equal(results.filter(({ status }) => status === 'fulfilled').length, 1)
    assert.equal(await world.app.db.member.count({ where: { projectId, role: 'OWNER' } }), 1)
  })

  test('removeMember: a member who is removed twice at once is not there the second time', async () => {
    const { projectId, ownerAtConsole } = await world.createProject()
    const email = await addressOf(theirs.ownerAtConsole)
    const { id } = await addMember(ownerAtConsole, { projectId, email, role: 'DEVELOPER' })
    const results = await Promise.allSettled([1, 2, 3].map(() => removeMember(ownerAtConsole, id)))
    const refusals = results.flatMap((result) => (result.status === 'rejected' ? [result.reason.message] : []))
    assert.deepEqual(refusals, ['There is no such member.', 'There is no such member.'])
  })

  test('removeMember: the last owner stays, even when two leave at once', async () => {
    const { projectId, ownerAtConsole } = await world.createProject()
    const second = await world.app.db.user.create({
      data: { id: newId('usr'), projectId: 'console', email: 'second@example.org', passwordHash: '' },
    })
    await addMember(ownerAtConsole, { projectId, email: second.email, role: 'OWNER' })
    const members = await world.app.db.member.findMany({ where: { projectId } })
    const results = await Promise.allSettled(members.map(({ id }) => removeMember(ownerAtConsole, id)))
    assert.equal(results.filter(({ status }) => status === 'fulfilled').length, 1)
    assert.equal(await world.app.db.member.count({ where: { projectId, role: 'OWNER' } }), 1)
  })
})
