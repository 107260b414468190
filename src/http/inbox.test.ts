import assert from 'node:assert/strict'
import { request } from 'node:http'
import { after, before, test } from 'node:test'
import { type Api, startApi } from '../api.ts'
import { createInbox, type Inbox } from '../platform/inbox.ts'
import { createMailer } from '../platform/mail.ts'
import { createGraphql } from '../server.ts'
import { createWorld, type World } from '../testing/world.ts'

let world: World
let api: Api
const inbox: Inbox = createInbox()

const hostile = '<img src=x onerror=alert(1)>'

before(async () => {
  world = await createWorld({ PORT: '0' })
  api = await startApi(world.app, createGraphql(world.app), inbox)
  const mailer = createMailer(world.env, inbox)
  assert.ok(mailer.isConfigured)
  const mail = { to: 'ann@example.org', subject: hostile, html: `<html><head></head><body>${hostile}</body></html>` }
  await mailer.send({ ...mail, text: hostile, messageId: '<1@localhost>' }, null, new AbortController().signal)
  mailer.close()
})
after(async () => {
  await api.close()
  await world.close()
})

/** Fetch does not let a caller say who is asked. */
function get(path: string, headers: Record<string, string> = {}) {
  return new Promise<{ status: number; headers: NodeJS.Dict<string | string[]>; body: string }>((resolve, reject) => {
    const req = request(`${api.url}${path}`, { headers }, (res) => {
      let body = ''
      res.setEncoding('utf8').on('data', (part) => (body += part))
      res.on('end', () => resolve({ status: res.statusCode ?? 0, headers: res.headers, body }))
    })
    req.on('error', reject).end()
  })
}

const id = () => inbox.mails()[0]?.id

test('mails are listed and shown, and what they hold is text', async () => {
  const list = await get('/inbox')
  assert.equal(list.status, 200)
  assert.ok(list.body.includes(`/inbox/${id()}`) && list.body.includes('ann@example.org'))
  const one = await get(`/inbox/${id()}`)
  for (const { body, headers } of [list, one]) {
    assert.ok(!body.includes('<img'))
    assert.match(
      String(headers['content-security-policy']),
      /^default-src 'none'; style-src 'sha256-[^']+'; frame-src 'self'; img-src data:; frame-ancestors 'none'$/,
    )
    assert.equal(headers['cache-control'], 'no-store')
  }
  assert.match(one.body, /<iframe [^>]*sandbox="allow-popups allow-popups-to-escape-sandbox"/)
})

test('the HTML of a mail runs, sends and loads nothing', async () => {
  const { body, headers } = await get(`/inbox/${id()}/html`)
  assert.ok(body.includes(hostile) && body.includes('<base target="_blank">'))
  const policy = String(headers['content-security-policy'])
  assert.ok(!/script-src|connect-src|form-action|allow-scripts|allow-same-origin|allow-forms/.test(policy))
  assert.match(policy, /^default-src 'none'; .*frame-ancestors 'self'; sandbox /)
})

test('only who sits at the machine sees it', async () => {
  for (const headers of [
    { host: 'evil.example' },
    { host: 'localhost.evil.example' },
    { host: '10.0.0.1:4000' },
    { 'x-forwarded-for': '203.0.113.7' },
  ]) {
    for (const path of ['/inbox', `/inbox/${id()}`, `/inbox/${id()}/html`]) {
      const { status, body } = await get(path, headers)
      assert.equal(status, 404, JSON.stringify(headers))
      assert.ok(!body.includes('ann@example.org'))
    }
  }
  for (const host of ['localhost', '127.0.0.1:4000', '[::1]:4000'])
    assert.equal((await get('/inbox', { host })).status, 200)
  for (const path of ['/inbox/box_0', '/inbox/box_00000000000000000000000000000000'])
    assert.equal((await get(path)).status, 404)
})

test('a node that has none has no such page, and the oldest make room', async () => {
  const plain = await startApi(world.app, createGraphql(world.app))
  assert.equal((await fetch(`${plain.url}/inbox`)).status, 404)
  await plain.close()
  const full = createInbox()
  const mail = { to: '', from: '', html: '', text: '', messageId: '' }
  for (let i = 0; i < 150; i++) full.add({ ...mail, subject: String(i) })
  assert.deepEqual([full.mails().length, full.mails()[0]?.subject], [100, '149'])
})
