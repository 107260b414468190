import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import { type Relay, startRelay } from '../../workers/relay.ts'
import { authenticate } from '../authenticate.ts'
import { changes } from '../changes.ts'
import type { Context } from '../context.ts'
import { SchemaChanged, Unauthenticated } from '../errors.ts'
import { signUp } from '../modules/accounts/accounts.ts'
import { signRunToken } from '../modules/executions/tokens.ts'
import { updateFunction } from '../modules/functions/functions.ts'
import { makeFunction } from '../testing/functions.ts'
import { type Tick, tick, tickTimes, within } from '../testing/stream.ts'
import { createWorld, type World } from '../testing/world.ts'

let world: World
let relay: Relay

before(async () => {
  world = await createWorld()
  relay = startRelay(world.app)
})
after(async () => {
  await relay.stop()
  await world.close()
})

const enter = (projectId: string, secret: string): Promise<Context> =>
  authenticate(world.app, { projectId, authorization: `Bearer ${secret}`, requestId: 'r', ip: '::1', userAgent: '' })

const tellOf = (ctx: Context, thing: string) => tickTimes(world.context(ctx.projectId), thing, 0, 1)

/** A stream about one thing that has begun, and waits for what comes. */
async function listen(ctx: Context, thing: string) {
  const stream = changes(ctx, {
    needs: new Set(['users.read']),
    select: ({ type, payload }) => (type === tick.name && (payload as Tick).thing === thing ? (payload as Tick) : null),
  })
  await stream.opened
  await tellOf(ctx, thing)
  await within(stream.next(), 3_000, 'nothing came')
  const next = stream.next()
  next.catch(() => {})
  return { stream, next }
}

async function place(runAs: 'CALLER' | 'FUNCTION') {
  const { owner, projectId } = await world.createProject()
  const { id: functionId } = await makeFunction(owner, undefined, { runAs, scopes: ['events.read', 'users.read'] })
  const tokenFor = (sessionId: string | null) => {
    const expiresAt = Date.now() + 60_000
    return signRunToken(world.env, { projectId, functionId, executionId: 'exe_1', depth: 0, sessionId, expiresAt })
  }
  return { owner, projectId, functionId, tokenFor }
}

test('what a function listens to as itself ends at once with what it may', async () => {
  const { owner, projectId, functionId, tokenFor } = await place('FUNCTION')
  const { next } = await listen(await enter(projectId, tokenFor(null)), 'a')
  await updateFunction(owner, functionId, { enabled: false })
  await within(assert.rejects(next, Unauthenticated), 2_000, 'it did not end')
})

test('what a function listens to as itself ends with a scope that it loses', async () => {
  const { owner, projectId, functionId, tokenFor } = await place('FUNCTION')
  const { next } = await listen(await enter(projectId, tokenFor(null)), 'b')
  await updateFunction(owner, functionId, { scopes: ['events.read'] })
  await within(assert.rejects(next, SchemaChanged), 2_000, 'it did not end')
})

test('what a run listens to for a user ends with the function, and what they listen to themselves does not', async () => {
  for (const order of ['run first', 'user first']) {
    const { owner, projectId, functionId, tokenFor } = await place('CALLER')
    const email = `${crypto.randomUUID()}@example.org`
    const { secret, session } = await signUp(world.context(projectId), { email, password: 'correct horse' })
    const both = { run: tokenFor(session.id), own: secret }
    const names = order === 'run first' ? (['run', 'own'] as const) : (['own', 'run'] as const)
    const streams = new Map<string, Awaited<ReturnType<typeof listen>>>()
    for (const name of names) streams.set(name, await listen(await enter(projectId, both[name]), name))
    const [run, own] = [streams.get('run') ?? assert.fail(), streams.get('own') ?? assert.fail()]
    await updateFunction(owner, functionId, { runAs: 'FUNCTION' })
    await within(assert.rejects(run.next, Unauthenticated), 2_000, `${order}: the run's did not end`)
    await tellOf(world.context(projectId), 'own')
    const told = await within(own.next, 3_000, `${order}: the user's did not go on`)
    assert.equal(told.done, false)
    await own.stream.return?.()
  }
})
