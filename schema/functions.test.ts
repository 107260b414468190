import assert from 'node:assert/strict'
import { test } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import type { Actor, Context } from '../src/context.ts'
import { createExecution } from '../src/modules/executions/executions.ts'
import { functionLimit } from '../src/modules/functions/functions.ts'
import { setVariable } from '../src/modules/variables/variables.ts'
import { createPeer } from '../src/testing/executor.ts'
import { deploy, makeFunction } from '../src/testing/functions.ts'
import { operate } from '../src/testing/operation.ts'
import { createStage } from '../src/testing/stage.ts'

const { world, schemas, owner: ctx } = await createStage({ TRUSTED_PROJECTS: 'prj_trusted' })

const key = (...scopes: string[]): Context =>
  world.context(ctx.projectId, { kind: 'key', id: 'key_1', scopes: new Set(scopes) })
const fields = 'id name runtime entrypoint execute scopes runAs events schedule timeZone nextRunAt timeoutMs enabled'
const create = `mutation ($input: CreateFunctionInput!) { createFunction(input: $input) { ${fields} } }`
const update = `mutation ($input: UpdateFunctionInput!) { updateFunction(input: $input) { ${fields} } }`
const input = { name: 'f', runtime: 'javascript' }
const make = async (given = {}, as = ctx) =>
  (await operate(schemas, as, create, { input: { ...input, ...given } })).data?.createFunction

test('a function is made, read, listed, changed and deleted', async () => {
  const given = { runtime: 'typescript', execute: ['any', 'users', 'any'], events: ['users.*'], runAs: 'FUNCTION' }
  const { data, errors } = await operate(schemas, ctx, create, { input: { ...input, ...given } })
  assert.deepEqual(errors, [])
  const { id, entrypoint, execute, runAs, timeoutMs, nextRunAt } = data?.createFunction ?? {}
  const expected = { entrypoint: 'index.ts', execute: ['any', 'users'], runAs: 'FUNCTION', timeoutMs: 15_000 }
  assert.deepEqual({ entrypoint, execute, runAs, timeoutMs }, expected)
  assert.equal(nextRunAt, null)
  const timed = { id, schedule: '0 3 * * *', timeZone: 'Europe/Berlin', scopes: ['users.read'] }
  const changed = (await operate(schemas, ctx, update, { input: timed })).data?.updateFunction
  assert.ok(new Date(changed.nextRunAt) > new Date())
  assert.deepEqual([changed.scopes, changed.name], [['users.read'], 'f'])
  const paused = await operate(schemas, ctx, update, { input: { id, enabled: false } })
  assert.equal(paused.data?.updateFunction.nextRunAt, null)
  const list = await operate(schemas, ctx, '{ functions { totalCount nodes { id } } }')
  assert.deepEqual(list.data?.functions, { totalCount: 1, nodes: [{ id }] })
  const one = 'query ($id: ID!) { function(id: $id) { name deploymentId } }'
  assert.deepEqual((await operate(schemas, ctx, one, { id })).data?.function, { name: 'f', deploymentId: null })
  const deploymentId = await deploy(ctx, id, 'x')
  assert.equal((await operate(schemas, ctx, one, { id })).data?.function.deploymentId, deploymentId)
  const gone = await operate(schemas, ctx, 'mutation ($id: ID!) { deleteFunction(id: $id) }', { id })
  assert.deepEqual(gone.data, { deleteFunction: id })
  assert.equal((await operate(schemas, ctx, one, { id })).data?.function, null)
  assert.deepEqual(
    (await world.emitted()).filter((name) => name.startsWith('functions.')),
    ['functions.created', 'functions.updated', 'functions.updated', 'functions.updated', 'functions.deleted'],
  )
})

