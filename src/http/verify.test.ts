import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import { type Api, startApi } from '../api.ts'
import { signUp } from '../modules/accounts/accounts.ts'
import { createVerification, verificationSecret } from '../modules/accounts/verifications.ts'
import { createWorld, type World } from '../testing/world.ts'

let world: World
let api: Api
before(async () => {
  world = await createWorld({ PORT: '0' })
  api = await startApi(world.app)
})
after(async () => {
  await api.close()
  await world.close()
})

const post = (fields: Record<string, string>) =>
  fetch(`${api.url}/verify`, { method: 'POST', body: new URLSearchParams(fields) })

test('opening the link shows a button and changes nothing; pressing it verifies, once', async () => {
  const { projectId } = await world.createProject()
  const { user } = await signUp(world.context(projectId), { email: 'ann@example.org', password: 'correct horse' })
  const actor = { kind: 'user', id: user.id, sessionId: 'ses_1', verified: false, labels: [] } as const
  const { id } = await createVerification(world.context(projectId, actor))
  const fields = { project: projectId, id, secret: verificationSecret(world.env, id) }
  const isVerified = async () => (await world.app.db.user.findUniqueOrThrow({ where: { id: user.id } })).emailVerified

  const page = await fetch(`${api.url}/verify?${new URLSearchParams(fields)}`)
  assert.equal(page.status, 200)
  assert.match(await page.text(), /<button>/)
  assert.equal(await isVerified(), false)
  assert.equal((await post(fields)).status, 200)
  assert.equal(await isVerified(), true)
  assert.equal((await post(fields)).status, 400)
})

test('nonsense is refused, and shown as text', async () => {
  const text = await (await fetch(`${api.url}/verify?id=${encodeURIComponent('"><script>alert(1)</script>')}`)).text()
  assert.ok(!text.includes('<script>'))
  for (const fields of [
    {},
    { project: 'console', id: 'ver_x', secret: 'x' },
    { project: 'absent', id: 'a', secret: 'b' },
  ]) {
    assert.equal((await post(fields as Record<string, string>)).status, 400)
  }
})
