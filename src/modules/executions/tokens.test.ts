import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import { setTimeout as wait } from 'node:timers/promises'
import { type App, createApp } from '../../app.ts'
import { authenticate } from '../../authenticate.ts'
import type { Context } from '../../context.ts'
import { LimitExceeded, Unauthenticated } from '../../errors.ts'
import { makeFunction } from '../../testing/functions.ts'
import { oldUntil } from '../../testing/outdated.ts'
import { createWorld, type World } from '../../testing/world.ts'
import { signIn, signOut, signUp } from '../accounts/accounts.ts'
import { attemptLimits } from '../accounts/attempts.ts'
import { deleteFunction, updateFunction } from '../functions/functions.ts'
import { rolesOf } from '../permissions/roles.ts'
import { deleteProject } from '../projects/projects.ts'
import { updateUser } from '../users/users.ts'
import { type RunClaims, readRunToken, signRunToken } from './tokens.ts'

let world: World
let second: App

before(async () => {
  world = await createWorld()
  second = await createApp(world.env, 'second')
})
after(async () => {
  await second.close()
  await world.close()
})

const as = (app: App, token: string, projectId: string) =>
  authenticate(app, { projectId, authorization: `Bearer ${token}`, requestId: 'r', ip: '127.0.0.1', userAgent: '' })

type Place = { owner: Context; ownerAtConsole: Context; projectId: string; functionId: string }

async function place(given = {}): Promise<Place> {
  const project = await world.createProject()
  const { id } = await makeFunction(project.owner, undefined, { scopes: ['users.read'], ...given })
  return { ...project, functionId: id }
}
const claimsOf = ({ projectId, functionId }: Place, given: Partial<RunClaims> = {}): RunClaims => {
  const expiresAt = Date.now() + 60_000
  return { projectId, functionId, executionId: 'exe_1', depth: 2, sessionId: null, expiresAt, ...given }
}
const tokenOf = (at: Place, given: Partial<RunClaims> = {}) => signRunToken(world.env, claimsOf(at, given))

async function user(at: Place) {
  const email = `${crypto.randomUUID()}@example.org`
  const { secret, user } = await signUp(world.context(at.projectId), { email, password: 'correct horse' })
  const caller = await as(world.app, secret, at.projectId)
  const sessionId = caller.actor?.kind === 'user' ? caller.actor.sessionId : ''
  return { caller, user, sessionId }
}

test('a run is its function, with what that may, and knows how deep it is', async () => {
  const at = await place()
  const { actor, run } = await as(world.app, tokenOf(at), at.projectId)
  assert.deepEqual(actor, { kind: 'function', id: at.functionId, scopes: new Set(['users.read']) })
  assert.deepEqual([run?.executionId, run?.depth, run?.functionId], ['exe_1', 2, at.functionId])
  assert.equal(rolesOf({ actor }), null)
})

test('a run for a user is that user, where the function says so', async () => {
  const at = await place()
  const ann = await user(at)
  const token = tokenOf(at, { sessionId: ann.sessionId })
  const { actor, run } = await as(world.app, token, at.projectId)
  assert.deepEqual([actor?.kind, actor?.id, run?.executionId], ['user', ann.user.id, 'exe_1'])
  await updateFunction(at.owner, at.functionId, { runAs: 'FUNCTION' })
  await assert.rejects(as(world.app, token, at.projectId), Unauthenticated)
})

test('a run for a user comes from where they have signed in: none uses up the attempts of another', async () => {
  const at = await place()
  const run = async (ip: string) => {
    const { session } = await signUp(
      { ...world.context(at.projectId), client: { ip, userAgent: '' } },
      { email: `${crypto.randomUUID()}@example.org`, password: 'correct horse' },
    )
    return as(world.app, tokenOf(at, { sessionId: session.id }), at.projectId)
  }
  const [ann, bob] = [await run('192.0.2.1'), await run('192.0.2.2')]
  const guess = (ctx: Context) => signIn(ctx, { email: 'nobody@example.org', password: 'wrong horse' })
  for (let i = 0; i < attemptLimits.passwordsHere; i += 1) await assert.rejects(guess(ann), Unauthenticated)
  await assert.rejects(guess(ann), LimitExceeded)
  await assert.rejects(guess({ ...world.context(at.projectId), client: ann.client }), LimitExceeded)
  await assert.rejects(guess(bob), Unauthenticated)
})