test('invalid input is said with its path', async () => {
  for (const [wrong, path] of [
    [{ runtime: 'cobol-60' }, 'input.runtime'],
    [{ runtime: 'python-3.11' }, 'input.entrypoint'],
    [{ entrypoint: '../index.js' }, 'input.entrypoint'],
    [{ entrypoint: '/index.js' }, 'input.entrypoint'],
    [{ execute: ['any', 'everybody'] }, 'input.execute.1'],
    [{ scopes: ['all'] }, 'input.scopes.0'],
    [{ events: ['users.vanished'] }, 'input.events.0'],
    [{ events: Array.from({ length: 51 }, () => 'users.*') }, 'input.events'],
    [{ schedule: 'never' }, 'input.schedule'],
    [{ schedule: '0 3 * * *', timeZone: 'Mars/One' }, 'input.timeZone'],
    [{ timeoutMs: 999 }, 'input.timeoutMs'],
    [{ memoryMb: 1_025 }, 'input.memoryMb'],
    [{ memoryMb: 513 }, 'input.memoryMb'],
    [{ maxAttempts: 0 }, 'input.maxAttempts'],
    [{ retryAfterMs: 1 }, 'input.retryAfterMs'],
  ] as const) {
    const { errors } = await operate(schemas, ctx, create, { input: { ...input, ...wrong } })
    assert.match(errors[0] ?? '', new RegExp(`^INVALID .*\\(${path}\\)$`), JSON.stringify(wrong))
  }
})

test('a function that names no entry point has that of its runtime, where an executor has said it', async () => {
  const peer = await createPeer(() => null)
  const stage = await createStage({ EXECUTORS: peer.url, EXECUTOR_SECRET: peer.secret })
  const given = { input: { ...input, runtime: 'python-3.11' } }
  while (stage.world.app.sandbox.runtimes().length === 0) await sleep(20)
  const { data, errors } = await operate(stage.schemas, stage.owner, create, given)
  peer.close()
  assert.deepEqual([data?.createFunction?.entrypoint, errors], ['main.py', []])
})

test('a runtime that nobody knows is refused with those that there are', async () => {
  for (const runtime of ['cobol-60', 'node-', 'nodejs-22']) {
    const { errors } = await operate(schemas, ctx, create, { input: { ...input, runtime, entrypoint: 'a' } })
    const told = `INVALID “${runtime}” is not a runtime. There are javascript, typescript; and, once they are offered, all of node, python, `
    assert.ok(errors[0]?.startsWith(told), String(errors[0]))
  }
  assert.equal((await make({ runtime: 'node-18.0', entrypoint: 'a.js' })).runtime, 'node-18.0')
})

test('runtimes in Docker can be named before they are there, with more memory; which can run is told', async () => {
  const made = await make({ runtime: 'python-3.11', entrypoint: 'main.py', memoryMb: 1_024 })
  assert.equal(made.runtime, 'python-3.11')
  const { data } = await operate(schemas, ctx, '{ runtimes { name engine isAvailable unavailableReason } }')
  assert.deepEqual(data?.runtimes[0], {
    name: 'javascript',
    engine: 'ISOLATE',
    isAvailable: false,
    unavailableReason: 'No executor of functions can be reached.',
  })
})

test('nobody makes a function that may more than they may, nor changes one that does', async () => {
  const weak = key('functions.write', 'users.read')
  const refused = await operate(schemas, weak, create, { input: { ...input, scopes: ['users.write'] } })
  assert.match(refused.errors[0] ?? '', /^FORBIDDEN This function may users.write/)
  const { id } = await make({ scopes: ['users.read'] }, weak)
  const stronger = await operate(schemas, weak, update, { input: { id, scopes: ['users.write'] } })
  assert.match(stronger.errors[0] ?? '', /^FORBIDDEN/)
  await operate(schemas, ctx, update, { input: { id, scopes: ['users.write'] } })
  const renamed = await operate(schemas, weak, update, { input: { id, name: 'mine' } })
  assert.match(renamed.errors[0] ?? '', /^FORBIDDEN/)
  const weaker = await operate(schemas, weak, update, { input: { id, scopes: [] } })
  assert.match(weaker.errors[0] ?? '', /^FORBIDDEN/)
})

