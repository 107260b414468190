import assert from 'node:assert/strict'
import { before, test } from 'node:test'
import type { Context } from '../src/context.ts'
import { newId } from '../src/lib/ids.ts'
import { matchesEvent } from '../src/logged-event.ts'
import '../src/modules/catalogue.ts'
import { operate } from '../src/testing/operation.ts'
import { createStage } from '../src/testing/stage.ts'

const { world, schemas, owner: ctx } = await createStage()

before(async () => {
  const { projectId } = ctx
  for (const n of [1, 2, 3]) {
    const resource = `users.usr_${n % 2}`
    const [actorKind, actorId] = n === 3 ? (['guest', null] as const) : (['key', `key_${n}`] as const)
    await ctx.db.audit.create({
      data: {
        id: crypto.randomUUID(),
        projectId,
        seq: n,
        event: `${resource}.updated`,
        resource,
        actorKind,
        actorId,
        payload: {},
        at: new Date(),
      },
    })
    const eventId = crypto.randomUUID()
    await ctx.db.mail.create({
      data: { id: newId('mai'), projectId, eventId, template: 'verification', recipient: `a${n}@example.org` },
    })
  }
})

const key = (...scopes: string[]) => world.context(ctx.projectId, { kind: 'key', id: 'key_1', scopes: new Set(scopes) })

test('the audit log is read newest first, page by page, and by what it is about', async () => {
  const page = await operate(
    schemas,
    ctx,
    '{ audits(first: 2) { totalCount nodes { event actorKind actorId } pageInfo { endCursor hasNextPage } } }',
  )
  assert.deepEqual(page.errors, [])
  const { totalCount, nodes, pageInfo } = page.data?.audits ?? {}
  assert.deepEqual([totalCount, pageInfo.hasNextPage], [3, true])
  assert.deepEqual(nodes[0], { event: 'users.usr_1.updated', actorKind: 'GUEST', actorId: null })
  const next = await operate(
    schemas,
    ctx,
    'query ($after: String) { audits(first: 2, after: $after) { nodes { actorId } } }',
    { after: pageInfo.endCursor },
  )
  assert.deepEqual(next.data?.audits.nodes, [{ actorId: 'key_1' }])
  const about = await operate(schemas, ctx, '{ audits(where: { resource: "users.usr_1" }) { totalCount } }')
  assert.equal(about.data?.audits.totalCount, 2)
  const by = await operate(schemas, key('audits.read'), '{ audits(where: { actorId: "key_2" }) { totalCount } }')
  assert.equal(by.data?.audits.totalCount, 1)
})

test('mails are read newest first', async () => {
  const { data, errors } = await operate(
    schemas,
    key('mails.read'),
    '{ mails { totalCount nodes { id recipient status error sentAt } } }',
  )
  assert.deepEqual(errors, [])
  const { id, ...first } = data?.mails.nodes[0] ?? {}
  const one = 'query ($id: ID!) { mail(id: $id) { id } none: mail(id: "mai_none") { id } }'
  assert.deepEqual((await operate(schemas, key('mails.read'), one, { id })).data, { mail: { id }, none: null })
  assert.deepEqual(first, { recipient: 'a3@example.org', status: 'PENDING', error: null, sentAt: null })
})

test('another project’s are not seen, and without the scope there is no trace of them', async () => {
  const { owner: stranger } = await world.createProject()
  const { data } = await operate(schemas, stranger, '{ audits { totalCount } mails { totalCount } }')
  assert.deepEqual(data, { audits: { totalCount: 0 }, mails: { totalCount: 0 } })
  for (const other of [key('users.read'), world.context(ctx.projectId)]) {
    const seen = await operate(schemas, other, '{ __schema { types { name fields { name } } } }')
    assert.ok(!/audit|"mails"/i.test(JSON.stringify(seen.data)))
    for (const field of ['audits', 'mails']) {
      assert.ok((await operate(schemas, other, `{ ${field} { totalCount } }`)).errors.length > 0)
    }
  }
})

