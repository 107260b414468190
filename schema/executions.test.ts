import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import { type Actor, asSystem, type Context } from '../src/context.ts'
import { beginAttempt, finishAttempt } from '../src/modules/executions/attempts.ts'
import { outcomeOf } from '../src/modules/executions/outcome.ts'
import { perform } from '../src/modules/executions/perform.ts'
import { updateFunction } from '../src/modules/functions/functions.ts'
import { type Answer, createPeer, type PeerRun } from '../src/testing/executor.ts'
import { makeFunction } from '../src/testing/functions.ts'
import { listen, operate } from '../src/testing/operation.ts'
import { createWorld, type World } from '../src/testing/world.ts'
import { type Relay, startRelay } from '../workers/relay.ts'
import { createSchemas, type Schemas } from './schemas.ts'

let world: World
let schemas: Schemas
let ctx: Context
let peer: Awaited<ReturnType<typeof createPeer>>
let answer: (run: PeerRun) => Answer | null | Promise<Answer | null>

before(async () => {
  peer = await createPeer((run) => answer(run))
  world = await createWorld({ EXECUTORS: peer.url, EXECUTOR_SECRET: peer.secret })
  schemas = createSchemas(world.app)
  ctx = (await world.createProject()).owner
})
after(async () => {
  await schemas.close()
  await world.close()
  peer.close()
})

const fields =
  'id status trigger attempts path responseStatus responseHeaders { name value } responseBody failure durationMs isCold'
const within = 'error logs { level text } memoryBytes'
const fieldsFor = ({ actor }: Context) => (actor && actor.kind !== 'user' ? `${fields} ${within}` : fields)
const call = (input: object, as = ctx) =>
  operate(
    schemas,
    as,
    `mutation ($input: CreateExecutionInput!) { createExecution(input: $input) { ${fieldsFor(as)} } }`,
    { input },
  )
const readAs = (as: Context, id: string) =>
  operate(schemas, as, `query ($id: ID!) { execution(id: $id) { ${fieldsFor(as)} } }`, { id })
const as = (actor: Actor | null) => world.context(ctx.projectId, actor)
const user = (id: string, labels: string[] = []): Context =>
  as({ kind: 'user', id, sessionId: `ses_${id}`, verified: true, labels })
const asTrusted = () => ({ ...ctx, env: { ...ctx.env, TRUSTED_PROJECTS: ['*'] } })
const told = { logs: [{ at: 1_700_000_000_000, level: 'log', text: 'hi' }] } as const

test('a function is run and its answer answered; what is kept of it is read later', async () => {
  const { id: functionId } = await makeFunction(ctx)
  const response = { status: 200, headers: { 'x-b': '1', 'content-type': 'text/plain', allow: 'GET' } }
  answer = (run) => ({ ...told, response, body: `${run.request.method} ${run.request.url} ${run.body}`, isCold: true })
  const headers = [{ name: 'X-Color', value: 'blue' }]
  const given = { functionId, method: 'put', path: '/orders?page=2', headers, body: 'ünï' }
  const { data, errors } = await call(given)
  assert.deepEqual(errors, [])
  const { id, ...execution } = data?.createExecution ?? {}
  const expected = {
    status: 'COMPLETED',
    trigger: 'API',
    attempts: 1,
    path: '/orders?page=2',
    responseStatus: 200,
    responseHeaders: [
      { name: 'allow', value: 'GET' },
      { name: 'content-type', value: 'text/plain' },
      { name: 'x-b', value: '1' },
    ],
    responseBody: 'PUT /orders?page=2 ünï',
    failure: null,
    error: null,
    logs: [{ level: 'LOG', text: 'hi' }],
    durationMs: 3,
    memoryBytes: 1_000_000,
    isCold: true,
  }
  assert.deepEqual(execution, expected)
  assert.deepEqual((await readAs(ctx, id)).data?.execution, { id, ...expected })
  const sent = peer.runs.at(-1)
  assert.equal(sent?.request.headers['x-color'], 'blue')
  assert.equal(sent?.request.headers['tendril-trigger'], 'api')
  assert.equal(sent?.request.headers['tendril-execution-id'], id)
  assert.equal(sent?.variables.TENDRIL_FUNCTION_ID, functionId)
  assert.equal(sent?.tenant, ctx.projectId)
  const events = (await world.emitted()).filter((name) => name.startsWith('executions.'))
  assert.deepEqual(events, ['executions.finished'])
})

test('a cookie of an answer is for who is answered, and kept for nobody', async () => {
  const { id: functionId } = await makeFunction(ctx)
  answer = () => ({ response: { status: 200, headers: { 'set-cookie': 'sid=secret', 'x-b': '1' } }, body: '' })
  const { data } = await call({ functionId })
  const { id, responseHeaders } = data?.createExecution ?? {}
  assert.deepEqual(responseHeaders, [
    { name: 'set-cookie', value: 'sid=secret' },
    { name: 'x-b', value: '1' },
  ])
  const later = await operate(
    schemas,
    ctx,
    'query ($id: ID!) { execution(id: $id) { responseHeaders { name value } } }',
    { id },
  )
  const kept = later.data?.execution.responseHeaders
  assert.deepEqual(kept[0], { name: 'set-cookie', value: '***' })
})

