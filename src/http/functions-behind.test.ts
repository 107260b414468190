import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import { program, startExecutor, type TestExecutor } from '../../functions-runtime/testing/executor.ts'
import { type Api, startApi } from '../api.ts'
import type { Context } from '../context.ts'
import { makeFunction } from '../testing/functions.ts'
import { eventually } from '../testing/receiver.ts'
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

/** Calls a function whose `waitUntil` takes 1.5 s, hangs up, and tells what was answered when and what is kept of it. */
async function called(answer: string, method = 'GET') {
  const source = `{ fetch(request, env, ctx) {
    ctx.waitUntil(new Promise((done) => setTimeout(done, 1_500)).then(() => console.log('done behind it')))
    return ${answer}
  } }`
  const { id } = await makeFunction(ctx, program(source), { execute: ['any'] })
  const begun = performance.now()
  const response = await fetch(`${api.url}/functions/${id}/`, { method, headers: { connection: 'close' } })
  const text = await response.text()
  const tookMs = performance.now() - begun
  const row = await eventually(() =>
    ctx.db.execution.findFirstOrThrow({ where: { functionId: id, finishedAt: { not: null } } }),
  )
  const logs = (row.logs as { text: string }[]).map((line) => line.text)
  return { response, text, tookMs, kept: [row.status, row.responseStatus, logs] }
}

test('who calls a URL has the whole answer before what waitUntil was given is done, and that is done when they are gone', async () => {
  await called('new Response()')
  const whole = await called(`new Response('now', { status: 201, headers: { 'x-a': 'b' } })`)
  const { status, headers } = whole.response
  assert.deepEqual([status, headers.get('x-a'), headers.get('content-length'), whole.text], [201, 'b', '3', 'now'])
  assert.ok(whole.tookMs < 1_000, `${whole.tookMs} ms`)
  assert.deepEqual(whole.kept, ['COMPLETED', 201, ['done behind it']])
  const streamed = await called(`new Response(ReadableStream.from(['a', 'b']))`)
  assert.deepEqual([streamed.text, streamed.kept], ['ab', ['COMPLETED', 200, ['done behind it']]])
  assert.ok(streamed.tookMs < 1_000, `${streamed.tookMs} ms`)
  const head = await called(`new Response('now')`, 'HEAD')
  assert.deepEqual([head.text, head.kept], ['', ['COMPLETED', 200, ['done behind it']]])
  assert.ok(head.tookMs < 1_000, `${head.tookMs} ms`)
})

test('an API that ends waits for what is done behind an answer', async () => {
  const another = await startApi(world.app)
  const source = `{ fetch(request, env, ctx) {
    ctx.waitUntil(new Promise((done) => setTimeout(done, 1_500)))
    return new Response('now')
  } }`
  const { id } = await makeFunction(ctx, program(source), { execute: ['any'] })
  assert.equal(await (await fetch(`${another.url}/functions/${id}/`)).text(), 'now')
  await another.close()
  const { status } = await ctx.db.execution.findFirstOrThrow({ where: { functionId: id } })
  assert.equal(status, 'COMPLETED')
})

test('an answer that cannot be passed on is told as that, before or behind', async () => {
  const { response, kept } = await called(`new Response('now', { headers: { 'x-a': '\\x7f' } })`)
  assert.deepEqual([response.status, kept[0]], [500, 'FAILED'])
})
