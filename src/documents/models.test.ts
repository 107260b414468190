import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import { type Relay, startRelay } from '../../workers/relay.ts'
import { sqlTransaction } from '../context.ts'
import { raiseRevision } from '../modules/databases/revision.ts'
import { eventually } from '../testing/receiver.ts'
import { createWorld, type World } from '../testing/world.ts'
import { createModels } from './models.ts'

let world: World
let relay: Relay

before(async () => {
  world = await createWorld()
  relay = startRelay(world.app)
})
after(async () => {
  await relay.stop()
  await world.close()
})

test('a change is heard of while the model of another project takes long to be read', async () => {
  const models = createModels(world.app)
  const [slow, changed] = await Promise.all([world.createProject(), world.createProject()])
  const before = await models.get(changed.projectId)
  let told = 0
  models.watch(changed.projectId, () => {
    told += 1
  })
  const client = await world.app.sql.connect()
  try {
    await client.query('begin; lock table collections in access exclusive mode')
    const reading = [models.get(slow.projectId)]
    await sqlTransaction(slow.owner, raiseRevision)
    await sqlTransaction(changed.owner, raiseRevision)
    await eventually(() => assert.equal(told, 1), 10_000)
    reading.push(models.get(changed.projectId))
    await client.query('commit')
    const [, now] = await Promise.all(reading)
    assert.deepEqual([before.revision, now?.revision], [0, 1])
    assert.equal((await models.get(slow.projectId)).revision, 1)
  } finally {
    client.release()
    await models.close()
  }
})
