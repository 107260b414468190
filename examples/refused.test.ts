import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import { type Api, startApi } from '../src/api.ts'
import { signUp } from '../src/modules/accounts/accounts.ts'
import { createKey } from '../src/modules/keys/keys.ts'
import { scopes } from '../src/modules/keys/scopes.ts'
import { dump } from '../src/testing/dump.ts'
import { createWorld, type World } from '../src/testing/world.ts'
import { startWorkers } from '../workers/start.ts'
import { RequestFailed, request } from './client/request.ts'
import { type ReceivedMail, startMailbox } from './demo/receivers.ts'

let world: World
let api: Api
let workers: Awaited<ReturnType<typeof startWorkers>>
let mailbox: { url: string; mails: ReceivedMail[]; close: () => void }
before(async () => {
  mailbox = await startMailbox()
  world = await createWorld({ PORT: '0', SMTP_URL: mailbox.url })
  workers = await startWorkers(world.app, { queue: { lockMs: 4_000, touchEveryMs: 1_000 } })
  api = await startApi(world.app)
})
after(async () => {
  await api.close()
  await workers.stop()
  await world.close()
  mailbox.close()
})

const refused: Record<string, [who: 'guest' | 'user' | 'server', query: string]> = {
  'a mail for nobody': ['guest', 'mutation { createVerification { expiresAt } }'],
  'a second mail for a verified address': ['user', 'mutation { createVerification { expiresAt } }'],
  'an address that is taken': [
    'guest',
    'mutation { signUp(input: { email: "ann@example.org", password: "correct horse" }) { secret } }',
  ],
  'a wrong password': [
    'guest',
    'mutation { signIn(input: { email: "ann@example.org", password: "wrong horse" }) { secret } }',
  ],
  'a forged link': ['guest', 'mutation { confirmVerification(input: { id: "ver_1", secret: "x" }) { id } }'],
  'a user who is not there': ['server', 'mutation { updateUser(input: { id: "usr_1", name: "x" }) { id } }'],
  'a name that is none': ['server', 'mutation { createDatabase(input: { key: "__proto__" }) { id } }'],
  'a pattern that matches nothing': [
    'server',
    'mutation { createWebhook(input: { name: "x", url: "https://example.org", events: ["nothing.ever"] }) { secret } }',
  ],
  'a schedule that is none': [
    'server',
    'mutation { createTask(input: { name: "x", url: "https://example.org", schedule: "now" }) { id } }',
  ],
  'what is for servers alone': ['user', 'mutation { deleteUser(id: "usr_1") }'],
}

test('a refused mutation leaves database, events and mails as they were', async () => {
  const { projectId, ownerAtConsole } = await world.createProject()
  const { secret: key } = await createKey(ownerAtConsole, { projectId, name: 'server', scopes: Object.keys(scopes) })
  const ann = await signUp(world.context(projectId), { email: 'ann@example.org', password: 'correct horse' })
  await world.app.db.user.update({ where: { id: ann.user.id }, data: { emailVerified: true } })
  const url = `${api.url}/projects/${projectId}/graphql`
  const as = {
    guest: { url },
    user: { url, authorization: `Bearer ${ann.secret}` },
    server: { url, authorization: `Bearer ${key}` },
  }
  // What has happened so far must have had all its effects.
  await sleep(1_500)
  const before = await dump(world)
  for (const [what, [who, query]] of Object.entries(refused))
    await assert.rejects(request(as[who], query), RequestFailed, what)
  await sleep(1_000)
  assert.deepEqual(await dump(world), before)
  assert.deepEqual(mailbox.mails, [])
  // The comparison can fail: what is not refused changes the database.
  await request(as.server, 'mutation { createDatabase(input: { key: "main" }) { id } }')
  assert.notDeepEqual(await dump(world), before)
})
