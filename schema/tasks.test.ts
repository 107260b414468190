import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { Actor } from '../src/context.ts'
import { operate } from '../src/testing/operation.ts'
import { createStage } from '../src/testing/stage.ts'

const { world, schemas, owner: ctx } = await createStage()

const create =
  'mutation ($input: CreateTaskInput!) { createTask(input: $input) { id method timeZone nextRunAt enabled } }'
const input = { name: 't', schedule: '0 3 * * *', url: 'https://example.org/nightly' }
const make = async () => (await operate(schemas, ctx, create, { input })).data?.createTask

test('a task is made, read, listed, changed, run and deleted', async () => {
  const headers = [{ name: 'authorization', value: 'Bearer canary' }]
  const { data, errors } = await operate(schemas, ctx, create, {
    input: { ...input, headers, timeZone: 'Europe/Berlin' },
  })
  assert.deepEqual(errors, [])
  const { id, method, nextRunAt } = data?.createTask ?? {}
  assert.equal(method, 'GET')
  assert.ok(new Date(nextRunAt) > new Date())
  const list = await operate(schemas, ctx, '{ tasks { totalCount nodes { id name schedule timeZone } } }')
  assert.equal(list.data?.tasks.nodes[0].timeZone, 'Europe/Berlin')
  const change = 'mutation ($input: UpdateTaskInput!) { updateTask(input: $input) { name enabled nextRunAt } }'
  const changed = await operate(schemas, ctx, change, { input: { id, name: 'u', enabled: false } })
  assert.deepEqual(changed.data?.updateTask, { name: 'u', enabled: false, nextRunAt: null })
  const run = await operate(schemas, ctx, 'mutation ($id: ID!) { runTask(id: $id) { id status } }', { id })
  assert.equal(run.data?.runTask.status, 'PENDING')
  const source =
    'query ($id: ID!) { task(id: $id) { runs { nodes { id status } } ended: runs(where: { status: FAILED }) { totalCount } } }'
  const read = await operate(schemas, ctx, source, { id })
  assert.deepEqual(read.data?.task, { runs: { nodes: [run.data?.runTask] }, ended: { totalCount: 0 } })
  const one = 'query ($id: ID!) { taskRun(id: $id) { id status } }'
  const { id: runId } = run.data?.runTask ?? {}
  assert.deepEqual((await operate(schemas, ctx, one, { id: runId })).data, { taskRun: run.data?.runTask })
  assert.deepEqual(await operate(schemas, ctx, one, { id: 'run_none' }), { data: { taskRun: null }, errors: [] })
  const gone = await operate(schemas, ctx, 'mutation ($id: ID!) { deleteTask(id: $id) }', { id })
  assert.deepEqual(gone.data, { deleteTask: id })
})

test('how a task calls and stands is answered, its secrets are not; a run that waits is taken back', async () => {
  const how = { verifyTls: false, timeoutMs: 5_000, misfire: 'RUN_ALL', overlap: 'SKIP' }
  const secret = { basicAuth: { username: 'ann', password: 'canary' }, headers: [{ name: 'X-Key', value: 'canary' }] }
  const made = await operate(schemas, ctx, create, { input: { ...input, ...how, ...secret } })
  const { id } = made.data?.createTask ?? {}
  const fields = 'status username headerNames verifyTls timeoutMs misfire overlap'
  const { data, errors } = await operate(schemas, ctx, `query ($id: ID!) { task(id: $id) { ${fields} } }`, { id })
  assert.deepEqual(errors, [])
  assert.deepEqual(data?.task, { status: 'ENABLED', username: 'ann', headerNames: ['x-key'], ...how })
  const run = await operate(schemas, ctx, 'mutation ($id: ID!) { runTask(id: $id) { id } }', { id })
  const cancel = 'mutation ($id: ID!) { cancelTaskRun(id: $id) { status } }'
  const runId = run.data?.runTask.id
  assert.deepEqual((await operate(schemas, ctx, cancel, { id: runId })).data, {
    cancelTaskRun: { status: 'CANCELLED' },
  })
  assert.match((await operate(schemas, ctx, cancel, { id: runId })).errors[0] ?? '', /^CONFLICT/)
  assert.match((await operate(schemas, ctx, cancel, { id: 'run_none' })).errors[0] ?? '', /^NOT_FOUND/)
})

test('invalid input is said with its path', async () => {
  for (const [wrong, path] of [
    [{ schedule: 'never' }, 'input.schedule'],
    [{ timeZone: 'Mars/One' }, 'input.timeZone'],
    [{ url: 'ftp://example.org' }, 'input.url'],
    [{ method: 'CONNECT' }, 'input.method'],
    [{ timeoutMs: 60_001 }, 'input.timeoutMs'],
    [{ basicAuth: { username: 'a:b', password: '' } }, 'input.basicAuth.username'],
    [{ headers: [{ name: 'a', value: 'b\r\nc: d' }] }, 'input.headers.0.value'],
  ] as const) {
    const { errors } = await operate(schemas, ctx, create, { input: { ...input, ...wrong } })
    assert.match(errors[0] ?? '', new RegExp(`^INVALID .*\\(${path}\\)$`), JSON.stringify(wrong))
  }
})

test('another project’s task is as one that is not; without the scope there is no trace of tasks', async () => {
  const { id } = await make()
  const { owner: stranger } = await world.createProject()
  for (const source of ['deleteTask(id: $id)', 'runTask(id: $id) { id }']) {
    const refused = await operate(schemas, stranger, `mutation ($id: ID!) { ${source} }`, { id })
    assert.deepEqual(refused, await operate(schemas, stranger, `mutation ($id: ID!) { ${source} }`, { id: 'tsk_none' }))
    assert.match(refused.errors[0] ?? '', /^NOT_FOUND/)
  }
  const actors: (Actor | null)[] = [
    null,
    { kind: 'user', id: 'usr_1', sessionId: 's', verified: true, labels: [] },
    { kind: 'key', id: 'key_1', scopes: new Set(['users.read']) },
  ]
  for (const actor of actors) {
    const other = world.context(ctx.projectId, actor)
    const { data } = await operate(schemas, other, '{ __schema { types { name fields { name } } } }')
    assert.ok(!/task/i.test(JSON.stringify(data)))
  }
})