test('what is altered, over, of another project or of another key opens nothing', async () => {
  const [at, other] = [await place(), await place()]
  const token = tokenOf(at)
  const [text = '', signature = ''] = token.slice(4).split('.')
  const packed = JSON.parse(Buffer.from(text, 'base64url').toString())
  const altered = Buffer.from(JSON.stringify([at.projectId, other.functionId, ...packed.slice(2)])).toString(
    'base64url',
  )
  const foreign = signRunToken({ SECRET_KEYS: [Buffer.alloc(32, 1)] }, claimsOf(at))
  const wrong = [
    `run_${altered}.${signature}`,
    `run_${text}.${signature.startsWith('A') ? 'B' : 'A'}${signature.slice(1)}`,
    `run_${text}`,
    `run_${text}.`,
    `ses_${text}`,
    foreign,
    tokenOf(at, { expiresAt: Date.now() - 1 }),
    tokenOf({ ...at, functionId: 'fun_none' }),
    tokenOf({ ...at, functionId: other.functionId }),
    tokenOf(at, { sessionId: 'ses_none' }),
  ]
  for (const given of wrong) await assert.rejects(as(world.app, given, at.projectId), Unauthenticated, given)
  await assert.rejects(as(world.app, token, other.projectId), Unauthenticated)
  assert.equal(readRunToken(world.env, '', new Date()), null)
})

test('a session of another project is none here', async () => {
  const [at, other] = [await place(), await place()]
  const { sessionId } = await user(other)
  await assert.rejects(as(world.app, tokenOf(at, { sessionId }), at.projectId), Unauthenticated)
})

test('runs of one function are read once, and the key ring can rotate', async () => {
  const at = await place()
  await as(world.app, tokenOf(at), at.projectId)
  const { query } = world.app.sql
  let count = 0
  world.app.sql.query = ((...args: Parameters<typeof query>) => {
    count += 1
    return query.apply(world.app.sql, args)
  }) as typeof query
  await as(world.app, tokenOf(at, { executionId: 'exe_2' }), at.projectId).finally(() => {
    world.app.sql.query = query
  })
  assert.ok(count <= 1, String(count))
  const rotated = { SECRET_KEYS: [Buffer.alloc(32, 9), ...world.env.SECRET_KEYS] }
  assert.equal(readRunToken(rotated, tokenOf(at), new Date())?.executionId, 'exe_1')
})

/** Asks as a run that never stops, on another node, until it is refused. */
const refusedAfter = (token: string, projectId: string) =>
  oldUntil(
    () => as(second, token, projectId).catch(() => null),
    (answer) => answer !== null,
  )

const revocations: Record<string, (at: Place, ann: Awaited<ReturnType<typeof user>>) => Promise<unknown>> = {
  'its function is disabled': ({ owner, functionId }) => updateFunction(owner, functionId, { enabled: false }),
  'its function is deleted': ({ owner, functionId }) => deleteFunction(owner, functionId),
  'its project is deleted': ({ ownerAtConsole, projectId }) =>
    deleteProject(ownerAtConsole, { id: projectId, name: 'Test' }),
  'its user signs out': (_at, { caller }) => signOut(caller),
  'its user is blocked': ({ owner }, { user }) => updateUser(owner, user.id, { status: 'BLOCKED' }),
}
for (const [what, revoke] of Object.entries(revocations)) {
  test(`within a second of when ${what}, a run is refused on every node`, async () => {
    const at = await place()
    const ann = await user(at)
    const token = tokenOf(at, { sessionId: ann.sessionId })
    for (const app of [world.app, second]) assert.ok(await as(app, token, at.projectId))
    await revoke(at, ann)
    const ms = await refusedAfter(token, at.projectId)
    assert.ok(ms < 1_000, `${ms} ms`)
  })
}

test('within a second a run has the scopes that its function was left with', async () => {
  const at = await place()
  const token = tokenOf(at)
  await as(second, token, at.projectId)
  await updateFunction(at.owner, at.functionId, { scopes: [] })
  await wait(1_000)
  const { actor } = await as(second, token, at.projectId)
  assert.deepEqual(actor?.kind === 'function' && [...actor.scopes], [])
})
