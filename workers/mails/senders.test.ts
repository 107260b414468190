import assert from 'node:assert/strict'
import { after, before, beforeEach, test } from 'node:test'
import { simpleParser } from 'mailparser'
import { asSystem, type Context, transaction } from '../../src/context.ts'
import { newId } from '../../src/lib/ids.ts'
import { deleteSender, type NewSender, setSender, testSender } from '../../src/modules/senders/senders.ts'
import { createWebhook, disableWebhook } from '../../src/modules/webhooks/webhooks.ts'
import { createEgress } from '../../src/platform/egress.ts'
import { createMailer, type Mailer } from '../../src/platform/mail.ts'
import { eventually } from '../../src/testing/receiver.ts'
import { createSmtpServer } from '../../src/testing/smtp.ts'
import { createWorld, type World } from '../../src/testing/world.ts'
import { mails } from '../mails.ts'

type Smtp = Awaited<ReturnType<typeof createSmtpServer>>

let world: World
let ctx: Context
/** The installation's own server, and the project's. */
let own: Smtp
let theirs: Smtp
let mailer: Mailer
const egress = createEgress([])
const { signal } = new AbortController()

before(async () => {
  world = await createWorld()
})
after(async () => {
  await egress.close()
  await world.close()
})
beforeEach(async (t) => {
  ;({ owner: ctx } = await world.createProject())
  own = await createSmtpServer()
  theirs = await createSmtpServer()
  mailer = open(['127.0.0.0/8'])
  if (!('after' in t)) return
  t.after(() => {
    mailer.close()
    own.close()
    theirs.close()
  })
})

const open = (EGRESS_ALLOW: string[]) =>
  createMailer({ SMTP_URL: own.url, MAIL_FROM: 'Tendril <tendril@localhost>', EGRESS_ALLOW })

const set = (changes: Partial<NewSender> = {}) =>
  setSender(ctx, {
    name: 'Ann, "the" Blög',
    address: 'blog@example.org',
    replyTo: 'ann@example.org',
    host: '127.0.0.1',
    port: theirs.port,
    secure: false,
    ...changes,
  })

async function send(mailId: string, through = mailer) {
  const [job] = mails.outgoing?.({ egress, mailer: through, atEnd: () => {} }) ?? []
  return job?.run({ ...world.app, key: mailId, signal }, { mailId })
}
const find = (id: string) => ctx.db.mail.findUniqueOrThrow({ where: { id } })
const told = async (type: string) =>
  (await world.app.sql.query('select * from events.outbox where type = $1 and "projectId" = $2', [type, ctx.projectId]))
    .rows

test('a project’s mails go by its own server, in its own name', async () => {
  await set({ username: 'blog', password: 'canary-pass' })
  const { id } = await testSender(ctx)
  await send(id)
  assert.equal((await find(id)).status, 'SENT')
  assert.equal(own.mails.length, 0)
  assert.equal(theirs.said('AUTH')[0], `AUTH PLAIN ${Buffer.from('\0blog\0canary-pass').toString('base64')}`)
  assert.deepEqual(theirs.said('MAIL'), ['MAIL FROM:<blog@example.org>'])
  assert.equal(theirs.said('RCPT').length, 1)
  const mail = await simpleParser(theirs.mails[0] ?? '')
  assert.deepEqual(mail.from?.value, [{ name: 'Ann, "the" Blög', address: 'blog@example.org' }])
  assert.equal(mail.replyTo?.text, 'ann@example.org')
  assert.equal(mail.subject, 'The sender of Test works')
})

test('connections are kept for the next mail, and left once the settings are others', async () => {
  await set()
  for (let i = 0; i < 3; i++) await send((await testSender(ctx)).id)
  assert.deepEqual([theirs.mails.length, theirs.connections], [3, 1])
  await set({ name: 'B' })
  await send((await testSender(ctx)).id)
  assert.deepEqual([theirs.mails.length, theirs.connections], [4, 2])
  mailer.close()
  await eventually(() => assert.equal(theirs.open.size, 0))
})

test('without a sender of its own it is the installation’s server again', async () => {
  await set()
  const { id } = await testSender(ctx)
  await deleteSender(ctx)
  await send(id)
  assert.deepEqual(
    [(await find(id)).status, (await find(id)).error],
    ['FAILED', 'It was no longer of use when its turn came.'],
  )
  assert.equal(theirs.connections, 0)
})

