import assert from 'node:assert/strict'
import { test } from 'node:test'
import { signUp } from '../src/modules/accounts/accounts.ts'
import { updateUser } from '../src/modules/users/users.ts'
import { operate } from '../src/testing/operation.ts'
import { createStage } from '../src/testing/stage.ts'

const { world, schemas, owner } = await createStage()
const guest = world.context(owner.projectId)

test('users are found by what stands in their name or address, and by how they stand', async () => {
  for (const name of ['Ann', 'Bo_', 'Cy%'])
    await signUp(guest, { email: `${name[0]}@example.org`.toLowerCase(), password: 'correct horse', name })
  const [bo] = await world.app.db.user.findMany({ where: { name: 'Bo_' } })
  await updateUser(owner, bo?.id ?? '', { labels: ['vip'], status: 'BLOCKED', emailVerified: true })
  const found = async (where: object) => {
    const query = 'query ($where: UserWhere) { users(where: $where) { totalCount nodes { name } } }'
    const { data, errors } = await operate(schemas, owner, query, { where })
    assert.deepEqual(errors, [])
    assert.equal(data?.users.totalCount, data?.users.nodes.length)
    return data?.users.nodes.map(({ name }: { name: string }) => name)
  }
  assert.deepEqual(await found({}), ['Ann', 'Bo_', 'Cy%'])
  assert.deepEqual(await found({ search: 'AN' }), ['Ann'])
  assert.deepEqual(await found({ search: 'EXAMPLE' }), ['Ann', 'Bo_', 'Cy%'])
  assert.deepEqual(await found({ search: '_' }), ['Bo_'])
  assert.deepEqual(await found({ search: '%' }), ['Cy%'])
  assert.deepEqual(await found({ search: '\\' }), [])
  assert.deepEqual(await found({ email: ' A@example.org ' }), ['Ann'])
  assert.deepEqual(await found({ label: 'vip' }), ['Bo_'])
  assert.deepEqual(await found({ status: 'ACTIVE', search: 'y' }), ['Cy%'])
  assert.deepEqual(await found({ emailVerified: true }), ['Bo_'])
})

test('a user of another project is null, as one that is not there', async () => {
  const { owner: other } = await world.createProject()
  const { user } = await signUp(guest, { email: 'eve@example.org', password: 'correct horse' })
  for (const id of [user.id, 'usr_none'])
    assert.deepEqual((await operate(schemas, other, `{ user(id: "${id}") { id } }`)).data, { user: null })
  assert.deepEqual((await operate(schemas, owner, `{ user(id: "${user.id}") { id } }`)).data, { user: { id: user.id } })
})

test('an account sees which of its sessions asks, and changes itself', async () => {
  const { session, user } = await signUp(guest, { email: 'dee@example.org', password: 'correct horse' })
  await world.app.db.session.create({ data: { ...session, id: 'ses_other', hash: 'other' } })
  const actor = { kind: 'user', id: user.id, sessionId: session.id, verified: false, labels: [] } as const
  const ctx = world.context(owner.projectId, actor)
  const query = '{ account { sessions { nodes { id isCurrent } } } }'
  const { data } = await operate(schemas, ctx, query)
  assert.deepEqual(
    data?.account.sessions.nodes.toSorted((a: { id: string }, b: { id: string }) => (a.id < b.id ? -1 : 1)),
    [
      { id: session.id, isCurrent: true },
      { id: 'ses_other', isCurrent: false },
    ],
  )
  // Who is signed in, whoever runs the project is told; of themselves people know it.
  assert.match(
    (await operate(schemas, ctx, '{ account { sessions { nodes { user { id } } } } }')).errors.join(),
    /Cannot query field "user" on type "Session"/,
  )
  const told = `{ user(id: "${user.id}") { sessions { totalCount nodes { user { email } } } } }`
  const nodes = [{ user: { email: user.email } }, { user: { email: user.email } }]
  assert.deepEqual((await operate(schemas, owner, told)).data?.user.sessions, { totalCount: 2, nodes })
  const change = 'mutation ($input: UpdateAccountInput!) { updateAccount(input: $input) { name email } }'
  const input = { name: 'Dee', password: 'battery staple', currentPassword: 'correct horse' }
  assert.deepEqual((await operate(schemas, ctx, change, { input })).data, {
    updateAccount: { name: 'Dee', email: 'dee@example.org' },
  })
  assert.equal(await world.app.db.session.count({ where: { userId: user.id } }), 1)
})
