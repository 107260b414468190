import assert from 'node:assert/strict'
import { once } from 'node:events'
import type { AddressInfo } from 'node:net'
import { createServer, type Server } from 'node:net'
import { after, before, test } from 'node:test'
import { newId } from '../src/lib/ids.ts'
import type { LoggedEvent } from '../src/logged-event.ts'
import { renderMail } from '../src/mails/render.ts'
import { createEgress } from '../src/platform/egress.ts'
import { createMailer, isSingleAddress } from '../src/platform/mail.ts'
import { createWorld, type World } from '../src/testing/world.ts'
import { mails } from './mails.ts'

let world: World
let smtp: Server
/** What the server answers to RCPT TO, and what it was sent. */
let answer = '250 ok'
const commands: string[] = []

before(async () => {
  world = await createWorld()
  smtp = createServer((socket) => {
    socket.write('220 test\r\n')
    let inData = false
    socket.on('error', () => {})
    socket.on('data', (chunk) => {
      for (const line of chunk.toString().split('\r\n')) {
        if (inData) {
          if (line === '.') {
            inData = false
            socket.write('250 queued\r\n')
          }
          continue
        }
        if (!line) continue
        commands.push(line)
        if (/^EHLO/.test(line)) socket.write('250 test\r\n')
        else if (/^RCPT/.test(line)) socket.write(`${answer}\r\n`)
        else if (/^DATA/.test(line)) {
          inData = true
          socket.write('354 go\r\n')
        } else if (/^QUIT/.test(line)) socket.end('221 bye\r\n')
        else socket.write('250 ok\r\n')
      }
    })
  })
  smtp.listen(0, '127.0.0.1')
  await once(smtp, 'listening')
})
after(async () => {
  smtp.close()
  await world.close()
})

const signal = new AbortController().signal

/** Sends the mail that one verification asks for, and answers its row. */
async function sendOne({ email = 'ann@example.org', configured = true, expiresInMs = 60_000, tries = 1 } = {}) {
  const { projectId } = await world.createProject()
  const { db } = world.app
  const user = await db.user.create({ data: { id: newId('usr'), projectId, email, passwordHash: '' } })
  const expiresAt = new Date(Date.now() + expiresInMs)
  const data = { id: newId('ver'), projectId, userId: user.id, email, expiresAt }
  const { id: verificationId } = await db.verification.create({ data })
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
    at: new Date(),
  }
  const owed = [
    ...((await mails.reactions[0]?.(world.app, [event])) ?? []),
    ...((await mails.reactions[0]?.(world.app, [event])) ?? []),
  ]
  assert.equal(new Set(owed.map(({ key }) => key)).size, 1)
  const url = configured ? `smtp://127.0.0.1:${(smtp.address() as AddressInfo).port}` : undefined
  const mailer = createMailer({ SMTP_URL: url, MAIL_FROM: 'Tendril <tendril@localhost>' })
  const egress = createEgress([])
  const [job] = mails.outgoing?.({ egress, mailer }) ?? []
  const run = () => job?.run({ ...world.app, key: 'k', signal }, owed[0]?.data)
  const failures: unknown[] = []
  for (let i = 0; i < tries; i++) await run()?.catch((error: unknown) => failures.push(error))
  mailer.close()
  await egress.close()
  const mail = await db.mail.findFirstOrThrow({ where: { projectId } })
  return { mail, failures }
}

test('sent once, however often its job runs', async () => {
  answer = '250 ok'
  commands.length = 0
  const { mail } = await sendOne({ tries: 3 })
  assert.equal(mail.status, 'SENT')
  assert.ok(mail.sentAt && mail.messageId)
  assert.deepEqual(
    commands.filter((line) => /^RCPT/.test(line)),
    ['RCPT TO:<ann@example.org>'],
  )
})

test('a 4xx is tried again, a 5xx is final', async () => {
  answer = '451 later'
  const later = await sendOne()
  assert.deepEqual([later.mail.status, later.failures.length], ['PENDING', 1])
  assert.match(later.mail.error ?? '', /451/)
  answer = '550 no such user'
  const never = await sendOne()
  assert.deepEqual([never.mail.status, never.failures.length], ['FAILED', 0])
  assert.match(never.mail.error ?? '', /550/)
})

test('without a mail server it is recorded, and says why it was not sent', async () => {
  const { mail } = await sendOne({ configured: false })
  assert.deepEqual([mail.status, mail.error], ['PENDING', 'No SMTP server is set.'])
})

test('a link that is no longer valid is not sent', async () => {
  answer = '250 ok'
  const { mail } = await sendOne({ expiresInMs: -1 })
  assert.equal(mail.status, 'FAILED')
})

test('only one plain address gets through to the server', async () => {
  answer = '250 ok'
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
  commands.length = 0
  for (const email of tricks.slice(0, 5)) assert.equal((await sendOne({ email })).mail.status, 'FAILED', email)
  assert.ok(!commands.some((line) => /^RCPT/.test(line)))
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
