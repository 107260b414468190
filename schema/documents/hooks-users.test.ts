import assert from 'node:assert/strict'
import { test } from 'node:test'
import { hookStage, instead, json } from '../../src/testing/hook-stage.ts'

const stage = hookStage()
const { done, hooked, run } = stage

test('who signs up is decided on, without their password; so is who is added', async () => {
  const blog = await hooked('users.before-create')
  const guest = blog.as(null)
  const signUp = 'mutation ($input: SignUpInput!) { signUp(input: $input) { account { email name } } }'
  const input = { email: 'Ann@Example.org', password: 'correct horse', name: 'Ann' }
  stage.say = (told) => instead(told, ({ email }) => ({ email, name: 'A.' }))
  assert.deepEqual((await done(guest, signUp, { input })).signUp, { account: { email: 'ann@example.org', name: 'A.' } })
  assert.deepEqual(stage.asked[0], {
    hook: 'users.before-create',
    project: blog.projectId,
    collection: null,
    actor: null,
    inputs: [{ email: 'ann@example.org', name: 'Ann' }],
  })
  assert.equal(JSON.stringify(stage.asked).includes('horse'), false)
  const was = await stage.world.app.db.user.count()
  stage.say = () => json(403, { message: 'Only people of example.com.', path: ['inputs', 0, 'email'] })
  assert.match(
    (await run(guest, signUp, { input: { ...input, email: 'b@example.org' } })).errors[0] ?? '',
    /^FORBIDDEN Only/,
  )
  const add = 'mutation { createUser(input: { email: "c@example.org", password: "correct horse" }) { id } }'
  assert.match((await run(blog.owner, add)).errors[0] ?? '', /^FORBIDDEN Only people/)
  stage.say = (told) => instead(told, () => ({ email: 'none' }))
  assert.match((await run(blog.owner, add)).errors[0] ?? '', /^INVALID .*e-mail address.* \(input\.email\)/)
  assert.equal(await stage.world.app.db.user.count(), was)
})

test('whoever was decided on by their address does not take another one afterwards', async () => {
  const blog = await hooked('users.before-create')
  stage.say = () => json(200, {})
  const signUp =
    'mutation { signUp(input: { email: "dan@example.com", password: "correct horse" }) { account { id } } }'
  const { account } = (await done(blog.as(null), signUp)).signUp
  const change = (input: string) =>
    run(blog.as(account.id), `mutation { updateAccount(input: { ${input} }) { email name } }`)
  assert.match(
    (await change('email: "dan@elsewhere.org", currentPassword: "correct horse"')).errors[0] ?? '',
    /^FORBIDDEN Functions decide on addresses/,
  )
  assert.deepEqual((await change('name: "Dan"')).data?.updateAccount, { email: 'dan@example.com', name: 'Dan' })
})

const dan = 'mutation { signUp(input: { email: "dan@example.com", password: "correct horse" }) { account { id } } }'
const address = (email: string, password = 'correct horse') =>
  `mutation { updateAccount(input: { email: "${email}", currentPassword: "${password}" }) { email } }`

test('a function decides on another address and name of a user, whoever asks for it, once that they may', async () => {
  const blog = await hooked('users.before-update')
  const { account } = (await done(blog.as(null), dan)).signUp
  const self = blog.as(account.id)
  assert.deepEqual(stage.asked, [])
  stage.say = (told) => instead(told, () => ({ email: 'd@example.com' }))
  assert.deepEqual((await done(self, address('d@example.org'))).updateAccount, { email: 'd@example.com' })
  assert.deepEqual(stage.asked, [
    {
      hook: 'users.before-update',
      project: blog.projectId,
      collection: null,
      actor: { kind: 'user', id: account.id },
      inputs: [{ email: 'd@example.org' }],
      ids: [account.id],
    },
  ])
  // What needs no password cannot be made what does.
  assert.match(
    (await run(self, 'mutation { updateAccount(input: { name: "Dan" }) { name } }')).errors[0] ?? '',
    /^INVALID .*made it wrong: “email” was not to be changed. \(input.email\)/,
  )
  stage.say = () => json(403, { message: 'Only people of example.com.' })
  const update = 'mutation ($input: UpdateUserInput!) { updateUser(input: $input) { email name } }'
  const by = (input: object) => run(blog.owner, update, { input: { id: account.id, ...input } })
  assert.match((await run(self, address('d@elsewhere.org'))).errors[0] ?? '', /^FORBIDDEN Only people/)
  assert.match((await by({ name: 'D.' })).errors[0] ?? '', /^FORBIDDEN Only people/)
  stage.asked = []
  assert.match((await run(self, address('d@example.org', 'wrong'))).errors[0] ?? '', /^INVALID .*password/)
  assert.match((await run(blog.as(null), address('d@example.org'))).errors[0] ?? '', /^UNAUTHENTICATED /)
  assert.match((await by({ id: 'usr_none', name: 'D.' })).errors[0] ?? '', /^NOT_FOUND /)
  assert.deepEqual((await by({ labels: ['new'], password: 'another horse' })).data?.updateUser, {
    email: 'd@example.com',
    name: '',
  })
  assert.deepEqual(stage.asked, [])
})

test('who signed up takes another address where all who decide on that decide on this', async () => {
  const change = async (...hooks: string[]) => {
    const blog = await hooked(...hooks)
    stage.say = () => json(200, {})
    const { account } = (await done(blog.as(null), dan)).signUp
    return run(blog.as(account.id), address('d@example.org'))
  }
  assert.deepEqual((await change('users.*')).data?.updateAccount, { email: 'd@example.org' })
  const { errors } = await change('users.*', 'users.before-create')
  assert.match(errors[0] ?? '', /^FORBIDDEN Functions decide on addresses/)
})