test('a failed mail is sent again', async () => {
  const { id } = await ctx.db.mail.findFirstOrThrow({ where: { recipient: 'a1@example.org' } })
  const resend = 'mutation ($id: ID!) { resendMail(id: $id) { id status error } }'
  assert.match((await operate(schemas, ctx, resend, { id })).errors[0] ?? '', /^CONFLICT/)
  await ctx.db.mail.update({ where: { id }, data: { status: 'FAILED', error: '550' } })
  const { data } = await operate(schemas, key('mails.write'), resend, { id })
  assert.deepEqual(data, { resendMail: { id, status: 'PENDING', error: null } })
  assert.match((await operate(schemas, ctx, resend, { id: 'mai_none' })).errors[0] ?? '', /^NOT_FOUND/)
})

test('patterns of events find what they name, and nothing else', async () => {
  const { owner } = await world.createProject()
  const { projectId } = owner
  const of = (resource: string, action: string, noun = resource.split('.').at(-2)) => ({
    event: `${resource}.${action}`,
    type: `${noun}.${action}`,
  })
  const happened = [
    of('users.usr_1', 'created'),
    of('users.usr_1', 'updated'),
    of('users.documents', 'created'),
    of('users.usr_1.sessions.ses_1', 'created'),
    of('databases.db_1', 'updated'),
    of('databases.db_1.collections.posts.documents.doc_1', 'updated'),
    of('databases.db_2.collections.posts.documents.users', 'created'),
    of('databases.db_1.collections.pages.documents.doc_1', 'updated'),
    of('projects.prj_1', 'schema-changed'),
  ]
  const rows = happened.map(({ event }, i) => ({
    ...{ id: crypto.randomUUID(), projectId, seq: i + 1, event, resource: event.slice(0, event.lastIndexOf('.')) },
    ...{ actorKind: 'system', actorId: null, payload: {}, at: new Date() },
  }))
  await owner.db.audit.createMany({ data: rows })
  const find = 'query ($event: String!) { audits(where: { event: $event }, first: 50) { totalCount nodes { event } } }'
  const patterns = [
    '*',
    'users.*',
    'users.created',
    '*.created',
    '*.*',
    'documents.updated',
    'documents.*',
    'users.*.created',
  ]
  const full = [
    'users.*.*',
    'databases.*.collections.posts.documents.*.updated',
    'databases.db_1.collections.*.documents.*.*',
  ]
  for (const pattern of [...patterns, ...full, 'users.usr_1.sessions.*.created', 'projects.schema-changed']) {
    const { data, errors } = await operate(schemas, owner, find, { event: pattern })
    const wanted = happened
      .filter(({ event, type }) => matchesEvent(pattern, { name: event, type }))
      .map(({ event }) => event)
    assert.deepEqual(
      [errors, data?.audits.nodes.map(({ event }: { event: string }) => event)],
      [[], wanted.reverse()],
      pattern,
    )
    assert.equal(data?.audits.totalCount, wanted.length)
  }
  for (const pattern of ['users', 'no.such', 'users.(a+)+$', "users'; --.created", '']) {
    const { errors } = await operate(schemas, owner, find, { event: pattern })
    assert.match(errors[0] ?? '', /^INVALID .*\(where\.event\)$/, pattern)
  }
})