test('code of an isolate gets no more memory than isolates have, and none is trusted whom the server trusts no more', async () => {
  const { id } = await makeFunction(ctx)
  await world.app.db.function.update({ where: { id }, data: { isTrusted: true } })
  await updateFunction(asTrusted(), id, { runtime: 'node-22', memoryMb: 2_048 })
  answer = () => ({ body: '' })
  await call({ functionId: id })
  const { memoryMb, isTrusted } = peer.runs.at(-1)?.limits ?? {}
  assert.deepEqual([memoryMb, isTrusted], [512, false])
  await call({ functionId: id }, asTrusted())
  assert.equal(peer.runs.at(-1)?.limits.isTrusted, true)
})

test('a run that fails says why to those who run the project, and that it failed to others', async () => {
  const { id: functionId } = await makeFunction(ctx, undefined, { execute: ['users'] })
  const failure = {
    reason: 'THREW',
    message: 'no such color',
    stack: 'Error: no such color\n    at index.js:3:7',
  } as const
  answer = () => ({ ...told, response: null, failure })
  const { data } = await call({ functionId })
  assert.deepEqual([data?.createExecution.status, data?.createExecution.failure], ['FAILED', 'THREW'])
  assert.equal(data?.createExecution.error, failure.stack)
  const ann = user('ann')
  const theirs = (await call({ functionId }, ann)).data?.createExecution
  assert.deepEqual([theirs.status, theirs.failure], ['FAILED', 'THREW'])
  for (const field of ['error', 'logs { text }', 'memoryBytes', 'function { id }', 'deployment { id }']) {
    const read = `query ($id: ID!) { execution(id: $id) { ${field} } }`
    assert.match((await operate(schemas, ann, read, { id: theirs.id })).errors[0] ?? '', /Cannot query field/)
  }
})

test('an executor that is gone or goes away in the middle is told as such, and may be tried again', async () => {
  const { id: functionId } = await makeFunction(ctx)
  answer = (run) => {
    run.cut()
    return null
  }
  assert.match((await call({ functionId })).errors[0] ?? '', /^UNAVAILABLE .*Try again/)
  const list = 'query ($where: ExecutionWhere) { executions(where: $where) { nodes { id failure } totalCount } }'
  const where = { functionId, status: 'FAILED' }
  const { data } = await operate(schemas, ctx, list, { where })
  assert.deepEqual(data?.executions.nodes[0].failure, 'CRASHED')
})

test('executions are listed by function, status, trigger and time, newest first', async () => {
  const { id: functionId } = await makeFunction(ctx)
  answer = () => ({})
  const ids = []
  for (const _ of [1, 2]) ids.unshift((await call({ functionId })).data?.createExecution.id)
  const later = (await call({ functionId, async: true })).data?.createExecution
  assert.deepEqual([later.status, later.attempts, later.responseBody], ['PENDING', 0, null])
  const list = 'query ($where: ExecutionWhere) { executions(where: $where) { nodes { id } totalCount } }'
  const of = async (where: object) =>
    (await operate(schemas, ctx, list, { where: { functionId, ...where } })).data?.executions.nodes.map(
      ({ id }: { id: string }) => id,
    )
  assert.deepEqual(await of({ status: 'COMPLETED' }), ids)
  assert.deepEqual(await of({ trigger: 'API' }), [later.id, ...ids])
  assert.deepEqual(await of({ trigger: 'EVENT' }), [])
  const soon = new Date(Date.now() + 60_000)
  assert.deepEqual([await of({ from: soon }), await of({ to: soon })], [[], [later.id, ...ids]])
})

test('one that waits is taken back, once', async () => {
  const { id: functionId } = await makeFunction(ctx)
  const scheduledAt = new Date(Date.now() + 3_600_000)
  const planned = (await call({ functionId, scheduledAt })).data?.createExecution
  const cancel = 'mutation ($id: ID!) { cancelExecution(id: $id) { status } }'
  const { id } = planned
  assert.deepEqual((await operate(schemas, ctx, cancel, { id })).data, { cancelExecution: { status: 'CANCELLED' } })
  assert.match((await operate(schemas, ctx, cancel, { id })).errors[0] ?? '', /^CONFLICT/)
  assert.match((await operate(schemas, ctx, cancel, { id: 'exe_none' })).errors[0] ?? '', /^NOT_FOUND/)
})

test('who may run a function: by its roles, and keys by their scope', async () => {
  const { id: functionId } = await makeFunction(ctx, undefined, { execute: ['label:staff', 'user:bob'] })
  answer = () => ({})
  const key = (scope: string) => as({ kind: 'key', id: 'key_1', scopes: new Set([scope]) })
  for (const may of [user('ann', ['staff']), user('bob'), key('executions.write')])
    assert.deepEqual((await call({ functionId }, may)).errors, [])
  const none = await call({ functionId: 'fun_none' }, user('ann'))
  for (const mayNot of [user('ann'), as(null)]) assert.deepEqual(await call({ functionId }, mayNot), none)
  assert.match((await call({ functionId }, key('executions.read'))).errors[0] ?? '', /Cannot query field|Unknown type/)
  const { owner: stranger } = await world.createProject()
  assert.deepEqual(await call({ functionId }, stranger), none)
  await updateFunction(ctx, functionId, { execute: ['any'] })
  assert.deepEqual((await call({ functionId }, as(null))).errors, [])
})

