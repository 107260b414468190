import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { beforeEach, test } from 'node:test'
import type { Context } from '../src/context.ts'
import { newId } from '../src/lib/ids.ts'
import { operate } from '../src/testing/operation.ts'
import { createStage } from '../src/testing/stage.ts'
import { letters } from '../workers/mails/letters.ts'

const { world, schemas } = await createStage()
let ctx: Context

beforeEach(async () => {
  ctx = (await world.createProject()).owner
})

const input = {
  name: 'Ann’s Blog',
  address: 'blog@example.org',
  host: 'Mail.Example.org',
  port: 587,
  secure: false,
  username: 'blog',
  password: 'canary-pass',
}
const source = `mutation ($input: SetSenderInput!) { setSender(input: $input) { id name address replyTo host port secure username error } }`
const set = (changes: object = {}, by = ctx) => operate(schemas, by, source, { input: { ...input, ...changes } })

test('a sender is set, read, set anew and removed; its password goes in and does not come out', async () => {
  const { data, errors } = await set()
  assert.deepEqual(errors, [])
  const { id, ...sender } = data?.setSender ?? {}
  const { password, ...shown } = input
  assert.deepEqual(sender, { ...shown, host: 'mail.example.org', replyTo: null, error: null })
  const row = await ctx.db.sender.findUniqueOrThrow({ where: { id } })
  assert.ok(!JSON.stringify(row).includes(password))
  const events = await world.app.sql.query('select payload::text from events.outbox')
  assert.ok(!JSON.stringify(events.rows).includes(password))
  const again = await set({ name: 'B', password: undefined, replyTo: 'ann@example.org' })
  assert.deepEqual([again.data?.setSender.id, again.data?.setSender.replyTo], [id, 'ann@example.org'])
  assert.equal((await ctx.db.sender.findUniqueOrThrow({ where: { id } })).password, row.password)
  assert.deepEqual((await operate(schemas, ctx, '{ sender { name } }')).data, { sender: { name: 'B' } })
  assert.deepEqual((await operate(schemas, ctx, 'mutation { deleteSender }')).data, { deleteSender: id })
  assert.deepEqual((await operate(schemas, ctx, '{ sender { name } }')).data, { sender: null })
  for (const gone of ['deleteSender', 'testSender { id }'])
    assert.match((await operate(schemas, ctx, `mutation { ${gone} }`)).errors[0] ?? '', /^NOT_FOUND/)
})

test('a password is not taken along to another server, port or user', async () => {
  await set()
  for (const change of [{ host: 'evil.example' }, { port: 588 }, { username: 'other' }]) {
    const { errors } = await set({ ...change, password: undefined })
    assert.match(errors[0] ?? '', /^INVALID .*\(input\.password\)$/, JSON.stringify(change))
  }
  assert.equal((await ctx.db.sender.findFirstOrThrow({ where: { projectId: ctx.projectId } })).host, 'mail.example.org')
})

test('a test mail goes to the caller’s own address', async () => {
  await set()
  const { data, errors } = await operate(schemas, ctx, 'mutation { testSender { template recipient status } }')
  assert.deepEqual(errors, [])
  const account = await ctx.db.user.findUniqueOrThrow({ where: { id: ctx.actor?.id ?? '' } })
  assert.deepEqual(data?.testSender, { template: 'sender-test', recipient: account.email, status: 'PENDING' })
})

test('bad input: lines, second addresses, what is no server', async () => {
  for (const [wrong, field] of [
    [{ name: 'a\r\nBcc: b@example.org' }, 'name'],
    [{ address: 'a@example.org, b@example.org' }, 'address'],
    [{ address: 'Ann <a@example.org>' }, 'address'],
    [{ address: 'a@example.org\nX: y' }, 'address'],
    [{ replyTo: '"a b"@example.org' }, 'replyTo'],
    [{ host: 'a b' }, 'host'],
    [{ host: 'http://a' }, 'host'],
    [{ host: '' }, 'host'],
    [{ port: 0 }, 'port'],
    [{ port: 70_000 }, 'port'],
    [{ username: 'a\0' }, 'username'],
    [{ username: '' }, 'username'],
    [{ password: 'a\nb' }, 'password'],
  ] as const) {
    const { errors } = await set(wrong)
    assert.match(errors[0] ?? '', new RegExp(`^INVALID .*\\(input\\.${field}\\)$`), JSON.stringify(wrong))
  }
  assert.equal(await ctx.db.sender.count({ where: { projectId: ctx.projectId } }), 0)
})

test('only owners may; strangers, keys and end users see no trace of it', async () => {
  await set()
  const { projectId, db } = ctx
  const user = await db.user.create({
    data: { id: newId('usr'), projectId: 'console', email: `${newId('d')}@example.org`, passwordHash: '' },
  })
  await db.member.create({ data: { id: newId('mem'), projectId, userId: user.id, role: 'DEVELOPER' } })
  const developer = world.context(projectId, { kind: 'account', id: user.id, sessionId: 's', role: 'DEVELOPER' })
  assert.match((await set({}, developer)).errors[0] ?? '', /^FORBIDDEN/)
  for (const mutation of ['deleteSender', 'testSender { id }'])
    assert.match((await operate(schemas, developer, `mutation { ${mutation} }`)).errors[0] ?? '', /^FORBIDDEN/)
  assert.equal((await operate(schemas, developer, '{ sender { host } }')).data?.sender.host, 'mail.example.org')
  const stranger = (await world.createProject()).owner
  assert.deepEqual((await operate(schemas, stranger, '{ sender { host } }')).data, { sender: null })
  const key = world.context(projectId, { kind: 'key', id: 'key_1', scopes: new Set(['mails.read', 'mails.write']) })
  for (const other of [key, world.context(projectId)]) {
    const seen = await operate(schemas, other, '{ __schema { types { name fields { name } } } }')
    assert.ok(!/sender/i.test(JSON.stringify(seen.data)))
    assert.ok((await set({}, other)).errors.length > 0)
  }
})

test('the guide: each operation is answered, and each mail is in it', async () => {
  const guide = readFileSync(new URL('../docs/guides/mails.md', import.meta.url), 'utf8')
  const blocks = [...guide.matchAll(/```graphql\n([\s\S]*?)```/g)].map(([, text = '']) => text)
  assert.equal(blocks.length, 5)
  const { projectId, db } = ctx
  const row = { template: 'verification', recipient: 'a@example.org', status: 'FAILED' as const }
  const { id } = await db.mail.create({ data: { ...row, id: newId('mai'), projectId, eventId: crypto.randomUUID() } })
  for (const block of blocks) {
    const { errors } = await operate(schemas, ctx, block, block.includes('$id') ? { id } : {})
    assert.deepEqual(errors, [], block)
  }
  for (const { template } of letters) assert.ok(guide.includes(`| \`${template}\` |`), template)
})
