import assert from 'node:assert/strict'
import { after, before, describe, test } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import { type Context, transaction } from '../src/context.ts'
import { SchemaChanged } from '../src/errors.ts'
import { emit } from '../src/event.ts'
import { newEventId } from '../src/lib/ids.ts'
import { endUndeliverable } from '../src/modules/deliveries/attempts.ts'
import { keyDeleted } from '../src/modules/keys/events.ts'
import { createKey, deleteKey } from '../src/modules/keys/keys.ts'
import { createMail, markSent } from '../src/modules/mails/mails.ts'
import { createProject, updateProject } from '../src/modules/projects/projects.ts'
import { createSession, deleteSession } from '../src/modules/sessions/sessions.ts'
import { createTask, deleteTask, runTask } from '../src/modules/tasks/tasks.ts'
import { createUser, deleteUser, updateUser } from '../src/modules/users/users.ts'
import { createWebhook } from '../src/modules/webhooks/webhooks.ts'
import { listen, type Payloads } from '../src/testing/operation.ts'
import { within } from '../src/testing/stream.ts'
import { createWorld, type World } from '../src/testing/world.ts'
import { startRelay } from '../workers/relay.ts'
import { createSchemas, type Schemas } from './schemas.ts'

let world: World
let schemas: Schemas
let relay: ReturnType<typeof startRelay>
let ctx: Context
let ownerAtConsole: Context

before(async () => {
  world = await createWorld()
  schemas = createSchemas(world.app)
  relay = startRelay(world.app)
  const made = await world.createProject()
  ctx = made.owner
  ownerAtConsole = made.ownerAtConsole
})
after(async () => {
  await relay.stop()
  await schemas.close()
  await world.close()
})

const sourceOf = (field: string, node: string) =>
  `subscription ($id: ID, $after: String) { changed: ${field}(id: $id, after: $after) { cursor kind id event at node { ${node} } } }`

async function next(stream: Payloads) {
  const { value } = await within(stream.next(), 5_000, 'nothing came')
  assert.deepEqual(value?.errors, [])
  return value?.data?.changed
}

/** What is told of what `act` does, up to the last that it is about. */
async function told(field: string, node: string, act: () => Promise<unknown>, count: number, by = ctx) {
  const stream = await listen(schemas, by, sourceOf(field, node))
  await act()
  const changes = []
  while (changes.length < count) changes.push(await next(stream))
  await stream.return()
  return changes
}

const kindsOf = (changes: readonly { kind: string; node: unknown }[]) =>
  changes.map(({ kind, node }) => [kind, node !== null])

const user = () => createUser(ctx, { email: `${newEventId()}@example.org`, password: 'correct horse' })
const task = () => createTask(ctx, { name: 't', schedule: '0 3 * * *', url: 'https://example.org' })

test('users and sessions that come, change and go', async () => {
  const users = await told(
    'userChanged',
    'email labels',
    async () => {
      const { id } = await user()
      await updateUser(ctx, id, { labels: ['vip'] })
      await deleteUser(ctx, id)
    },
    3,
  )
  assert.deepEqual(
    users.map(({ kind }) => kind),
    ['CREATED', 'UPDATED', 'DELETED'],
  )
  assert.equal(users[2].node, null)
  const made = await user()
  const sessions = await told(
    'sessionChanged',
    'ip',
    async () => {
      const { session } = await transaction(ctx, (tx) => createSession(tx, made))
      await deleteSession(ctx, session.id)
    },
    2,
  )
  assert.deepEqual(
    sessions.map(({ kind }) => kind),
    ['CREATED', 'DELETED'],
  )
  const [open] = await told('sessionChanged', 'userId', () => transaction(ctx, (tx) => createSession(tx, made)), 1)
  assert.deepEqual(open.node, { userId: made.id })
})

test('tasks and their runs, webhooks, deliveries and mails', async () => {
  const tasks = await told('taskChanged', 'name', async () => deleteTask(ctx, (await task()).id), 2)
  assert.deepEqual(kindsOf(tasks).at(-1), ['DELETED', false])
  const { id: taskId, name } = await task()
  const runs = await told('taskRunChanged', 'status taskId task { name }', () => runTask(ctx, taskId), 1)
  assert.deepEqual(
    runs.map(({ kind, node }) => [kind, node]),
    [['CREATED', { status: 'PENDING', taskId, task: { name } }]],
  )
  const hook = { name: 'h', url: 'https://example.org', events: ['*'] }
  const [webhook] = await told('webhookChanged', 'url', () => createWebhook(ctx, hook), 1)
  assert.equal(webhook.node.url, hook.url)
  const place = { projectId: ctx.projectId, webhookId: webhook.id, eventName: 'x', body: '' }
  const due = { eventId: newEventId(), nextAttemptAt: new Date(0) }
  await world.app.db.delivery.create({ data: { ...place, ...due, id: 'dlv_1' } })
  await world.app.db.webhook.update({ where: { id: webhook.id }, data: { enabled: false } })
  const [delivery] = await told(
    'deliveryChanged',
    'status webhookId webhook { url }',
    () => endUndeliverable(ctx, 10),
    1,
  )
  const of = { webhookId: webhook.id, webhook: { url: hook.url } }
  assert.deepEqual([delivery.kind, delivery.node], ['UPDATED', { status: 'FAILED', ...of }])
  const letter = { template: 'verification', recipient: 'a@example.org', payload: {} }
  const mail = { projectId: ctx.projectId, eventId: newEventId(), ...letter }
  const mails = await told(
    'mailChanged',
    'status',
    async () => {
      const { id } = await createMail(world.app, mail)
      await createMail(world.app, mail)
      await markSent(world.app, id, '<1@example.org>')
      await markSent(world.app, id, '<1@example.org>')
    },
    2,
  )
  assert.deepEqual(
    mails.map(({ kind }) => kind),
    ['CREATED', 'UPDATED'],
  )
})