test('a user sees their own executions and no others, guests none, and another project none of this', async () => {
  const { id: functionId } = await makeFunction(ctx, undefined, { execute: ['any'] })
  answer = () => ({})
  const ann = user('ann2')
  const { id } = (await call({ functionId }, ann)).data?.createExecution ?? {}
  const read = async (as: Context) => (await readAs(as, id)).data?.execution?.id ?? null
  const { owner: stranger } = await world.createProject()
  const seen = await Promise.all([ann, ctx, user('bob'), as(null), stranger].map(read))
  assert.deepEqual(seen, [id, id, null, null, null])
  const cancel = 'mutation ($id: ID!) { cancelExecution(id: $id) { id } }'
  assert.deepEqual(
    await operate(schemas, user('bob'), cancel, { id }),
    await operate(schemas, user('bob'), cancel, { id: 'exe_none' }),
  )
})

test('a run that runs functions is cut at a depth, and told so; its function is not run', async () => {
  const { id: functionId } = await makeFunction(ctx)
  answer = () => ({})
  const within = (depth: number): Context => ({
    ...ctx,
    run: { functionId: 'fun_1', executionId: 'exe_1', depth, idempotencyKey: null },
  })
  const { data } = await call({ functionId }, within(4))
  assert.equal(data?.createExecution.status, 'COMPLETED')
  const count = peer.runs.length
  const cut = (await call({ functionId }, within(5))).data?.createExecution
  assert.deepEqual([cut.status, cut.failure, peer.runs.length], ['FAILED', 'DEPTH', count])
  assert.match(cut.error, /It was not run: 5 runs/)
  const later = (await call({ functionId, async: true }, within(5))).data?.createExecution
  assert.deepEqual([later.status, later.failure], ['FAILED', 'DEPTH'])
})

test('many at a time are each written, in few statements', async () => {
  const { id: functionId } = await makeFunction(ctx)
  answer = (run) => ({ body: String(run.body) })
  const bodies = Array.from({ length: 100 }, (_, i) => `${i}`)
  const answers = await Promise.all(bodies.map((body) => call({ functionId, body })))
  assert.deepEqual(
    answers.map(({ data }) => data?.createExecution.responseBody),
    bodies,
  )
  const kept = await ctx.db.execution.findMany({ where: { functionId }, orderBy: { id: 'asc' } })
  assert.deepEqual(new Set(kept.map(({ responseBody }) => responseBody)), new Set(bodies))
  assert.ok(kept.every(({ status }) => status === 'COMPLETED'))
})

test('a subscription tells each try that failed, how often it was tried, and when it is tried next', async () => {
  const { owner } = await world.createProject()
  const relay: Relay = startRelay(world.app)
  const node = 'node { status attempts failure scheduledAt }'
  const stream = await listen(schemas, owner, `subscription { executionChanged { kind event ${node} } }`)
  const next = async () => (await stream.next()).value?.data?.executionChanged
  try {
    const { id: functionId } = await makeFunction(owner, undefined, { maxAttempts: 2, retryAfterMs: 60_000 })
    const { data } = await call({ functionId, async: true }, owner)
    const { id } = data?.createExecution ?? {}
    const planned = { status: 'PENDING', attempts: 0, failure: null, scheduledAt: null }
    assert.partialDeepStrictEqual(await next(), { kind: 'CREATED', node: planned })
    const begun = Date.now()
    const tryOnce = async () => {
      const system = asSystem(world.app, 'functions', owner.projectId)
      const attempt = (await beginAttempt(system, id)) ?? assert.fail()
      const request = { method: 'POST', url: '/', headers: {}, body: Buffer.alloc(0) }
      const result = await perform(system, attempt.plan, attempt.execution, request)
      await finishAttempt(system, attempt, outcomeOf(attempt.plan, result, new Date()))
    }
    answer = () => ({ response: null, failure: { reason: 'THREW', message: 'no', stack: null } })
    await tryOnce()
    const retried = await next()
    const failed = { status: 'PENDING', attempts: 1, failure: 'THREW' }
    const event = `functions.${functionId}.executions.${id}.retried`
    assert.partialDeepStrictEqual(retried, { kind: 'UPDATED', event, node: failed })
    const waitMs = new Date(retried.node.scheduledAt).getTime() - begun
    assert.ok(waitMs >= 60_000 && waitMs < 120_000, String(waitMs))
    answer = () => ({ body: 'at last' })
    await tryOnce()
    const done = { status: 'COMPLETED', attempts: 2, failure: null }
    assert.partialDeepStrictEqual(await next(), { kind: 'UPDATED', node: done })
  } finally {
    await stream.return()
    await relay.stop()
  }
})