test('a private address is not reached unless the operator allows it', async () => {
  const guarded = open([])
  for (const host of ['127.0.0.1', 'localhost', '::1', '0x7f.1', '169.254.169.254']) {
    await set({ host })
    const { id } = await testSender(ctx)
    await send(id, guarded).catch(() => {})
    const { status, error } = await find(id)
    assert.notEqual(status, 'SENT', host)
    if (host !== '0x7f.1') assert.match(error ?? '', /not a public address/, host)
  }
  guarded.close()
  assert.equal(theirs.connections, 0)
})

test('a refused login is told to the owner, once, by the installation’s server; mails wait', async () => {
  await set({ username: 'blog', password: 'wrong' })
  theirs.answers = { AUTH: '535 5.7.8 Bad credentials' }
  const { id } = await testSender(ctx)
  for (let i = 0; i < 3; i++) await assert.rejects(send(id), /refused the login/)
  assert.equal((await find(id)).status, 'PENDING')
  const [event, ...others] = await told('senders.refused')
  assert.deepEqual(others, [])
  const { refusal } = await ctx.db.sender.findUniqueOrThrow({ where: { projectId: ctx.projectId } })
  assert.match(refusal ?? '', /535 5\.7\.8 Bad credentials/)
  const [owed] = (await mails.reactions[0]?.(world.app, [{ ...event, seq: 1n, prev: 0n, at: new Date() }])) ?? []
  await send(owed?.key ?? '')
  const mail = await simpleParser(own.mails[0] ?? '')
  const account = await ctx.db.user.findUniqueOrThrow({ where: { id: ctx.actor?.id ?? '' } })
  assert.deepEqual([[mail.to].flat()[0]?.text, mail.subject], [account.email, 'Mails of Test are not sent'])
  assert.match(mail.text ?? '', /535 5\.7\.8 Bad credentials/)
  theirs.answers = {}
  await set({ username: 'blog', password: 'right' })
  await send(id)
  assert.equal((await find(id)).status, 'SENT')
  assert.equal((await ctx.db.sender.findUniqueOrThrow({ where: { projectId: ctx.projectId } })).refusal, null)
})

test('an owner is told of a webhook that was disabled', async () => {
  const { webhook } = await createWebhook(ctx, { name: 'Hook', url: 'https://example.org/h', events: ['users.*'] })
  const system = asSystem(world.app, 'test', ctx.projectId)
  await transaction(system, (tx) => disableWebhook(tx, webhook, 'no delivery has succeeded for five days.'))
  const [event] = await told('webhooks.disabled')
  const [owed] = (await mails.reactions[0]?.(world.app, [{ ...event, seq: 1n, prev: 0n, at: new Date() }])) ?? []
  await send(owed?.key ?? '')
  const { text = '', to } = await simpleParser(own.mails[0] ?? '')
  const account = await ctx.db.user.findUniqueOrThrow({ where: { id: ctx.actor?.id ?? '' } })
  assert.equal([to].flat()[0]?.text, account.email)
  assert.match(text, /“Hook” of the project Test was disabled: no delivery has succeeded for five days/)
})

test('a 4xx to the login is no refusal, and a server that is away is found again', async () => {
  await set({ username: 'blog', password: 'x' })
  theirs.answers = { AUTH: '454 4.7.0 later' }
  const { id } = await testSender(ctx)
  await assert.rejects(send(id), /454/)
  theirs.answers = { greeting: '' }
  await assert.rejects(send(id))
  assert.deepEqual(await told('senders.refused'), [])
  theirs.answers = {}
  await send(id)
  assert.equal((await find(id)).status, 'SENT')
})

test('mails of a project with a server of its own are owed, without one of the installation', async () => {
  const data = { projectId: ctx.projectId, template: 'verification', recipient: 'a@example.org' }
  const id = newId('mai')
  await ctx.db.mail.create({ data: { ...data, id, eventId: crypto.randomUUID(), createdAt: new Date(0) } })
  const isOwed = async () => (await mails.owed?.(world.app))?.some(({ key }) => key === id)
  assert.equal(await isOwed(), false)
  await set()
  assert.equal(await isOwed(), true)
})
