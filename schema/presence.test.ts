import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import { type App, createApp } from '../src/app.ts'
import { asSystem, type Context, transaction } from '../src/context.ts'
import { emit } from '../src/event.ts'
import { addMember } from '../src/modules/members/members.ts'
import { presenceLimits } from '../src/modules/presence/presence.ts'
import { updateProject } from '../src/modules/projects/projects.ts'
import { sessionDeleted } from '../src/modules/sessions/events.ts'
import { userUpdated } from '../src/modules/users/events.ts'
import { createUser } from '../src/modules/users/users.ts'
import { listen, operate, type Payloads } from '../src/testing/operation.ts'
import { eventually } from '../src/testing/receiver.ts'
import { within } from '../src/testing/stream.ts'
import { createWorld, type World } from '../src/testing/world.ts'
import { type Relay, startRelay } from '../workers/relay.ts'
import { createSchemas, type Schemas } from './schemas.ts'

let world: World
let schemas: Schemas
let other: App
let relay: Relay
let projectId: string
const open: Payloads[] = []

before(async () => {
  world = await createWorld()
  schemas = createSchemas(world.app)
  relay = startRelay(world.app)
  other = await createApp(world.env, 'other')
  projectId = (await world.createProject()).projectId
})
after(async () => {
  for (const stream of open) await stream.return()
  await relay.stop()
  await other.close()
  await schemas.close()
  await world.close()
})

/** A user on one of two nodes. */
function user(name: string, app: App = world.app, labels: readonly string[] = []): Context {
  const actor = { kind: 'user', id: name, sessionId: `ses_${name}`, verified: true, labels } as const
  const ctx: Context = { ...asSystem(app, 'test', projectId), actor, reauthenticate: async () => ctx }
  return ctx
}

async function subscribe(ctx: Context, field: string): Promise<Payloads> {
  const stream = await listen(schemas, ctx, `subscription { told: ${field} { kind entries { id actorId data } } }`)
  open.push(stream)
  return stream
}

type Told = { kind: string; entries: { id: string; actorId: string; data: unknown }[] }

async function next(stream: Payloads): Promise<Told> {
  const { value } = await within(stream.next(), 5_000, 'nothing came')
  assert.deepEqual(value?.errors, [])
  return value?.data?.told
}

const brief = ({ kind, entries }: Told) => [kind, ...entries.map(({ actorId, data }) => [actorId, data])]

test('who is at a topic is told on every node: who was there, who comes, changes and goes', async () => {
  const ann = await subscribe(user('ann'), 'joined(topic: "room-1", data: { at: 1 })')
  const first = await next(ann)
  assert.deepEqual(brief(first), ['ALL', ['ann', { at: 1 }]])
  const watching = await subscribe(user('carl', other), 'presence(topic: "room-1")')
  assert.deepEqual(brief(await next(watching)), ['ALL', ['ann', { at: 1 }]])
  const bob = await subscribe(user('bob', other), 'joined(topic: "room-1")')
  assert.equal((await next(bob)).entries.length, 2)
  for (const stream of [ann, watching]) assert.deepEqual(brief(await next(stream)), ['ENTERED', ['bob', null]])
  const source = 'query { presence(topic: "room-1") { actorId } }'
  assert.equal((await operate(schemas, user('dora'), source)).data?.presence.length, 2)
  const update = `mutation { updatePresence(input: { topic: "room-1", id: "${first.entries[0]?.id}", data: { at: 2 } }) { data } }`
  assert.deepEqual((await operate(schemas, user('ann', other), update)).errors, [])
  for (const stream of [bob, watching]) assert.deepEqual(brief(await next(stream)), ['UPDATED', ['ann', { at: 2 }]])
  assert.deepEqual((await operate(schemas, user('bob'), update)).errors, [
    'NOT_FOUND You are not there by this id. (input.id)',
  ])
  await ann.return()
  for (const stream of [bob, watching]) assert.deepEqual(brief(await next(stream)), ['LEFT', ['ann', { at: 2 }]])
})

test('topics, projects and guests are kept apart', async () => {
  const ann = await subscribe(user('ann'), 'joined(topic: "room-2")')
  await next(ann)
  const source = 'query ($topic: String!) { presence(topic: $topic) { actorId } }'
  assert.deepEqual((await operate(schemas, user('bob'), source, { topic: 'room-3' })).data, { presence: [] })
  const elsewhere = { ...user('bob'), projectId: (await world.createProject()).projectId }
  assert.deepEqual((await operate(schemas, elsewhere, source, { topic: 'room-2' })).data, { presence: [] })
  const guest = world.context(projectId)
  assert.match((await operate(schemas, guest, source, { topic: 'room-2' })).errors.join(), /UNAUTHENTICATED/)
  await assert.rejects(subscribe(guest, 'joined(topic: "room-2")'), /UNAUTHENTICATED|Sign in/)
})

