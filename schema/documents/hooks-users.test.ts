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
