import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import { LimitExceeded } from '../../errors.ts'
import { createWorld, type World } from '../../testing/world.ts'
import { createRunning } from './running.ts'

let world: World
before(async () => {
  world = await createWorld()
})
after(() => world.close())

test('a project has so many subscriptions on a node; one that ends makes room', () => {
  const running = createRunning(world.app.peers, 2)
  const begin = (projectId: string) =>
    running.begin(world.context(projectId), { operationName: null, transport: 'SSE' }, () => {})
  const [first, second] = [begin('prj_1'), begin('prj_1')]
  assert.throws(() => begin('prj_1'), LimitExceeded)
  const other = begin('prj_2')
  first.end()
  first.end()
  const third = begin('prj_1')
  assert.throws(() => begin('prj_1'), LimitExceeded)
  for (const one of [second, third, other]) one.end()
  running.close()
})
