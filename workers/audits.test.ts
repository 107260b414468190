import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import { transaction } from '../src/context.ts'
import { emit } from '../src/event.ts'
import { visibleAudits } from '../src/modules/audits/audits.ts'
import { userUpdated } from '../src/modules/users/events.ts'
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
const record = (to: string) => audits.jobs[0]?.run({ ...world.app, key: to, signal }, { from: '1', to })

test('each event is kept once, and a later job makes up for those that were lost', async () => {
  const { owner: ctx, projectId } = await world.createProject()
  await transaction(ctx, async (tx) => {
    for (let i = 0; i < 1_200; i++) await emit(tx, userUpdated, { userId: `usr_${i}` })
  })
  await eventually(async () => {
    const { rows } = await world.app.sql.query('select seq from events.head')
    assert.equal(rows[0]?.seq, '1200')
  }, 20_000)
  await Promise.all([record('700'), record('700')])
  assert.equal(await ctx.db.audit.count(), 700)
  await record('1200')
  await record('700')
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
    const { rows } = await world.app.sql.query('select seq from events.head')
    await record(rows[0]?.seq)
    assert.equal(await owner.db.audit.count({ where: visibleAudits(owner) }), 1)
  })
  const { owner: stranger } = await world.createProject()
  const user = { kind: 'user', id: 'usr_a', sessionId: 's', verified: true, labels: [] } as const
  for (const other of [stranger, world.context(projectId), world.context(projectId, user)]) {
    assert.equal(await other.db.audit.count({ where: visibleAudits(other) }), 0)
  }
})