test('what is wrong or too much is refused, and nobody is there for it', async () => {
  await assert.rejects(subscribe(user('ann'), 'joined(topic: "a b")'), /topic/)
  await assert.rejects(subscribe(user('ann'), `joined(topic: "room-4", data: "${'x'.repeat(4_096)}")`), /4,096 bytes/)
  const source = 'query { presence(topic: "room-4") { actorId } }'
  assert.deepEqual((await operate(schemas, user('bob'), source)).data, { presence: [] })
})

test('a topic that is named after a role is for who has it, as long as they do', async () => {
  const source = 'query ($topic: String!) { presence(topic: $topic) { actorId } }'
  const asked = async (ctx: Context, topic: string) => (await operate(schemas, ctx, source, { topic })).errors.join()
  assert.match(await asked(user('ann'), 'label:staff:room'), /^FORBIDDEN/)
  assert.equal(await asked(user('ann', world.app, ['staff']), 'label:staff:room'), '')
  assert.match(await asked(user('ann', world.app, ['staf']), 'label:staff:room'), /^FORBIDDEN/)
  assert.match(await asked(user('ann'), 'user:bob'), /^FORBIDDEN/)
  assert.equal(await asked(user('bob'), 'user:bob'), '')
  const { owner, projectId } = await world.createProject()
  assert.equal(await asked({ ...owner, projectId }, 'label:staff'), '')
  await assert.rejects(subscribe(user('ann'), 'joined(topic: "label:staff")'), /FORBIDDEN|for others/)
  let ctx = user('flo', world.app, ['staff'])
  const stream = await subscribe({ ...ctx, reauthenticate: async () => ctx }, 'joined(topic: "label:staff")')
  await next(stream)
  ctx = user('flo')
  await transaction(ctx, (tx) => emit(tx, userUpdated, { userId: 'flo' }))
  await assert.rejects(within(stream.next(), 5_000, 'nothing came'), /for others/)
})

test('who reads slowly is looked at again, though another stream of theirs has been already', async () => {
  let ctx = user('ada', world.app, ['staff'])
  let read = 0
  const reauthenticate = async () => {
    read += 1
    return ctx
  }
  const slow = await subscribe({ ...ctx, reauthenticate }, 'joined(topic: "label:staff:slow")')
  const quick = await subscribe({ ...ctx, reauthenticate }, 'joined(topic: "room-ada")')
  await next(slow)
  await next(quick)
  const waiting = next(quick)
  const before = read
  ctx = user('ada')
  await transaction(ctx, (tx) => emit(tx, userUpdated, { userId: 'ada' }))
  await eventually(() => assert.ok(read > before))
  await assert.rejects(within(slow.next(), 5_000, 'nothing came'), /for others/)
  await quick.return()
  await waiting.catch(() => {})
})

const rooms = [
  { topics: 'room:public:*', join: ['any'], read: [] },
  { topics: 'room:*', join: ['label:staff'], read: ['users/verified'] },
  { topics: 'label:staff:*', join: ['users'], read: [] },
]

test('rules say which roles are at a topic, and which see who is; the first that matches decides', async () => {
  const { projectId, owner, ownerAtConsole } = await world.createProject()
  await updateProject(ownerAtConsole, projectId, { presenceRules: rooms })
  const as = (ctx: Context) => ({ ...ctx, projectId })
  const [guest, ann, staff] = [world.context(projectId), as(user('ann')), as(user('sue', world.app, ['staff']))]
  const unverified = { ...ann, actor: { ...ann.actor, verified: false } as Context['actor'] }
  const source = 'query ($topic: String!) { presence(topic: $topic) { actorId } }'
  const may = async (ctx: Context, topic: string) => {
    const { errors } = await operate(schemas, ctx, source, { topic })
    const joining = await subscribe(ctx, `joined(topic: "${topic}")`).then(next, (error: Error) => error.message)
    return [errors[0]?.split(' ')[0] ?? 'sees', typeof joining === 'string' ? joining.split(' ')[0] : 'joins']
  }
  const [no, seen, all] = [
    ['FORBIDDEN', 'FORBIDDEN'],
    ['sees', 'FORBIDDEN'],
    ['sees', 'joins'],
  ]
  const signIn = ['UNAUTHENTICATED', 'UNAUTHENTICATED']
  const expected: [string, string[] | undefined, string[] | undefined, string[] | undefined, string[] | undefined][] = [
    ['room:public:1', all, all, all, all],
    ['room:1', signIn, no, seen, all],
    // No rule is about it: whoever is signed in.
    ['lobby', signIn, all, all, all],
    // Named after a role: whatever the rules say.
    ['label:staff:1', signIn, no, no, all],
  ]
  for (const [topic, ...ways] of expected) {
    for (const [i, ctx] of [guest, unverified, ann, staff].entries())
      assert.deepEqual(await may(ctx, topic), ways[i], `${topic} ${i}`)
    assert.deepEqual(await may(owner, topic), all, topic)
  }
  const { data } = await operate(schemas, owner, source, { topic: 'room:public:1' })
  assert.ok(data?.presence.some(({ actorId }: { actorId: string | null }) => actorId === null))
})

