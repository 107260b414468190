import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import type { Context } from '../../context.ts'
import { makeFunction } from '../../testing/functions.ts'
import { createWorld, type World } from '../../testing/world.ts'
import { takeForeseen } from './foreseen.ts'
import { type FunctionPlan, findPlan, findPlanToRun } from './plans.ts'

let world: World
let ctx: Context
before(async () => {
  world = await createWorld()
  ctx = (await world.createProject()).owner
})
after(() => world.close())

const planOf = async (id: string): Promise<FunctionPlan> => (await findPlanToRun(ctx, id)) ?? assert.fail('no function')
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
  if (plan.deployment) plan.deployment.id = 'dep_another'
  assert.equal(await foreseen(plan), null)
})

test('every character of the code comes through; what is no text, or no code of an isolate, is not read along', async () => {
  const code = '\uFEFF"ä€𝄞\u2028\t\r\n\\x00"'
  assert.equal(await foreseen(await planOf((await makeFunction(ctx, code)).id)), code)
  const torn = await makeFunction(ctx, Buffer.from([0x22, 0xff, 0x22]))
  assert.equal(await foreseen(await planOf(torn.id)), null)
  const contained = await makeFunction(ctx, 'an archive', { runtime: 'python-3', entrypoint: 'main.py' })
  assert.equal(await foreseen(await planOf(contained.id)), null)
})

test('a copy of a function finds it, whoever runs nothing reads none', async () => {
  const { id } = await makeFunction(ctx, 'the code')
  assert.equal(await foreseen((await findPlan(ctx, id)) ?? assert.fail()), null)
  world.app.identities.forget([id])
  assert.equal(await foreseen({ ...(await planOf(id)), runAs: 'FUNCTION' }), 'the code')
})

test('whoever asks for functions that there are not has nothing kept, and few connections beside', async (t) => {
  const asked = t.mock.method(world.app.sql, 'query')
  const names = () => asked.mock.calls.map(({ arguments: [query] }) => (query as unknown as { name?: string }).name)
  const count = (name: string) => names().filter((one) => one === name).length
  const ask = (id: string) => findPlanToRun(ctx, id)
  for (const id of ['x'.repeat(1_000_000), '', 'a b', 'fun_\0']) assert.equal(await ask(id), null)
  assert.equal(count('function'), 0)
  const ids = Array.from({ length: 12 }, (_, i) => `fun_${i}`)
  await Promise.all(ids.map(ask))
  assert.deepEqual([count('function'), count('function code')], [12, 4])
  assert.equal(await ask('fun_0'), null)
  assert.equal(count('function code'), 5, 'it is not seen as known')
})