test('events of documents are for those who may read documents; trust is given by whoever runs the server', async () => {
  const documents = { input: { ...input, events: ['documents.created'] } }
  const blind = await operate(schemas, key('functions.write'), create, documents)
  assert.match(blind.errors[0] ?? '', /^FORBIDDEN .*documents.read/)
  assert.deepEqual((await operate(schemas, key('functions.write', 'documents.read'), create, documents)).errors, [])
  const trusted = await operate(schemas, ctx, create, { input: { ...input, isTrusted: true } })
  assert.match(trusted.errors[0] ?? '', /^FORBIDDEN .*TRUSTED_PROJECTS/)
  await world.app.db.project.create({ data: { id: 'prj_trusted', name: 't' } })
  const other = world.context('prj_trusted', { kind: 'key', id: 'key_2', scopes: new Set(['functions.write']) })
  assert.deepEqual((await operate(schemas, other, create, { input: { ...input, isTrusted: true } })).errors, [])
})

test('a project has so many functions', async () => {
  const { owner } = await world.createProject()
  const row = { projectId: owner.projectId, name: 'f', runtime: 'javascript', entrypoint: 'index.js' }
  const rows = Array.from({ length: functionLimit - 1 }, (_, i) => ({ ...row, id: `fun_limit${i}` }))
  await world.app.db.function.createMany({ data: rows })
  await makeFunction(owner)
  await assert.rejects(makeFunction(owner), { code: 'LIMIT_EXCEEDED' })
})

test('another project’s function is as one that is not; without the scope there is no trace of functions', async () => {
  const { id } = await make()
  const { owner: stranger } = await world.createProject()
  const asked = (of: string) => [
    operate(schemas, stranger, 'mutation ($id: ID!) { deleteFunction(id: $id) }', { id: of }),
    operate(schemas, stranger, update, { input: { id: of, name: 'mine' } }),
    operate(schemas, stranger, 'query ($id: ID!) { function(id: $id) { id } }', { id: of }),
  ]
  assert.deepEqual(await Promise.all(asked(id)), await Promise.all(asked('fun_none')))
  const actors: (Actor | null)[] = [
    null,
    { kind: 'user', id: 'usr_1', sessionId: 's', verified: true, labels: [] },
    { kind: 'key', id: 'key_1', scopes: new Set(['users.read']) },
  ]
  for (const actor of actors) {
    const other = world.context(ctx.projectId, actor)
    const { data } = await operate(schemas, other, '{ __schema { types { name fields { name } } } }')
    assert.ok(!/functions|updateFunction|deleteFunction|setVariable/.test(JSON.stringify(data)))
  }
})

test('a function leads to its deployment, variables and executions, and they lead back', async () => {
  const { id } = await makeFunction(ctx, 'x')
  const { deploymentId } = await ctx.db.function.findUniqueOrThrow({ where: { id } })
  await setVariable(ctx, { functionId: id, key: 'A', value: '1' })
  await setVariable(ctx, { key: 'B', value: '2' })
  const { id: executionId } = await createExecution(ctx, { functionId: id, async: true })
  const graph = `query ($id: ID!) { function(id: $id) {
    deployment { id function { id } }
    variables { totalCount nodes { key function { id } } }
    executions { totalCount nodes { id } }
    ended: executions(where: { status: COMPLETED }) { totalCount }
    failed: deployments(where: { status: FAILED }) { totalCount }
  } }`
  const expected = {
    deployment: { id: deploymentId, function: { id } },
    variables: { totalCount: 1, nodes: [{ key: 'A', function: { id } }] },
    executions: { totalCount: 1, nodes: [{ id: executionId }] },
    ended: { totalCount: 0 },
    failed: { totalCount: 0 },
  }
  for (const reader of [ctx, key('functions.read', 'executions.read')]) {
    const { data, errors } = await operate(schemas, reader, graph, { id })
    assert.deepEqual([data?.function, errors], [expected, []])
  }
  const { errors } = await operate(schemas, key('functions.read'), graph, { id })
  assert.match(errors.join('\n'), /Cannot query field "executions" on type "Function"/)
  const empty = await make({ name: 'no code' })
  const { data } = await operate(schemas, ctx, 'query ($id: ID!) { function(id: $id) { deployment { id } } }', {
    id: empty.id,
  })
  assert.deepEqual(data, { function: { deployment: null } })
})
