import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import { newId } from '../src/lib/ids.ts'
import { createCollection } from '../src/modules/collections/collections.ts'
import { createDatabase } from '../src/modules/databases/databases.ts'
import { createTables } from '../src/testing/tables.ts'
import { createWorld, type World } from '../src/testing/world.ts'
import { projectsBehind } from './databases/changes.ts'
import { databases } from './databases.ts'
import { startWorkers } from './start.ts'
import '../src/testing/agenda.ts'

let world: World

before(async () => {
  world = await createWorld()
})
after(() => world.close())

test('events that ask for changes lead to one job for each project', async () => {
  const event = (type: string, projectId: string, payload: unknown, actorKind = 'account') => ({
    seq: 1n,
    prev: 0n,
    id: newId('evt'),
    projectId,
    name: type,
    type,
    aggregate: '',
    payload,
    actorKind,
    actorId: null,
    at: new Date(),
  })
  const [reaction] = databases.reactions
  assert.ok(reaction)
  const events = [
    event('collections.created', 'a', { status: 'PROCESSING' }),
    event('attributes.updated', 'b', { status: 'DELETING' }),
    event('attributes.created', 'a', { status: 'PROCESSING' }),
    event('attributes.updated', 'c', { status: 'AVAILABLE' }, 'system'),
    event('collections.updated', 'd', { status: 'AVAILABLE' }, 'system'),
    event('collections.updated', 'e', { status: 'AVAILABLE' }),
    event('databases.deleted', 'f', {}),
    event('collections.deleted', 'i', {}),
    event('users.created', 'g', {}),
    event('attributes.updated', 'h', { status: 'CHANGING' }),
  ]
  const jobs = await reaction(world.app, events)
  assert.deepEqual(
    jobs.map(({ data }) => data),
    ['a', 'b', 'e', 'f', 'i', 'h'].map((projectId) => ({ projectId })),
  )
  assert.equal(jobs[0]?.key, events[2]?.id)
})

test('what has waited for long is owed again', async () => {
  const { ctx, create } = await createTables(world)
  await create({ key: 'posts' })
  assert.ok(!(await projectsBehind(world.app.sql, new Date(Date.now() - 60_000))).includes(ctx.projectId))
  const later = { ...world.app, clock: () => new Date(Date.now() + 180_000) }
  const owed = await databases.owed?.(later)
  assert.ok(owed?.some(({ data }) => JSON.stringify(data) === JSON.stringify({ projectId: ctx.projectId })))
})

test('from the mutation to the type: relay, bridge, queue and worker', async () => {
  const fresh = await createWorld()
  const workers = await startWorkers(fresh.app, {
    only: ['databases'],
    sweepEveryMs: 500,
    queue: { lockMs: 4_000, touchEveryMs: 1_000 },
  })
  try {
    const { owner } = await fresh.createProject()
    const database = await createDatabase(owner, { key: 'main' })
    const { id } = await createCollection(owner, { databaseId: database.id, key: 'posts', permissions: [] })
    const started = performance.now()
    const statusOf = async () => (await owner.db.collection.findUniqueOrThrow({ where: { id } })).status
    while ((await statusOf()) !== 'AVAILABLE' && performance.now() - started < 10_000) await sleep(20)
    assert.equal(await statusOf(), 'AVAILABLE')
  } finally {
    await workers.stop()
    await fresh.close()
  }
})
