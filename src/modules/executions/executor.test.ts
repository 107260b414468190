import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import { setTimeout as wait } from 'node:timers/promises'
import { program, startExecutor, type TestExecutor } from '../../../functions-runtime/testing/executor.ts'
import { startWorkers } from '../../../workers/start.ts'
import { type Api, startApi } from '../../api.ts'
import type { Context } from '../../context.ts'
import { rankFor } from '../../platform/sandbox/choose.ts'
import { freePort } from '../../servers/ports.ts'
import { createCollections } from '../../testing/collections.ts'
import { makeFunction } from '../../testing/functions.ts'
import { createWorld, type World } from '../../testing/world.ts'
import { signUp } from '../accounts/accounts.ts'
import { createKey } from '../keys/keys.ts'
import { setVariable } from '../variables/variables.ts'
import { createExecution } from './executions.ts'
import '../../testing/agenda.ts'

let world: World
let api: Api
let executors: TestExecutor[]
let workers: Awaited<ReturnType<typeof startWorkers>>
let ctx: Context
let key: string

before(async () => {
  const port = String(await freePort())
  const secret = 'a secret of both sides'
  const given = { EXECUTOR_SECRET: secret, TENDRIL_URL: `http://127.0.0.1:${port}`, SANDBOX_PROCESSES: '4' }
  executors = await Promise.all([startExecutor(given), startExecutor(given)])
  const urls = executors.map(({ url }) => url).join(',')
  world = await createWorld({ PORT: port, EXECUTORS: urls, EXECUTOR_SECRET: secret })
  api = await startApi(world.app)
  workers = await startWorkers(world.app, { only: ['functions'] })
  const project = await world.createProject()
  ctx = project.owner
  const scopes = ['executions.write', 'executions.read']
  key = (await createKey(project.ownerAtConsole, { projectId: ctx.projectId, name: 'k', scopes })).secret
  await createCollections(ctx, { notes: { permissions: ['read:users'], attributes: { text: { type: 'STRING' } } } })
})
after(async () => {
  await workers.stop()
  await api.close()
  await world.close()
  for (const executor of executors) await executor.stop()
})

async function call(functionId: string, authorization: string) {
  // Users are not shown that field.
  const error = authorization === key ? 'error' : ''
  const query = `mutation ($id: ID!) { createExecution(input: { functionId: $id }) { status responseBody failure ${error} isCold } }`
  const response = await fetch(`${api.url}/projects/${ctx.projectId}/graphql`, {
    method: 'POST',
    headers: { 'content-type': 'application/json', authorization: `Bearer ${authorization}` },
    body: JSON.stringify({ query, variables: { id: functionId } }),
  })
  return (await response.json()) as {
    data?: { createExecution: { status: string; responseBody: string; error?: string | null } }
    errors?: { extensions: { code: string; retryAfterMs?: number } }[]
  }
}

const me = program(
  `async ({ graphql, res, env }) => { try { return res.json({ color: env.COLOR, said: await graphql('{ account { id } notes { totalCount } }') }) } catch (error) { return res.json({ refused: String(error) }) } }`,
)

test('a function gets its variables, and asks the API as the user who called, or as itself', async () => {
  const { id } = await makeFunction(ctx, me, { execute: ['users'], scopes: ['documents.read'] })
  await setVariable(ctx, { functionId: id, key: 'COLOR', value: 'blue' })
  const { secret, user } = await signUp(world.context(ctx.projectId), {
    email: 'ann@example.org',
    password: 'correct horse',
  })
  const theirs = JSON.parse((await call(id, secret)).data?.createExecution.responseBody ?? '')
  assert.equal(theirs.color, 'blue')
  assert.match(JSON.stringify(theirs.said), new RegExp(user.id))
  const { data } = await call(id, key)
  // A function has no account.
  assert.match(data?.createExecution.responseBody ?? '', /refused.*account/)
})

test('what a function asks the API finds its own execution, which is not written before unless it takes long', async () => {
  const own = program(
    `async ({ req, graphql, res }) => res.json(await graphql('query ($id: ID!) { execution(id: $id) { status } }', { id: req.headers['tendril-execution-id'] }))`,
  )
  const { id } = await makeFunction(ctx, own, { execute: ['any'], scopes: ['executions.read'] })
  const { data } = await call(id, key)
  assert.match(data?.createExecution.responseBody ?? '', /RUNNING/)
  assert.match(await (await fetch(`${api.url}/functions/${id}`)).text(), /RUNNING/)
})

test('a write of a function is made once, however often the run is tried, and says which run it came from', async () => {
  const write = program(
    `async ({ graphql }) => { await graphql('mutation { createNote(input: { text: "x" }) { id } }'); throw new Error('after the write') }`,
  )
  const given = { scopes: ['documents.write', 'documents.read'], maxAttempts: 2, retryAfterMs: 1_000 }
  const { id: functionId } = await makeFunction(ctx, write, given)
  const { id } = await createExecution(ctx, { functionId, async: true })
  let row = await ctx.db.execution.findUniqueOrThrow({ where: { id } })
  for (const until = Date.now() + 20_000; row.finishedAt === null && Date.now() < until; await wait(100))
    row = await ctx.db.execution.findUniqueOrThrow({ where: { id } })
  assert.deepEqual([row.status, row.attempts, row.failure], ['FAILED', 2, 'THREW'])
  assert.match(row.error ?? '', /after the write/)
  const { rows } = await world.app.sql.query(
    `select "executionId", "actorKind", "actorId" from events.outbox where type = 'documents.created'
     union all select "executionId", "actorKind", "actorId" from events.log where type = 'documents.created'`,
  )
  assert.deepEqual(rows, [{ executionId: id, actorKind: 'function', actorId: functionId }])
})

test('an executor that is killed during a run: whoever waits may try again, and is then served by the other', async () => {
  const slow = program(
    'async ({ res }) => { await new Promise((done) => setTimeout(done, 1_500)); return res.text("done") }',
  )
  const { id } = await makeFunction(ctx, slow)
  assert.equal((await call(id, key)).data?.createExecution.responseBody, 'done')
  const running = call(id, key)
  await wait(500)
  const { rows } = await world.app.sql.query(`select id from executions where status = 'RUNNING'`)
  assert.equal(rows.length, 1)
  // Which of them runs it is not told: the one that has a process for this project.
  const [busy] = rankFor(ctx.projectId, executors)
  await busy?.stop()
  const { errors } = await running
  assert.deepEqual([errors?.[0]?.extensions.code, errors?.[0]?.extensions.retryAfterMs], ['UNAVAILABLE', 1_000])
  const { failure } = await ctx.db.execution.findUniqueOrThrow({ where: { id: rows[0].id } })
  assert.equal(failure, 'CRASHED')
  assert.equal((await call(id, key)).data?.createExecution.responseBody, 'done')
})
