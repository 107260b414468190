import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import type { Actor, Context } from '../src/context.ts'
import { createExecution } from '../src/modules/executions/executions.ts'
import { readRequest } from '../src/modules/executions/request.ts'
import { runFunction } from '../src/modules/executions/run.ts'
import { planForEvents } from '../src/modules/executions/triggers.ts'
import { findPlan } from '../src/modules/functions/plans.ts'
import { createPeer } from '../src/testing/executor.ts'
import { makeFunction } from '../src/testing/functions.ts'
import { listen, operate } from '../src/testing/operation.ts'
import { statements } from '../src/testing/statements.ts'
import { createWorld, type World } from '../src/testing/world.ts'
import { type Relay, startRelay } from '../workers/relay.ts'
import { createSchemas, type Schemas } from './schemas.ts'

let world: World
let schemas: Schemas
let owner: Context
let peer: Awaited<ReturnType<typeof createPeer>>
let relay: Relay

before(async () => {
  peer = await createPeer(() => ({ body: 'what only the project is to know' }))
  world = await createWorld({ EXECUTORS: peer.url, EXECUTOR_SECRET: peer.secret })
  schemas = createSchemas(world.app)
  owner = (await world.createProject()).owner
  relay = startRelay(world.app)
})
after(async () => {
  await relay.stop()
  await schemas.close()
  await world.close()
  peer.close()
})

const as = (actor: Actor | null) => world.context(owner.projectId, actor)
const user = (id: string) => as({ kind: 'user', id, sessionId: `ses_${id}`, verified: true, labels: [] })
const listed = async (ctx: Context) =>
  (await operate(schemas, ctx, '{ executions { totalCount nodes { id } } }')).data?.executions

/** A run for what a user has done, and one that has decided on it: neither was asked for by them. */
async function runsInTheNameOf(ctx: Context): Promise<string[]> {
  const { id } = await makeFunction(owner, undefined, { events: ['users.updated'] })
  const event = { id: crypto.randomUUID(), projectId: ctx.projectId, type: 'users.updated', payload: {} }
  const place = { seq: 1n, prev: 0n, name: 'users.x.updated', aggregate: 'users.x', at: new Date() }
  await planForEvents(world.app, [{ ...event, ...place, actorKind: 'user', actorId: ctx.actor?.id ?? null }])
  const plan = (await findPlan(world.app, id)) ?? assert.fail()
  const decided = await runFunction(ctx, plan, { trigger: 'HOOK', request: readRequest({}) })
  const rows = await world.app.db.execution.findMany({ where: { functionId: id, trigger: 'EVENT' } })
  assert.equal(rows.length, 1)
  return [decided.execution.id, ...rows.map((row) => row.id)]
}

test('what runs because of what a user did is not theirs to see, and not theirs to take back', async () => {
  const ann = user('ann')
  const ids = await runsInTheNameOf(ann)
  assert.deepEqual(await listed(ann), { totalCount: 0, nodes: [] })
  const none = await operate(schemas, ann, 'mutation { cancelExecution(id: "exe_none") { id } }')
  for (const id of ids) {
    const read = await operate(schemas, ann, `{ execution(id: "${id}") { responseBody } }`)
    assert.deepEqual(read, { data: { execution: null }, errors: [] })
    const cancelled = await operate(schemas, ann, `mutation { cancelExecution(id: "${id}") { id } }`)
    assert.deepEqual(cancelled, none)
  }
  const { totalCount } = await listed(owner)
  assert.equal(totalCount, 2)
})

test('an execution leads to its function and deployment, for those who may read functions', async () => {
  const { id: functionId } = await makeFunction(owner, undefined, { execute: ['any'] })
  const { deploymentId } = await owner.db.function.findUniqueOrThrow({ where: { id: functionId } })
  const fields = '{ id function { id name } deployment { id function { id } } }'
  const create = `mutation ($input: CreateExecutionInput!) { createExecution(input: $input) ${fields} }`
  const key = (...scopes: string[]) => as({ kind: 'key', id: 'key_1', scopes: new Set(scopes) })
  const executions = ['executions.read', 'executions.write']
  for (const ctx of [owner, key(...executions, 'functions.read')]) {
    const made = await operate(schemas, ctx, create, { input: { functionId } })
    const { id } = made.data?.createExecution ?? {}
    const read = await operate(schemas, ctx, `query ($id: ID!) { execution(id: $id) ${fields} }`, { id })
    const deployment = { id: deploymentId, function: { id: functionId } }
    const execution = { id, function: { id: functionId, name: 'f' }, deployment }
    assert.deepEqual(
      [made, read].flatMap(({ errors }) => errors),
      [],
    )
    assert.deepEqual([made.data?.createExecution, read.data?.execution], [execution, execution])
  }
  for (const ctx of [user('eve'), key(...executions)]) {
    const types = (await schemas.for(ctx)).getTypeMap()
    assert.deepEqual([types.Execution !== undefined, types.Function, types.Deployment], [true, undefined, undefined])
    const [error] = (await operate(schemas, ctx, create, { input: { functionId } })).errors
    assert.match(error ?? '', /Cannot query field "function" on type "Execution"/)
  }
})

test('a subscription tells users of executions that they have asked for, and guests of none', async () => {
  const { id: functionId } = await makeFunction(owner, undefined, { execute: ['any'] })
  const told: Record<string, string[]> = { ann: [], bob: [], guest: [], owner: [] }
  const contexts = { ann: user('ann'), bob: user('bob'), guest: as(null), owner }
  const streams = await Promise.all(
    Object.entries(contexts).map(async ([name, ctx]) => {
      const stream = await listen(schemas, ctx, 'subscription { executionChanged { id event } }')
      const follow = async () => {
        for (;;) {
          const { done, value } = await stream.next()
          if (done) return
          told[name]?.push(value.data?.executionChanged.id)
        }
      }
      void follow().catch(() => {})
      return stream
    }),
  )
  const { id } = await createExecution(contexts.ann, { functionId })
  const [other] = await runsInTheNameOf(contexts.ann)
  for (let tries = 0; tries < 100 && !told.owner?.includes(other ?? ''); tries += 1) await sleep(50)
  await sleep(100)
  for (const stream of streams) await stream.return()
  assert.deepEqual([told.ann, told.bob, told.guest], [[id], [], []])
  assert.ok(told.owner?.includes(id))
})

test('subscribers who are told of a run, and those who are not, cost no statement each', async () => {
  const { id: functionId } = await makeFunction(owner, undefined, { execute: ['any'] })
  const ann = user('ann')
  const many = Array.from({ length: 30 }, (_, i) => user(`user-${i}`))
  const told: string[] = []
  const streams = await Promise.all(
    [owner, ann, ...many].map(async (ctx) => {
      const stream = await listen(schemas, ctx, 'subscription { executionChanged { id event } }')
      const follow = async () => {
        for (let step = await stream.next(); !step.done; step = await stream.next()) told.push(ctx.actor?.id ?? '')
      }
      void follow().catch(() => {})
      return stream
    }),
  )
  const { texts } = await statements(async () => {
    await createExecution(ann, { functionId })
    for (let tries = 0; tries < 100 && told.length < 2; tries += 1) await sleep(50)
    await sleep(200)
  })
  for (const stream of streams) await stream.return()
  assert.deepEqual(new Set(told), new Set([owner.actor?.id, 'ann']))
  // Its beginning and its end are written, in one statement where it is over soon.
  const written = texts.filter((text) => /"?executions"?\s/.test(text)).length
  assert.ok(written === 1 || written === 2, texts.join('\n'))
})
