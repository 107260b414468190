import assert from 'node:assert/strict'
import { after, before, beforeEach, test } from 'node:test'
import type { Context } from '../src/context.ts'
import { newId } from '../src/lib/ids.ts'
import type { LoggedEvent } from '../src/logged-event.ts'
import { renderMail } from '../src/mails/render.ts'
import { mailLimits, resendMail } from '../src/modules/mails/mails.ts'
import { createEgress } from '../src/platform/egress.ts'
import { createMailer, isSingleAddress } from '../src/platform/mail.ts'
import { eventually } from '../src/testing/receiver.ts'
import { createSmtpServer } from '../src/testing/smtp.ts'
import { createWorld, type World } from '../src/testing/world.ts'
import { mails } from './mails.ts'

let world: World
let ctx: Context
let smtp: Awaited<ReturnType<typeof createSmtpServer>>
let now = new Date()
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
  now = new Date()
  ;({ owner: ctx } = await world.createProject())
  smtp = await createSmtpServer()
  if ('after' in t) t.after(smtp.close)
})

const services = () => ({ ...world.app, clock: () => now })

/** What a worker does with the event of a verification that somebody asked for; answers the mail's row. */
async function ask({ email = 'ann@example.org', expiresInMs = 600_000 } = {}): Promise<string> {
  const { projectId, db } = ctx
  const at = { projectId_email: { projectId, email } }
  const data = { id: newId('usr'), projectId, email, passwordHash: '' }
  const user = await db.user.upsert({ where: at, create: data, update: {} })
  const expiresAt = new Date(now.getTime() + expiresInMs)
  const verification = { id: newId('ver'), projectId, userId: user.id, email, expiresAt }
  const { id: verificationId } = await db.verification.create({ data: verification })
  const event: LoggedEvent = {
    seq: 1n,
    prev: 0n,
    id: crypto.randomUUID(),
    projectId,
    name: `users.${user.id}.verifications.${verificationId}.created`,
    type: 'verifications.created',
    aggregate: '',
    payload: { verificationId, userId: user.id },
    actorKind: 'user',
    actorId: user.id,
    at: now,
  }
  const owed = await mails.reactions[0]?.(services(), [event])
  assert.deepEqual(await mails.reactions[0]?.(services(), [event]), owed)
  return owed?.[0]?.key ?? ''
}

const mailer = (url: string | undefined = smtp.url) =>
  createMailer({ SMTP_URL: url, MAIL_FROM: 'Tendril <tendril@localhost>', EGRESS_ALLOW: [] })

async function send(mailId: string, through = mailer(), stop = signal) {
  const [job] = mails.outgoing?.({ egress, mailer: through, atEnd: () => {} }) ?? []
  const run = { ...services(), key: mailId, signal: stop }
  return job?.run(run, { mailId }).finally(() => through.close())
}

const find = (id: string) => ctx.db.mail.findUniqueOrThrow({ where: { id } })
const finished = async () =>
  (
    await world.app.sql.query(`select payload from events.outbox where type = 'mails.finished' and "projectId" = $1`, [
      ctx.projectId,
    ])
  ).rows.map(({ payload }) => payload.status)

test('sent once, however often its job runs', async () => {
  const id = await ask()
  for (let i = 0; i < 3; i++) await send(id)
  const { status, sentAt, messageId, eventId } = await find(id)
  assert.deepEqual([status, sentAt, messageId], ['SENT', now, `<${eventId}@127.0.0.1>`])
  assert.deepEqual(smtp.said('RCPT'), ['RCPT TO:<ann@example.org>'])
  assert.match(smtp.mails[0] ?? '', new RegExp(`Message-ID: <${eventId}@`))
  assert.deepEqual(await finished(), ['SENT'])
})

test('of two workers that have the same job, one sends', async () => {
  smtp.afterMs = 60_000
  const id = await ask()
  const stop = new AbortController()
  const first = send(id, mailer(), stop.signal)
  await eventually(() => assert.equal(smtp.mails.length, 1))
  assert.ok((await send(id))?.again)
  assert.equal(smtp.mails.length, 1)
  stop.abort(new Error('enough'))
  await assert.rejects(first)
})