test('by time and by user; pages from both ends', async () => {
  const { owner } = await world.createProject()
  const { projectId } = owner
  const at = (day: number) => new Date(Date.UTC(2026, 0, day))
  const rows = [
    { resource: 'users.usr_a', actorId: 'key_1', day: 1 },
    { resource: 'users.usr_a.sessions.ses_1', actorId: null, day: 2 },
    { resource: 'users.usr_ab', actorId: 'key_1', day: 3 },
    { resource: 'databases.db_1', actorId: 'usr_a', day: 4 },
  ]
  const data = rows.map(({ resource, actorId, day }) => ({
    ...{ id: crypto.randomUUID(), projectId, seq: day, event: `${resource}.updated`, resource },
    ...{ actorKind: 'key', actorId, payload: {}, at: at(day) },
  }))
  await owner.db.audit.createMany({ data })
  const days = async (args: string) => {
    const { data, errors } = await operate(
      schemas,
      owner,
      `{ audits(${args}) { nodes { at } pageInfo { startCursor endCursor } } }`,
    )
    assert.deepEqual(errors, [])
    const { nodes, pageInfo } = data?.audits ?? {}
    return { days: nodes.map((node: { at: string }) => new Date(node.at).getUTCDate()), ...pageInfo }
  }
  assert.deepEqual((await days('where: { userId: "usr_a" }')).days, [4, 2, 1])
  assert.deepEqual((await days('where: { from: "2026-01-02T00:00:00Z", to: "2026-01-04T00:00:00Z" }')).days, [3, 2])
  const first = await days('first: 2')
  assert.deepEqual(first.days, [4, 3])
  assert.deepEqual((await days(`first: 2, after: "${first.endCursor}"`)).days, [2, 1])
  const last = await days('last: 1')
  assert.deepEqual(last.days, [1])
  assert.deepEqual((await days(`last: 2, before: "${last.startCursor}"`)).days, [3, 2])
})

test('people see what they did and what was done to them, and nothing of others', async () => {
  const { owner } = await world.createProject()
  const { projectId } = owner
  const user = (id: string): Context =>
    world.context(projectId, { kind: 'user', id, sessionId: 's', verified: true, labels: [] })
  for (const id of ['usr_a', 'usr_ab'].map((name) => `${name}${projectId.slice(-8)}`)) {
    await owner.db.user.create({ data: { id, projectId, email: `${id}@example.org`, passwordHash: '' } })
  }
  const [a, ab] = ['usr_a', 'usr_ab'].map((name) => `${name}${projectId.slice(-8)}`)
  const rows = [
    { resource: `users.${a}`, actorKind: 'key', actorId: 'key_secret' },
    { resource: `users.${a}.sessions.ses_1`, actorKind: 'user', actorId: a ?? null },
    { resource: `users.${ab}`, actorKind: 'key', actorId: 'key_secret' },
    { resource: 'keys.key_secret', actorKind: 'account', actorId: 'usr_owner' },
  ]
  const data = rows.map((row, i) => ({
    ...{ ...row, id: crypto.randomUUID(), projectId, seq: i + 1, event: `${row.resource}.updated` },
    ...{ payload: { hidden: 'canary' }, at: new Date() },
  }))
  await owner.db.audit.createMany({ data })
  const source = '{ account { activity { totalCount nodes { event byYou at } } } }'
  const mine = await operate(schemas, user(a ?? ''), source)
  assert.deepEqual(mine.errors, [])
  const { totalCount, nodes } = mine.data?.account.activity ?? {}
  assert.equal(totalCount, 2)
  assert.deepEqual(
    nodes.map(({ event, byYou }: { event: string; byYou: boolean }) => [event, byYou]),
    [
      [`users.${a}.sessions.ses_1.updated`, true],
      [`users.${a}.updated`, false],
    ],
  )
  assert.ok(!/canary|key_secret/.test(JSON.stringify(mine)))
  assert.equal((await operate(schemas, user(ab ?? ''), source)).data?.account.activity.totalCount, 1)
  assert.deepEqual((await operate(schemas, world.context(projectId), source)).data, { account: null })
})

test('an owner says for how long the log is kept', async () => {
  const { projectId, ownerAtConsole } = await world.createProject()
  const source = 'mutation ($input: UpdateProjectInput!) { updateProject(input: $input) { auditDays } }'
  const set = (auditDays: number) => operate(schemas, ownerAtConsole, source, { input: { id: projectId, auditDays } })
  assert.deepEqual((await set(90)).data, { updateProject: { auditDays: 90 } })
  for (const wrong of [0, -1, 731]) assert.match((await set(wrong)).errors[0] ?? '', /^INVALID .*\(input\.auditDays\)$/)
})
