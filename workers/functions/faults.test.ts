/** Runs that nobody waits for, while `kill -9` takes the worker or the executor in the middle of them. */
import assert from 'node:assert/strict'
import { once } from 'node:events'
import { createServer, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { after, afterEach, before, test } from 'node:test'
import { program, startExecutor, type TestExecutor } from '../../functions-runtime/testing/executor.ts'
import { type Api, startApi } from '../../src/api.ts'
import type { Context } from '../../src/context.ts'
import { createExecution } from '../../src/modules/executions/executions.ts'
import { freePort } from '../../src/servers/ports.ts'
import { createCollections } from '../../src/testing/collections.ts'
import { makeFunction } from '../../src/testing/functions.ts'
import { patienceMs, patient } from '../../src/testing/patience.ts'
import { eventually } from '../../src/testing/receiver.ts'
import { within } from '../../src/testing/stream.ts'
import { createWorkerProcesses, type WorkerProcesses } from '../../src/testing/worker-processes.ts'
import { createWorld, type World } from '../../src/testing/world.ts'

/** What functions wait for in the middle of their runs: it answers when it is told to. */
const held: ServerResponse[] = []
const gate = createServer((_req, res) => void held.push(res))

let world: World
let api: Api
let executor: TestExecutor
let workers: WorkerProcesses
let ctx: Context
let start: () => Promise<TestExecutor>
let notesId: string

before(async () => {
  await once(gate.listen(0, '127.0.0.1'), 'listening')
  const [port, executorPort] = [await freePort(), await freePort()]
  const secret = 'a secret of both sides'
  const TENDRIL_URL = `http://127.0.0.1:${port}`
  const given = { EXECUTOR_SECRET: secret, TENDRIL_URL, EGRESS_ALLOW: '127.0.0.1/32', PORT: String(executorPort) }
  start = () => startExecutor(given)
  executor = await start()
  const reached = { EXECUTORS: executor.url, EXECUTOR_SECRET: secret }
  world = await createWorld({ PORT: String(port), ...reached })
  api = await startApi(world.app)
  workers = createWorkerProcesses(world, 'functions', reached)
  ctx = (await world.createProject()).owner
  const { notes = '' } = await createCollections(ctx, {
    notes: { permissions: [], attributes: { text: { type: 'STRING' } } },
  })
  notesId = notes
})
afterEach(async () => {
  await workers.killAll()
  await forget()
})
after(async () => {
  await api.close()
  await world.close()
  await executor.stop()
  gate.close()
  gate.closeAllConnections()
})

/** Writes, waits at the gate, and writes again. */
async function makeWriter(maxAttempts: number): Promise<string> {
  const write = (text: string) => `await graphql('mutation { createNote(input: { text: "${text}" }) { id } }')`
  const { port } = gate.address() as AddressInfo
  const source = `async ({ graphql, fetch, log, res }) => {
    ${write('before')}; log('at the gate'); await fetch('http://127.0.0.1:${port}/'); ${write('after')}; return res.text('done') }`
  const scopes = ['documents.write', 'documents.read']
  const how = { scopes, maxAttempts, retryAfterMs: 1_000, timeoutMs: 600_000 }
  const { id } = await makeFunction(ctx, program(source), how)
  return id
}

const read = (id: string) => ctx.db.execution.findUniqueOrThrow({ where: { id } })
const atGate = (count: number) => eventually(() => assert.equal(held.length, count), patienceMs())
const ended = (id: string) =>
  eventually(async () => {
    const row = await read(id)
    assert.ok(row.finishedAt, `it is ${row.status} after ${row.attempts} tries`)
    return row
  }, patienceMs())

/** What is written, and which runs wrote it and ended, as the events say. */
async function seen(): Promise<{ notes: unknown[]; told: unknown[] }> {
  const { sql, projectId } = ctx
  const notes = await sql.query(`select text from "${projectId}"."${notesId}" order by text desc`)
  const told = await sql.query(
    `select type, "executionId" from (select type, "executionId" from events.outbox union all select type, "executionId" from events.log) as event
     where type in ('documents.created', 'executions.finished') order by type`,
  )
  return { notes: notes.rows.map(({ text }) => text), told: told.rows.map((row) => `${row.type} ${row.executionId}`) }
}

async function forget(): Promise<void> {
  held.length = 0
  await ctx.sql.query(`truncate events.outbox, events.log; truncate "${ctx.projectId}"."${notesId}"`)
}

const onceBy = (id: string) => [`documents.created ${id}`, `documents.created ${id}`, `executions.finished ${id}`]

test(
  'a worker that is killed during a run: another tries it again, and what it has written is there once',
  patient,
  async () => {
    const functionId = await makeWriter(2)
    await workers.start()
    const { id } = await createExecution(ctx, { functionId, async: true })
    await atGate(1)
    const cut = once(held[0] as ServerResponse, 'close')
    await workers.killFirst()
    // The executor ends what nobody waits for.
    await within(cut, patienceMs(), 'it goes on')
    await workers.start()
    await atGate(2)
    const { status, attempts, failure, error } = await read(id)
    assert.deepEqual(
      [status, attempts, failure, error],
      ['RUNNING', 2, 'CRASHED', 'The process that ran it went away.'],
    )
    held[1]?.end()
    const row = await ended(id)
    assert.deepEqual([row.status, row.attempts, row.responseBody, row.failure], ['COMPLETED', 2, 'done', null])
    assert.equal((row.logs as unknown[]).length, 1)
    assert.deepEqual(await seen(), { notes: ['before', 'after'], told: onceBy(id) })
  },
)

test('one that may be tried once has failed, and says why', patient, async () => {
  const functionId = await makeWriter(1)
  await workers.start()
  const { id } = await createExecution(ctx, { functionId, async: true })
  await atGate(1)
  await workers.killFirst()
  await workers.start()
  const row = await ended(id)
  assert.deepEqual([row.status, row.attempts, row.failure], ['FAILED', 1, 'CRASHED'])
  assert.equal(row.error, 'The process that ran it went away.')
  assert.deepEqual([held.length, (await seen()).notes], [1, ['before']])
})

test('an executor that is killed during a run: it is tried again by the next one', patient, async () => {
  const functionId = await makeWriter(2)
  await workers.start()
  const { id } = await createExecution(ctx, { functionId, async: true })
  await atGate(1)
  await executor.stop()
  await eventually(async () => assert.equal((await read(id)).status, 'PENDING'), patienceMs())
  assert.equal((await read(id)).failure, 'CRASHED')
  executor = await start()
  await atGate(2)
  held[1]?.end()
  const row = await ended(id)
  assert.deepEqual([row.status, row.attempts, row.responseBody, row.failure], ['COMPLETED', 2, 'done', null])
  assert.deepEqual(await seen(), { notes: ['before', 'after'], told: onceBy(id) })
})

test('worker and executor, killed together', patient, async () => {
  const functionId = await makeWriter(2)
  await workers.start()
  const { id } = await createExecution(ctx, { functionId, async: true })
  await atGate(1)
  await Promise.all([workers.killFirst(), executor.stop()])
  executor = await start()
  await workers.start()
  await atGate(2)
  held[1]?.end()
  const row = await ended(id)
  assert.deepEqual([row.status, row.attempts, row.responseBody], ['COMPLETED', 2, 'done'])
  assert.deepEqual(await seen(), { notes: ['before', 'after'], told: onceBy(id) })
})