test('a worker that died while it sent is followed by another, with the same Message-ID', async () => {
  const id = await ask()
  await ctx.db.mail.update({ where: { id }, data: { claimedAt: now } })
  assert.ok((await send(id))?.again)
  assert.equal(smtp.mails.length, 0)
  now = new Date(now.getTime() + 121_000)
  assert.equal(await send(id), undefined)
  const { status, eventId } = await find(id)
  assert.equal(status, 'SENT')
  assert.match(smtp.mails[0] ?? '', new RegExp(eventId))
})

test('a 4xx is tried again, wherever it comes; a 5xx is final, with the reason', async () => {
  for (const verb of ['MAIL', 'RCPT', 'DATA', '.']) {
    smtp.answers = { [verb]: '451 later' }
    const later = await ask()
    await assert.rejects(send(later), /451 later/)
    assert.deepEqual([(await find(later)).status, (await find(later)).claimedAt], ['PENDING', null], verb)
    assert.match((await find(later)).error ?? '', /451 later/)
    smtp.answers = { [verb]: '550 5.1.1 no such user' }
    assert.equal(await send(later), undefined)
    assert.equal((await find(later)).status, 'FAILED', verb)
    assert.match((await find(later)).error ?? '', /550 5\.1\.1 no such user/)
  }
})

test('a server that is not there, hangs up or is busy is tried again', async () => {
  const id = await ask()
  const away = await createSmtpServer()
  away.close()
  await assert.rejects(send(id, mailer(away.url)))
  smtp.answers = { DATA: '' }
  await assert.rejects(send(id))
  smtp.answers = { greeting: '421 too busy' }
  await assert.rejects(send(id))
  assert.equal((await find(id)).status, 'PENDING')
  smtp.answers = {}
  await send(id)
  assert.equal((await find(id)).status, 'SENT')
})

test('a refused login does not give the mail up', async () => {
  const id = await ask()
  smtp.answers = { MAIL: '530 5.7.0 Authentication required' }
  await assert.rejects(send(id), /refused the login: 530/)
  const { status, error } = await find(id)
  assert.deepEqual([status, error], ['PENDING', 'The server refused the login: 530 5.7.0 Authentication required'])
})

test('a process that closes stops at once, and the mail is sent by another', async () => {
  smtp.afterMs = 60_000
  const id = await ask()
  const stop = new AbortController()
  const sending = send(id, mailer(), stop.signal)
  await eventually(() => assert.equal(smtp.said('DATA').length, 1))
  stop.abort(new Error('stopped'))
  await assert.rejects(sending)
  smtp.afterMs = 0
  await send(id)
  assert.equal((await find(id)).status, 'SENT')
})

test('without a mail server it is recorded, and says why it was not sent', async () => {
  const id = await ask()
  await send(id, createMailer({ SMTP_URL: undefined, MAIL_FROM: '', EGRESS_ALLOW: [] }))
  const { status, error } = await find(id)
  assert.deepEqual([status, error], ['PENDING', 'No SMTP server is set.'])
})

test('a link that is no longer valid is not sent', async () => {
  const id = await ask({ expiresInMs: -1 })
  await send(id)
  assert.equal((await find(id)).status, 'FAILED')
  assert.equal(smtp.mails.length, 0)
})

test('one address gets so many mails of a project in an hour, and no more', async () => {
  const { recipientHour } = mailLimits
  for (let i = 0; i < recipientHour; i++) assert.equal((await find(await ask())).status, 'PENDING')
  const id = await ask()
  const { status, error } = await find(id)
  assert.equal(status, 'FAILED')
  assert.match(error ?? '', /10 mails within an hour/)
  assert.deepEqual(await finished(), ['FAILED'])
  await send(id)
  assert.equal(smtp.mails.length, 0)
  assert.equal((await find(await ask({ email: 'bob@example.org' }))).status, 'PENDING')
  now = new Date(now.getTime() + 3_601_000)
  assert.equal((await find(await ask())).status, 'PENDING')
})