test('a right that a rule takes away ends what is under way within a second; whoever keeps it notices nothing', async () => {
  const { projectId, ownerAtConsole } = await world.createProject()
  const set = (presenceRules: typeof rooms) => updateProject(ownerAtConsole, projectId, { presenceRules })
  await set([{ topics: 'desk', join: ['users', 'guests'], read: [] }])
  const as = (ctx: Context) => ({ ...ctx, projectId })
  const guest = await subscribe(world.context(projectId), 'presence(topic: "desk")')
  const ann = await subscribe(as(user('ann')), 'joined(topic: "desk")')
  const staff = await subscribe(as(user('sue', other, ['staff'])), 'presence(topic: "desk")')
  for (const stream of [guest, ann, staff]) await next(stream)
  await set([{ topics: 'desk', join: ['label:staff'], read: [] }])
  const begun = performance.now()
  const times: number[] = []
  const ended = async (stream: typeof ann, reason: RegExp) => {
    const end = async () => {
      while (!(await stream.next()).done);
    }
    await assert.rejects(within(end(), 5_000, `nothing was told of ${reason}`), reason)
    times.push(performance.now() - begun)
  }
  await Promise.all([ended(ann, /for others/), ended(guest, /Sign in first/)])
  assert.ok(Math.max(...times) < 1_000, `${times} ms`)
  for (let told = await next(staff); told.kind !== 'LEFT'; told = await next(staff));
})

test('rules that are none are refused, and only owners set them', async () => {
  const { projectId, ownerAtConsole } = await world.createProject()
  const source = `mutation ($id: ID!, $rules: [PresenceRuleInput!]) {
    updateProject(input: { id: $id, presenceRules: $rules }) { presenceRules { topics join read } }
  }`
  const set = (rules: object[], ctx = ownerAtConsole) => operate(schemas, ctx, source, { id: projectId, rules })
  assert.deepEqual((await set(rooms)).data?.updateProject.presenceRules, rooms)
  const errorOf = async (rule: object) => (await set([rooms[0] ?? {}, { ...rooms[1], ...rule }])).errors.join()
  assert.match(await errorOf({ topics: 'a b' }), /^INVALID .*\(input\.presenceRules\.1\.topics\)$/)
  assert.match(await errorOf({ join: ['users', 'everybody'] }), /^INVALID .*\(input\.presenceRules\.1\.join\.1\)$/)
  assert.match(await errorOf({ read: Array(21).fill('users') }), /^INVALID .*\(input\.presenceRules\.1\.read\)$/)
  assert.match((await set(Array(51).fill(rooms[0]))).errors.join(), /^INVALID .*at most 50/)
  const developer = await createUser(world.context('console'), { email: 'dev@example.org', password: 'correct horse' })
  await addMember(ownerAtConsole, { projectId, email: developer.email, role: 'DEVELOPER' })
  const actor = { kind: 'account', id: developer.id, sessionId: 'ses_1', role: null } as const
  assert.match((await set([], world.context('console', actor))).errors.join(), /^FORBIDDEN/)
})

test('a topic that is full takes nobody more, and is told all the same', async () => {
  const { peers } = world.app
  for (let n = 0; n < presenceLimits.present; n++)
    peers.put(`presence:${projectId}:full`, `pre_${n}`, { id: `pre_${n}`, actorId: 'x', data: null, since: new Date() })
  const source = 'query { presence(topic: "full") { actorId } }'
  const present = async () => (await operate(schemas, user('ann'), source)).data?.presence.length
  await eventually(async () => assert.equal(await present(), presenceLimits.present))
  await assert.rejects(subscribe(user('ann'), 'joined(topic: "full")'), /at most 1,000/)
  assert.equal(await present(), presenceLimits.present)
  const watching = await subscribe(user('bob'), 'presence(topic: "full")')
  assert.equal((await next(watching)).entries.length, presenceLimits.present)
  peers.remove(`presence:${projectId}:full`, 'pre_0')
  await eventually(async () => assert.equal(await present(), presenceLimits.present - 1))
  await next(await subscribe(user('ann'), 'joined(topic: "full")'))
})

test('whoever is signed out is there no more', async () => {
  let isValid = true
  const eve = user('eve')
  const stream = await subscribe(
    { ...eve, reauthenticate: async () => (isValid ? eve : null) },
    'joined(topic: "room-5")',
  )
  await next(stream)
  const watching = await subscribe(user('bob', other), 'presence(topic: "room-5")')
  assert.deepEqual(brief(await next(watching)), ['ALL', ['eve', null]])
  isValid = false
  await transaction(eve, (tx) => emit(tx, sessionDeleted, { sessionId: 'ses_eve', userId: 'eve' }))
  await assert.rejects(within(stream.next(), 5_000, 'nothing came'), /no longer valid/)
  assert.deepEqual(brief(await next(watching)), ['LEFT', ['eve', null]])
})
