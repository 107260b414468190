import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import { transaction } from '../src/context.ts'
import { emit, emitAll } from '../src/event.ts'
import { signUp } from '../src/modules/accounts/accounts.ts'
import { createVerification, verificationSecret } from '../src/modules/accounts/verifications.ts'
import { visibleAudits } from '../src/modules/audits/audits.ts'
import { createKey } from '../src/modules/keys/keys.ts'
import { setSender } from '../src/modules/senders/senders.ts'
import { createTask } from '../src/modules/tasks/tasks.ts'
import { userUpdated } from '../src/modules/users/events.ts'
import { createWebhook } from '../src/modules/webhooks/webhooks.ts'
import { eventually } from '../src/testing/receiver.ts'
import { createWorld, type World } from '../src/testing/world.ts'
import { audits } from './audits.ts'
import { startRelay } from './relay.ts'

let world: World
let relay: ReturnType<typeof startRelay>

before(async () => {
  world = await createWorld()
  relay = startRelay(world.app)
})
after(async () => {
  await relay.stop()
  await world.close()
})

const signal = new AbortController().signal
const record = () => audits.jobs[0]?.run({ ...world.app, key: 'k', signal }, {})

test('each event is kept once, however many jobs there are', async () => {
  const { owner: ctx, projectId } = await world.createProject()
  const emitted = Array.from({ length: 1_200 }, (_, i) => ({ projectId, payload: { userId: `usr_${i}` } }))
  await transaction(ctx, async (tx) => void (await emitAll(tx, userUpdated, emitted)))
  await eventually(async () => {
    const { rows } = await world.app.sql.query('select seq from events.head')
    assert.equal(rows[0]?.seq, '1200')
  }, 20_000)
  await Promise.all([record(), record()])
  await record()
  const kept = await ctx.db.audit.findMany({ orderBy: { seq: 'asc' } })
  assert.equal(kept.length, 1_200)
  const [first] = kept
  assert.deepEqual(
    [first?.event, first?.resource, first?.actorKind, first?.actorId, first?.projectId],
    ['users.usr_0.updated', 'users.usr_0', 'account', ctx.actor?.kind === 'account' ? ctx.actor.id : '', projectId],
  )
})

test('only those who run the project see them', async () => {
  const { owner, projectId } = await world.createProject()
  await transaction(owner, (tx) => emit(tx, userUpdated, { userId: 'usr_a' }))
  await eventually(async () => {
    await record()
    assert.equal(await owner.db.audit.count({ where: visibleAudits(owner) }), 1)
  })
  const { owner: stranger } = await world.createProject()
  const user = { kind: 'user', id: 'usr_a', sessionId: 's', verified: true, labels: [] } as const
  for (const other of [stranger, world.context(projectId), world.context(projectId, user)]) {
    assert.equal(await other.db.audit.count({ where: visibleAudits(other) }), 0)
  }
})

test('no secret is in it', async () => {
  const { owner: ctx, ownerAtConsole, projectId } = await world.createProject()
  const canary = 'canary-8815'
  const created = await createKey(ownerAtConsole, { projectId, name: 'k', scopes: [] })
  const guest = world.context(projectId)
  const { secret, user } = await signUp(guest, { email: 'ann@example.org', password: canary })
  const person = world.context(projectId, { kind: 'user', id: user.id, sessionId: 's', verified: false, labels: [] })
  const { id } = await createVerification(person)
  const calls = { url: 'https://example.org/', headers: [{ name: 'x-key', value: canary }] }
  const basicAuth = { username: 'u', password: canary }
  const webhook = await createWebhook(ctx, { name: 'w', events: ['users.*'], ...calls, basicAuth })
  await createTask(ctx, { name: 't', schedule: '0 0 1 1 *', ...calls })
  const server = { name: 's', address: 'a@example.org', host: 'mail.example.org', port: 465, secure: true }
  await setSender(ctx, { ...server, username: 'u', password: canary })
  await eventually(async () => {
    await record()
    assert.ok(await ctx.db.audit.findFirst({ where: { projectId, event: { startsWith: 'senders.' } } }))
  }, 20_000)
  const { rows } = await world.app.sql.query('select a::text from audits a where "projectId" = $1', [projectId])
  const text = JSON.stringify(rows)
  assert.ok(rows.length >= 6)
  for (const hidden of [canary, secret, created.secret, webhook.secret, verificationSecret(world.env, id)])
    assert.ok(!text.includes(hidden))
})
