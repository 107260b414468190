import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import type { Actor, Context } from '../../context.ts'
import { makeFunction } from '../../testing/functions.ts'
import { createWorld, type World } from '../../testing/world.ts'
import { updateFunction } from '../functions/functions.ts'
import { createKey, deleteKey } from '../keys/keys.ts'
import { addMember, removeMember } from '../members/members.ts'
import { createUser, deleteUser, updateUser } from '../users/users.ts'
import { beginAttempt } from './attempts.ts'
import { createExecution } from './executions.ts'

let world: World
let project: Awaited<ReturnType<World['createProject']>>
let owner: Context
let functionId: string

before(async () => {
  world = await createWorld()
  project = await world.createProject()
  owner = project.owner
  functionId = (await makeFunction(owner, undefined, { execute: ['label:staff', 'guests'], maxAttempts: 3 })).id
})
after(() => world.close())

const as = (actor: Actor | null) => world.context(owner.projectId, actor)
const planned = async (ctx: Context, id = functionId) =>
  (await createExecution(ctx, { functionId: id, scheduledAt: new Date(Date.now() + 3_600_000) })).id

async function staff(): Promise<{ id: string; ctx: Context }> {
  const given = { email: `${crypto.randomUUID()}@example.org`, password: 'correct horse', name: 'x' }
  const { id } = await createUser(owner, given)
  const labels = ['staff']
  await updateUser(owner, id, { labels })
  return { id, ctx: as({ kind: 'user', id, sessionId: 'ses_1', verified: false, labels }) }
}

async function begins(id: string): Promise<boolean> {
  const attempt = await beginAttempt(owner, id)
  const { status, failure, attempts, error } = await owner.db.execution.findUniqueOrThrow({ where: { id } })
  if (attempt) assert.equal(status, 'RUNNING')
  else {
    assert.deepEqual([status, failure, attempts], ['FAILED', 'FORBIDDEN', 0])
    assert.match(error ?? '', /may not run this function any more/)
  }
  return attempt !== null
}

const losses: Record<string, (id: string) => Promise<unknown>> = {
  'lost the role': (id) => updateUser(owner, id, { labels: ['other'] }),
  'were blocked': (id) => updateUser(owner, id, { status: 'BLOCKED' }),
  'were deleted': (id) => deleteUser(owner, id),
}

for (const [what, lose] of Object.entries(losses))
  test(`a run that waits does not begin when those who asked for it ${what}`, async () => {
    const { id, ctx } = await staff()
    const [first, second] = [await planned(ctx), await planned(ctx)]
    assert.equal(await begins(first), true)
    await lose(id)
    assert.equal(await begins(second), false)
    const { rows } = await owner.sql.query(
      `select payload from events.outbox where type = 'executions.finished' and payload->>'executionId' = $1`,
      [second],
    )
    assert.deepEqual(rows, [{ payload: { functionId, executionId: second, userId: id, status: 'FAILED' } }])
    // The other one was cut off with its worker: it is not tried again either.
    assert.equal(await beginAttempt(owner, first), null)
    const { status, failure } = await owner.db.execution.findUniqueOrThrow({ where: { id: first } })
    assert.deepEqual([status, failure], ['FAILED', 'FORBIDDEN'])
  })

test('a run of a key ends with the key, or with its scope', async () => {
  const { projectId, ownerAtConsole } = project
  const made = async (name: string) => {
    const { key } = await createKey(ownerAtConsole, { projectId, name, scopes: ['executions.write'] })
    return { id: key.id, ctx: as({ kind: 'key', id: key.id, scopes: new Set(key.scopes) }) }
  }
  const [stays, goes, narrowed] = [await made('a'), await made('b'), await made('c')]
  const ids = [await planned(stays.ctx), await planned(goes.ctx), await planned(narrowed.ctx)]
  await deleteKey(ownerAtConsole, goes.id)
  await owner.db.key.update({ where: { id: narrowed.id }, data: { scopes: ['documents.read'] } })
  assert.deepEqual(await Promise.all(ids.map(begins)), [true, false, false])
})

test('a run of a member ends with the membership, one of a function with its scope', async () => {
  const { actor } = (await world.createProject()).owner
  const { id = '', email } = await owner.db.user.findUniqueOrThrow({ where: { id: actor?.id ?? '' } })
  const member = await addMember(project.ownerAtConsole, { projectId: owner.projectId, email, role: 'DEVELOPER' })
  const [first, second] = await Promise.all(
    [1, 2].map(() => planned(as({ kind: 'account', id, sessionId: 's', role: 'DEVELOPER' }))),
  )
  assert.equal(await begins(first ?? ''), true)
  await updateFunction(owner, functionId, { execute: ['label:staff'] })
  await removeMember(project.ownerAtConsole, member.id)
  assert.equal(await begins(second ?? ''), false)
  const { id: caller } = await makeFunction(owner, undefined, { scopes: ['executions.write'] })
  const itself = as({ kind: 'function', id: caller, scopes: new Set(['executions.write']) })
  const [third, fourth] = [await planned(itself), await planned(itself)]
  assert.equal(await begins(third), true)
  await updateFunction(owner, caller, { scopes: ['documents.read'] })
  assert.equal(await begins(fourth), false)
})

test('what the function asks of its callers is what it asks when the run begins; events and the clock ask nobody', async () => {
  const { id } = await makeFunction(owner, undefined, { execute: ['guests'] })
  const [first, second] = [await planned(as(null), id), await planned(as(null), id)]
  assert.equal(await begins(first), true)
  await updateFunction(owner, id, { execute: ['users'] })
  assert.equal(await begins(second), false)
  const row = { projectId: owner.projectId, functionId: id, actorKind: 'user', actorId: 'usr_none', isAsync: true }
  for (const trigger of ['EVENT', 'SCHEDULE'] as const) {
    await owner.db.execution.create({ data: { ...row, id: `exe_${trigger}`, trigger } })
    assert.equal(await begins(`exe_${trigger}`), true)
  }
})
