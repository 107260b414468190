import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import type { Context } from '../src/context.ts'
import { newId } from '../src/lib/ids.ts'
import { operate } from '../src/testing/operation.ts'
import { createWorld, type World } from '../src/testing/world.ts'
import { createSchemas, type Schemas } from './schemas.ts'

let world: World
let schemas: Schemas
let ctx: Context

before(async () => {
  world = await createWorld()
  schemas = createSchemas(world.app)
  ctx = (await world.createProject()).owner
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
after(async () => {
  await schemas.close()
  await world.close()
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
  assert.deepEqual(nodes[0], { event: 'users.usr_1.updated', actorKind: 'guest', actorId: null })
  const next = await operate(
    schemas,
    ctx,
    'query ($after: String) { audits(first: 2, after: $after) { nodes { actorId } } }',
    { after: pageInfo.endCursor },
  )
  assert.deepEqual(next.data?.audits.nodes, [{ actorId: 'key_1' }])
  const about = await operate(schemas, ctx, '{ audits(resource: "users.usr_1") { totalCount } }')
  assert.equal(about.data?.audits.totalCount, 2)
  const by = await operate(schemas, key('audits.read'), '{ audits(actorId: "key_2") { totalCount } }')
  assert.equal(by.data?.audits.totalCount, 1)
})

test('mails are read newest first', async () => {
  const { data, errors } = await operate(
    schemas,
    key('mails.read'),
    '{ mails { totalCount nodes { recipient status error sentAt } } }',
  )
  assert.deepEqual(errors, [])
  assert.deepEqual(data?.mails.nodes[0], { recipient: 'a3@example.org', status: 'PENDING', error: null, sentAt: null })
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
