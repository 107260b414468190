import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import type { Context } from '../src/context.ts'
import { waitingLimits } from '../src/modules/executions/waiting.ts'
import { updateFunction } from '../src/modules/functions/functions.ts'
import { type Answer, createPeer } from '../src/testing/executor.ts'
import { makeFunction } from '../src/testing/functions.ts'
import { operate } from '../src/testing/operation.ts'
import { createWorld, type World } from '../src/testing/world.ts'
import { createSchemas, type Schemas } from './schemas.ts'

let world: World
let schemas: Schemas
let ctx: Context
let peer: Awaited<ReturnType<typeof createPeer>>
let answer: () => Answer

before(async () => {
  peer = await createPeer(() => answer())
  world = await createWorld({ EXECUTORS: peer.url, EXECUTOR_SECRET: peer.secret })
  schemas = createSchemas(world.app)
  ctx = (await world.createProject()).owner
})
after(async () => {
  await schemas.close()
  await world.close()
  peer.close()
})

const call = (input: object, as = ctx, fields = 'id status logs { text }') => {
  const source = `mutation ($input: CreateExecutionInput!) { createExecution(input: $input) { ${fields} } }`
  return operate(schemas, as, source, { input })
}
const read = async (id: string) => {
  const source = 'query ($id: ID!) { execution(id: $id) { responseBody logs { text } } }'
  return (await operate(schemas, ctx, source, { id })).data?.execution
}

test('what cannot be run is refused before anything is written', async () => {
  const { id: functionId } = await makeFunction(ctx)
  const before = await ctx.db.execution.count()
  for (const [wrong, path] of [
    [{ method: 'BREW' }, 'input.method'],
    [{ path: 'orders' }, 'input.path'],
    [{ path: '/a b' }, 'input.path'],
    [{ path: `/${'a'.repeat(2_048)}` }, 'input.path'],
    [{ body: 'a'.repeat(512 * 1024 + 1) }, 'input.body'],
    [{ headers: [{ name: 'a b', value: '' }] }, 'input.headers.0.name'],
    [{ headers: [{ name: 'Tendril-User-Id', value: 'ann' }] }, 'input.headers.0.name'],
    [{ headers: [{ name: 'a', value: 'b\r\nc: d' }] }, 'input.headers.0.value'],
    [{ headers: Array.from({ length: 65 }, () => ({ name: 'a', value: '' })) }, 'input.headers'],
    [{ scheduledAt: new Date(Date.now() + 400 * 86_400_000) }, 'input.scheduledAt'],
    [{ scheduledAt: new Date(Date.now() - 90_000) }, 'input.scheduledAt'],
  ] as const) {
    const { errors } = await call({ functionId, ...wrong })
    assert.match(errors[0] ?? '', new RegExp(`^INVALID .*\\(${path}\\)$`), path)
  }
  const justPast = await call({ functionId, scheduledAt: new Date(Date.now() - 30_000) })
  assert.equal(justPast.data?.createExecution.status, 'PENDING')
  await updateFunction(ctx, functionId, { enabled: false })
  assert.match((await call({ functionId })).errors[0] ?? '', /^CONFLICT .*disabled/)
  await ctx.db.function.update({ where: { id: functionId }, data: { deploymentId: null } })
  await updateFunction(ctx, functionId, { enabled: true })
  assert.match((await call({ functionId })).errors[0] ?? '', /^CONFLICT .*no deployment/)
  assert.equal(await ctx.db.execution.count(), before + 1)
})

test('logs are kept where the function says so, up to a limit that is told; bytes that are no text are kept as text', async () => {
  const { id: functionId } = await makeFunction(ctx)
  const line = { at: 1, level: 'log', text: 'x\0\ud800'.repeat(300) } as const
  answer = () => ({ logs: Array.from({ length: 200 }, () => line), logsDropped: 5, body: 'a\0b' })
  const { data } = await call({ functionId })
  const kept = await read(data?.createExecution.id)
  assert.equal(kept.responseBody, 'a\ufffdb')
  const size = kept.logs.reduce((sum: number, { text }: { text: string }) => sum + text.length, 0)
  assert.ok(size > 60_000 && size < 66_000, String(size))
  assert.match(kept.logs.at(-1).text, /^\d+ more lines were not kept/)
  await updateFunction(ctx, functionId, { logging: false })
  assert.deepEqual((await call({ functionId })).data?.createExecution.logs, [])
})

test('so many runs wait, and so many bytes of their bodies; users and guests leave room to those who run the project', async () => {
  const { owner } = await world.createProject()
  const guest = world.context(owner.projectId)
  const { id: functionId } = await makeFunction(owner, undefined, { execute: ['any'] })
  answer = () => ({})
  const wait = (count: number, bodyBytes = 0) =>
    owner.sql.query(
      `insert into executions (id, "projectId", "functionId", trigger, status, "actorKind", "isAsync", "scheduledAt", "requestBody")
       select 'exe_' || gen_random_uuid(), $1, $2, 'API', 'PENDING', 'guest', true, now() + interval '1 hour',
         convert_to(repeat('x', $4), 'UTF8') from generate_series(1, $3)`,
      [owner.projectId, functionId, count, bodyBytes],
    )
  const forget = () => owner.db.execution.updateMany({ where: { functionId }, data: { status: 'CANCELLED' } })
  const ask = async (as: Context, input: object = { async: true }) =>
    (await call({ functionId, ...input }, as, 'id')).errors[0] ?? ''
  const { executions, bodyBytes } = waitingLimits
  const tooMany = /^LIMIT_EXCEEDED Too many executions/
  await wait(executions - 1)
  assert.equal(await ask(guest), '')
  for (const input of [{ async: true }, { scheduledAt: new Date(Date.now() + 3_600_000) }])
    assert.match(await ask(guest, input), tooMany)
  assert.equal(await ask(guest, {}), '', 'somebody waits for it')
  assert.equal(await ask(owner), '')
  await wait(executions - 1)
  assert.match(await ask(owner), tooMany)
  await forget()
  await wait(100, bodyBytes / 100)
  assert.equal(await ask(guest), '')
  assert.match(await ask(guest, { async: true, body: 'x' }), /^LIMIT_EXCEEDED The bodies/)
  assert.equal(await ask(owner, { async: true, body: 'x' }), '')
  await wait(100, bodyBytes / 100)
  assert.match(await ask(owner, { async: true, body: 'x' }), /^LIMIT_EXCEEDED The bodies/)
  await forget()
  assert.equal(await ask(guest), '')
})