test('keys, members and the project itself, for its members', async () => {
  const { projectId } = ctx
  const keys = await told(
    'keyChanged',
    'name',
    async () => {
      const { key } = await createKey(ownerAtConsole, { projectId, name: 'k', scopes: ['users.read'] })
      await deleteKey(ownerAtConsole, key.id)
    },
    2,
  )
  assert.deepEqual(
    keys.map(({ kind }) => kind),
    ['CREATED', 'DELETED'],
  )
  const [project] = await told(
    'projectChanged',
    'name',
    () => updateProject(ownerAtConsole, projectId, { name: 'New' }),
    1,
  )
  assert.deepEqual([project.kind, project.id, project.node.name], ['UPDATED', projectId, 'New'])
})

test('one of them alone, from a cursor on', async () => {
  const [first] = await told('taskChanged', 'id', task, 1)
  const other = await task()
  const one = await task()
  const stream = await listen(schemas, ctx, sourceOf('taskChanged', 'id'), { id: one.id, after: first.cursor })
  await deleteTask(ctx, other.id)
  assert.deepEqual((await next(stream)).id, one.id)
  await deleteTask(ctx, one.id)
  const last = await next(stream)
  assert.deepEqual([last.id, last.kind, last.node], [one.id, 'DELETED', null])
  await stream.return()
})

test('nothing of another project is told', async () => {
  const other = await createProject(ownerAtConsole, { name: 'Other' })
  const theirs = { ...ctx, projectId: other.id }
  const [mine] = await told(
    'taskChanged',
    'id',
    async () => {
      await createTask(theirs, { name: 'theirs', schedule: '0 3 * * *', url: 'https://example.org' })
      await task()
    },
    1,
  )
  const row = await world.app.db.task.findUniqueOrThrow({ where: { id: mine.id } })
  assert.equal(row.projectId, ctx.projectId)
})

describe('who may not read a noun may not listen to it', () => {
  const fields = {
    userChanged: 'id',
    sessionChanged: 'id',
    taskRunChanged: 'id',
    webhookChanged: 'id',
    keyChanged: 'id',
  }
  for (const [field, node] of Object.entries(fields)) {
    test(field, async () => {
      const key = { kind: 'key', id: 'key_1', scopes: new Set(['mails.read']) } as const
      for (const actor of [null, key]) {
        await assert.rejects(listen(schemas, world.context(ctx.projectId, actor), sourceOf(field, node)))
      }
    })
  }
})

/** Who listens with a key whose scopes change meanwhile. */
function changing(id: string, scopes: string[]) {
  const key = (scopes: string[]) => world.context(ctx.projectId, { kind: 'key', id, scopes: new Set(scopes) })
  let now = key(scopes)
  const reauthenticate = async (): Promise<Context> => ({ ...now, reauthenticate })
  const become = async (scopes: string[]) => {
    now = key(scopes)
    await transaction(ctx, (tx) => emit(tx, keyDeleted, { keyId: id }))
  }
  return { caller: { ...now, reauthenticate }, become }
}

test('whoever loses a scope that it needs while listening is told of nothing more, and where to go on', async () => {
  const { caller, become } = changing('key_2', ['tasks.read', 'users.read'])
  const source = sourceOf('taskChanged', 'id')
  const stream = await listen(schemas, caller, source)
  for (const scopes of [['tasks.read', 'users.read', 'mails.read'], ['tasks.read']]) {
    await become(scopes)
    const first = await task()
    assert.equal((await next(stream)).id, first.id)
  }
  await become(['users.read'])
  const second = await task()
  const error = await within(assertRejected(stream.next()), 3_000, 'it did not end')
  assert.ok(error instanceof SchemaChanged)
  const resumed = await listen(schemas, ctx, source, { after: error.cursor })
  assert.equal((await next(resumed)).id, second.id)
  await resumed.return()
})

test('what is needed for what is selected below counts, and for those of documents among deliveries', async () => {
  const scopes = ['webhooks.read', 'documents.read', 'functions.read', 'executions.read']
  const without = (lost: string) => scopes.filter((scope) => scope !== lost)
  const below = 'fragment Below on Webhook { deliveries { totalCount } }'
  const cases = [
    ['webhookChanged', '...Below', below, 'documents.read'],
    ['functionChanged', 'executions { totalCount }', '', 'executions.read'],
  ] as const
  for (const [i, [field, node, more, lost]] of cases.entries()) {
    const { caller, become } = changing(`key_below_${i}`, scopes)
    const sourceOf = (node: string) => `subscription { changed: ${field} { cursor node { ${node} } } }`
    const needing = await listen(schemas, caller, `${sourceOf(node)} ${more}`)
    const other = await listen(schemas, caller, sourceOf('id'))
    await become(without(lost))
    const error = await within(assertRejected(needing.next()), 3_000, `${field} did not end`)
    assert.ok(error instanceof SchemaChanged)
    const ended = other.next().catch(() => 'ended')
    assert.equal(await Promise.race([ended, sleep(300, 'goes on')]), 'goes on')
    await other.return()
  }
})

const assertRejected = (promise: Promise<unknown>): Promise<unknown> =>
  promise.then(
    () => assert.fail(),
    (error) => error,
  )