test('a project that has sent too many waits, and loses none', async () => {
  const id = await ask()
  const sent = { projectId: ctx.projectId, template: 'verification', recipient: 'x@example.org', sentAt: now }
  const data = Array.from({ length: mailLimits.projectHour }, () => ({
    ...sent,
    id: newId('mai'),
    eventId: crypto.randomUUID(),
    status: 'SENT' as const,
  }))
  await ctx.db.mail.createMany({ data })
  const answer = await send(id)
  assert.ok(answer && answer.again > now)
  now = new Date(now.getTime() + 3_601_000)
  await ctx.db.verification.updateMany({ data: { expiresAt: new Date(now.getTime() + 1_000) } })
  assert.equal(await send(id), undefined)
  assert.equal((await find(id)).status, 'SENT')
})

test('a failed mail is sent again on demand', async () => {
  const id = await ask()
  await assert.rejects(resendMail(ctx, id), { code: 'CONFLICT' })
  smtp.answers = { RCPT: '550 no' }
  await send(id)
  const { owner: stranger } = await world.createProject()
  await assert.rejects(resendMail(stranger, id), { code: 'NOT_FOUND' })
  await assert.rejects(resendMail(world.context(ctx.projectId), id), { code: 'FORBIDDEN' })
  const givenUp = () => world.app.sql.query('select from job_attempts where job = $1', [`mails.send:${id}`])
  await world.app.sql.query(
    `insert into job_attempts (job, attempts, at, "quarantinedAt") values ($1, 6, now(), now()) on conflict (job) do update set "quarantinedAt" = now()`,
    [`mails.send:${id}`],
  )
  assert.equal((await resendMail(ctx, id)).status, 'PENDING')
  // The job that it is owed, should this one be lost, is not refused as one that was given up.
  assert.equal((await givenUp()).rowCount, 0)
  const { rows } = await world.app.sql.query(
    `select * from events.outbox where type = 'mails.resent' and "projectId" = $1`,
    [ctx.projectId],
  )
  const event = { ...rows[0], seq: 1n, prev: 0n, at: now } as LoggedEvent
  const [owed] = (await mails.reactions[1]?.(services(), [event])) ?? []
  assert.deepEqual([owed?.key, owed?.data], [`${id}.${event.id}`, { mailId: id }])
  smtp.answers = {}
  await send(id)
  assert.equal((await find(id)).status, 'SENT')
})

test('only one plain address gets through to the server', async () => {
  const tricks = [
    'a@example.org\r\nRCPT TO:<b@example.org>',
    '"a@evil.org b"@example.org',
    'a@example.org, b@example.org',
    'Ann <a@example.org>',
    'a@example.org>',
    'g:a@example.org,b@example.org;',
    '(x)a@example.org',
    'a@[127.0.0.1]',
    'a..b@example.org',
    '.a@example.org',
    'a@',
    `${'a'.repeat(65)}@example.org`,
    'a@example.org\0',
    'ａ@example.org',
  ]
  for (const email of tricks) assert.equal(isSingleAddress(email), false, email)
  assert.ok(isSingleAddress("o'neil+tag@mail.example.co.uk"))
  const before = smtp.said('RCPT').length
  for (const email of tricks.slice(0, 5)) {
    const id = await ask({ email })
    await send(id)
    assert.equal((await find(id)).status, 'FAILED', email)
  }
  assert.equal(smtp.said('RCPT').length, before)
})

test('values are text: escaped in HTML, not looked into again, and one line in the subject', () => {
  const values = {
    name: '<script>{{link}}</script>',
    email: 'a',
    project: '{{constructor}}',
    link: 'https://x/?a=1&b="',
  }
  const { html, text } = renderMail('verification', values)
  assert.ok(html.includes('&lt;script&gt;{{link}}&lt;/script&gt;'))
  assert.ok(html.includes('https://x/?a=1&amp;b=&quot;'))
  assert.ok(!html.includes('<script>'))
  assert.ok(text.includes('<script>{{link}}</script>') && text.includes('{{constructor}}'))
  assert.throws(() => renderMail('verification', { name: 'a' }), /needs a value/)
})
