import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import { emit } from '../src/event.ts'
import { userUpdated } from '../src/modules/users/events.ts'
import { createWorld, type World } from '../src/testing/world.ts'
import { once } from './once.ts'

let world: World

before(async () => {
  world = await createWorld()
})
after(() => world.close())

test('an effect happens once for each event and handler, however many run it at once; one that failed may run again', async () => {
  const { owner: ctx } = await world.createProject()
  const eventId = crypto.randomUUID()
  const effect = () => once(ctx, eventId, 'a', async (tx) => void (await emit(tx, userUpdated, { userId: 'u' })))
  const failing = once(ctx, eventId, 'a', async (tx) => {
    await emit(tx, userUpdated, { userId: 'u' })
    throw new Error('no')
  })
  await assert.rejects(failing, /no/)
  const firsts = await Promise.all(Array.from({ length: 8 }, effect))
  assert.equal(firsts.filter(Boolean).length, 1)
  assert.equal(await once(ctx, eventId, 'b', async () => {}), true)
  assert.equal((await world.emitted()).length, 1)
})
