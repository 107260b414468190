import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import { program, startExecutor, type TestExecutor } from '../../functions-runtime/testing/executor.ts'
import { type Api, startApi } from '../api.ts'
import type { Context } from '../context.ts'
import { makeFunction } from '../testing/functions.ts'
import { leaveFunction, tellsOfLeaving } from '../testing/left.ts'
import { createWorld, type World } from '../testing/world.ts'

let world: World
let api: Api
let executor: TestExecutor
let ctx: Context

before(async () => {
  executor = await startExecutor()
  world = await createWorld({ PORT: '0', EXECUTORS: executor.url, EXECUTOR_SECRET: executor.secret })
  api = await startApi(world.app)
  ctx = (await world.createProject()).owner
})
after(async () => {
  await api.close()
  await world.close()
  await executor.stop()
})

async function left(source: string, leaveMs: number) {
  const { id } = await makeFunction(ctx, program(source), { execute: ['any'], timeoutMs: 20_000 })
  return leaveFunction(ctx, api, id, leaveMs, !source.includes('never answers'))
}

const events = (rest: string) => `() => {
  console.log('begun')
  const stream = new ReadableStream({ async pull(controller) {
    controller.enqueue('data: 1\\n\\n')
    ${rest}
  } })
  return new Response(stream, { status: 202, headers: { 'content-type': 'text/event-stream' } })
}`

test('an answer whose reader left is told as what it was, with its logs and its time', async () => {
  const row = await left(events('await new Promise((done) => setTimeout(done, 60))'), 300)
  assert.deepEqual([row.status, row.failure, row.error, row.responseStatus], ['COMPLETED', null, null, 202])
  assert.partialDeepStrictEqual(row.responseHeaders, { 'content-type': 'text/event-stream' })
  assert.deepEqual(row.logs, ['log: begun', tellsOfLeaving])
  const { durationMs } = row
  assert.ok(durationMs !== null && durationMs >= 280 && durationMs < 5_000, `${durationMs} ms`)
  assert.ok(row.afterMs < 900, `${row.afterMs} ms`)
})

test('so is one that is in a loop when its reader leaves', async () => {
  const row = await left(events('await new Promise((done) => setTimeout(done, 60)); for (;;);'), 200)
  assert.deepEqual([row.status, row.responseStatus, row.logs], ['COMPLETED', 202, ['log: begun', tellsOfLeaving]])
  assert.ok(row.afterMs < 900, `${row.afterMs} ms`)
})

test('a run that nobody waits for before it has answered fails, and keeps its logs', async () => {
  const row = await left(
    `async () => { console.log('never answers'); await new Promise((done) => setTimeout(done, 9_000)) }`,
    500,
  )
  assert.deepEqual([row.status, row.failure, row.responseStatus], ['FAILED', 'CRASHED', null])
  assert.deepEqual(row.logs, ['log: never answers'])
})
