import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import type { Context } from '../../context.ts'
import { Conflict, NotFound } from '../../errors.ts'
import { createWorld, type World } from '../../testing/world.ts'
import { signIn, signUp } from '../accounts/accounts.ts'
import { visibleSessions } from '../sessions/sessions.ts'
import { createUser, deleteUser, getUser, updateUser, visibleUsers } from './users.ts'

let world: World
let server: Context
let elsewhere: Context
before(async () => {
  world = await createWorld()
  const key = { kind: 'key', id: 'key_1', scopes: new Set(['users.read', 'users.write']) } as const
  server = world.context((await world.createProject()).projectId, key)
  elsewhere = world.context((await world.createProject()).projectId, key)
})
after(() => world.close())

const refused = async (call: () => Promise<unknown>, kind: new (message: string) => Error) => {
  const before = await world.emitted()
  await assert.rejects(call, kind)
  assert.deepEqual(await world.emitted(), before, 'a refused call emits nothing')
}

test('createUser: ok, and the user can sign in; conflict', async () => {
  const input = { email: 'ann@example.org', password: 'correct horse', name: 'Ann' }
  const user = await createUser(server, input)
  assert.equal((await signIn(world.context(server.projectId), input)).user.id, user.id)
  await refused(() => createUser(server, input), Conflict)
})

test("updateUser: ok; another project's user is answered like one that is not", async () => {
  const user = await createUser(server, { email: 'bob@example.org', password: 'correct horse' })
  const changed = await updateUser(server, user.id, { name: 'Bob', labels: ['vip', 'vip'] })
  assert.deepEqual([changed.name, changed.labels], ['Bob', ['vip']])
  const answers = [user.id, 'usr_absent'].map((id) =>
    updateUser(elsewhere, id, { name: 'x' }).catch((error: Error) => error.message),
  )
  assert.deepEqual(await Promise.all(answers), ['There is no such user.', 'There is no such user.'])
  await refused(() => deleteUser(elsewhere, user.id), NotFound)
})

test('deleteUser: ok, and the sessions end', async () => {
  const { user } = await signUp(world.context(server.projectId), {
    email: 'eve@example.org',
    password: 'correct horse',
  })
  assert.equal(await deleteUser(server, user.id), user.id)
  assert.equal(await world.app.db.session.count({ where: { AND: [{ userId: user.id }, visibleSessions(server)] } }), 0)
  await refused(() => getUser(server, user.id), NotFound)
})

test('a user sees nobody but themselves, a guest nobody', async () => {
  const { user } = await signUp(world.context(server.projectId), {
    email: 'sam@example.org',
    password: 'correct horse',
  })
  const actor = { kind: 'user', id: user.id, sessionId: 'ses_1', verified: false, labels: [] } as const
  const seen = async (ctx: Context) =>
    (await world.app.db.user.findMany({ where: visibleUsers(ctx) })).map(({ id }) => id)
  assert.deepEqual(await seen(world.context(server.projectId, actor)), [user.id])
  assert.deepEqual(await seen(world.context(elsewhere.projectId, actor)), [])
  assert.deepEqual(await seen(world.context(server.projectId)), [])
})

test('a user whose password is set is signed out everywhere, also who signs in with the old one at that moment', async () => {
  const input = { email: 'race@example.org', password: 'correct horse' }
  const guest = world.context(server.projectId)
  const { id } = await createUser(server, input)
  await signIn(guest, input)
  const signIns = Array.from({ length: 6 }, () => signIn(guest, input).catch((error: Error) => error.name))
  await Promise.all([updateUser(server, id, { password: 'battery staple' }), ...signIns])
  assert.equal(await world.app.db.session.count({ where: { userId: id } }), 0)
  await signIn(guest, { ...input, password: 'battery staple' })
})

test('another address is not verified, unless that is said, and nobody else may have it', async () => {
  const { id } = await createUser(server, { email: 'ned@example.org', password: 'correct horse' })
  await createUser(server, { email: 'taken@example.org', password: 'correct horse' })
  assert.equal((await updateUser(server, id, { emailVerified: true })).emailVerified, true)
  assert.equal((await updateUser(server, id, { email: 'ned@example.org' })).emailVerified, true)
  assert.equal((await updateUser(server, id, { email: 'ned2@example.org' })).emailVerified, false)
  assert.equal((await updateUser(server, id, { email: 'ned3@example.org', emailVerified: true })).emailVerified, true)
  await refused(() => updateUser(server, id, { email: 'taken@example.org' }), Conflict)
})
