import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import type { Context } from '../../context.ts'
import { deploy, makeFunction } from '../../testing/functions.ts'
import { createWorld, type World } from '../../testing/world.ts'
import { takeForeseen } from './foreseen.ts'
import { type FunctionPlan, findPlan } from './plans.ts'

let world: World
let ctx: Context
before(async () => {
  world = await createWorld()
  ctx = (await world.createProject()).owner
})
after(() => world.close())

const planOf = async (id: string): Promise<FunctionPlan> => (await findPlan(ctx, id)) ?? assert.fail('no function')
const foreseen = async (plan: FunctionPlan) => (await takeForeseen(plan))?.toString() ?? null

test('the code of a function that is asked for first is read along with it, and had once', async () => {
  const { id } = await makeFunction(ctx, 'the code')
  const plan = await planOf(id)
  assert.equal(await foreseen(plan), 'the code')
  assert.equal(await foreseen(plan), null)
  world.app.identities.forget([id])
  assert.equal(await foreseen(await planOf(id)), null, 'it is no first time any more')
})

test('code that takes longer to read than the function is not waited for, nor that of another deployment given', async () => {
  const large = await makeFunction(ctx, ' '.repeat(257 * 1024))
  assert.equal(await foreseen(await planOf(large.id)), null)
  const { id } = await makeFunction(ctx, 'old')
  const plan = await planOf(id)
  const deployment = plan.deployment && { ...plan.deployment, id: await deploy(ctx, id, 'new') }
  assert.equal(await takeForeseen({ ...plan, deployment }), null)
})
