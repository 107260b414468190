import assert from 'node:assert/strict'
import { once } from 'node:events'
import type { AddressInfo } from 'node:net'
import { after, before, describe, test } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import { simpleParser } from 'mailparser'
import { SMTPServer } from 'smtp-server'
import { type Context, transaction } from '../src/context.ts'
import { emit } from '../src/event.ts'
import { newId } from '../src/lib/ids.ts'
import { verificationCreated } from '../src/modules/accounts/events.ts'
import { verificationSecret } from '../src/modules/accounts/verifications.ts'
import { createTask, runTask } from '../src/modules/tasks/tasks.ts'
import { userUpdated } from '../src/modules/users/events.ts'
import { createWebhook } from '../src/modules/webhooks/webhooks.ts'
import { createReceiver, eventually } from '../src/testing/receiver.ts'
import { createWorld, type World } from '../src/testing/world.ts'
import type { Loop } from './bridge.ts'
import { startWorkers } from './start.ts'
import '../src/testing/agenda.ts'

const backends = { postgres: undefined, mongo: process.env.MONGODB_URL }
const quick = { queue: { lockMs: 4_000, touchEveryMs: 500, pollEveryMs: 2_000 }, sweepEveryMs: 1_000 }

for (const [name, MONGODB_URL] of Object.entries(backends)) {
  describe(`from a change to its effects on ${name}`, {
    skip: name === 'mongo' && !MONGODB_URL && 'MONGODB_URL is not set',
  }, () => {
    let world: World
    let ctx: Context
    let workers: Loop[] = []
    let receiver: Awaited<ReturnType<typeof createReceiver>>
    let smtp: SMTPServer
    const mails: string[] = []

    before(async () => {
      receiver = await createReceiver()
      smtp = new SMTPServer({
        authOptional: true,
        disabledCommands: ['STARTTLS'],
        onData: (stream, _session, done) => {
          const parts: Buffer[] = []
          stream.on('data', (part) => parts.push(part))
          stream.on('end', () => {
            mails.push(Buffer.concat(parts).toString())
            done()
          })
        },
      })
      smtp.listen(0, '127.0.0.1')
      await once(smtp.server, 'listening')
      const SMTP_URL = `smtp://127.0.0.1:${(smtp.server.address() as AddressInfo).port}`
      world = await createWorld({ EGRESS_ALLOW: '127.0.0.0/8', SMTP_URL, ...(MONGODB_URL ? { MONGODB_URL } : {}) })
      ;({ owner: ctx } = await world.createProject())
      // Two of each: relays, bridges, clocks and workers.
      workers = [await startWorkers(world.app, quick), await startWorkers(world.app, quick)]
    })
    after(async () => {
      await Promise.all(workers.map((each) => each.stop()))
      receiver.close()
      smtp.close()
      await world.close()
    })

    const touchUser = (userId: string) => transaction(ctx, (tx) => emit(tx, userUpdated, { userId }))

    test('an event is audited once and delivered once', async () => {
      await createWebhook(ctx, { name: 'all', url: receiver.url, events: ['users.*'] })
      for (let i = 0; i < 20; i++) await touchUser(`usr_${i}`)
      await eventually(() => assert.equal(receiver.received.length, 20))
      await eventually(async () => {
        const audits = await ctx.db.audit.findMany({ where: { projectId: ctx.projectId }, orderBy: { seq: 'asc' } })
        assert.equal(audits.length, 21)
        assert.equal(audits.at(-1)?.event, 'users.usr_19.updated')
      })
      await sleep(1_000)
      assert.equal(receiver.received.length, 20)
      await eventually(async () => assert.equal(await ctx.db.delivery.count({ where: { status: 'SUCCEEDED' } }), 20))
    })

    test('how long a lone event takes to the receiver', async () => {
      const waits: number[] = []
      for (let i = 0; i < 15; i++) {
        const before = receiver.received.length
        const at = Date.now()
        await touchUser(`usr_lone${i}`)
        await eventually(() => assert.equal(receiver.received.length, before + 1))
        waits.push((receiver.received.at(-1)?.at ?? 0) - at)
        await sleep(100)
      }
      const p50 = waits.sort((a, b) => a - b)[7] ?? Infinity
      process.stdout.write(`# lone event to receiver on ${name}: p50 ${p50} ms\n`)
      assert.ok(p50 < 1_500, `${p50}`)
    })

    test('one mail for an event, to the stored address, with a link whose secret is in no table', async () => {
      const user = await ctx.db.user.create({
        data: {
          id: newId('usr'),
          projectId: ctx.projectId,
          email: 'ann@example.org',
          name: '<b>Ann</b> {{link}}',
          passwordHash: '',
        },
      })
      const expiresAt = new Date(Date.now() + 3_600_000)
      const data = { id: newId('ver'), projectId: ctx.projectId, userId: user.id, email: user.email, expiresAt }
      const { id: verificationId } = await ctx.db.verification.create({ data })
      const before = mails.length
      await transaction(ctx, (tx) => emit(tx, verificationCreated, { verificationId, userId: user.id }))
      await eventually(() => assert.equal(mails.length, before + 1))
      await eventually(async () => assert.equal(await ctx.db.mail.count({ where: { status: 'SENT' } }), 1))
      await sleep(1_000)
      assert.equal(mails.length, before + 1)
      const mail = await simpleParser(mails.at(-1) ?? '')
      const secret = verificationSecret(world.env, verificationId)
      const link = `${world.env.PUBLIC_URL}/verify?project=${ctx.projectId}&id=${verificationId}&secret=${secret}`
      assert.ok(mail.text?.includes(link))
      assert.ok(String(mail.html).includes(link.replaceAll('&', '&amp;')))
      assert.ok(String(mail.html).includes('&lt;b&gt;Ann&lt;/b&gt; {{link}}'))
      assert.deepEqual(
        [mail.to].flat().map((to) => to?.text),
        ['ann@example.org'],
      )
      const rows = await world.app.sql.query(
        `select m::text from mails m union all select a::text from audits a union all select l::text from events.log l`,
      )
      assert.ok(!JSON.stringify(rows.rows).includes(secret))
    })

    test('a task runs when asked, and its headers are stored encrypted', async () => {
      const task = await createTask(ctx, {
        name: 'call',
        schedule: '0 0 1 1 *',
        url: `${receiver.url}task`,
        method: 'post',
        headers: [{ name: 'Authorization', value: 'Basic canary' }],
        body: '{"a":1}',
      })
      assert.ok(!JSON.stringify(task).includes('canary'))
      const run = await runTask(ctx, task.id)
      const done = await eventually(async () => {
        const found = await ctx.db.taskRun.findUniqueOrThrow({ where: { id: run.id } })
        assert.equal(found.status, 'SUCCEEDED')
        return found
      })
      const calls = receiver.received.filter(({ url }) => url === '/task')
      assert.equal(calls.length, 1)
      assert.deepEqual(
        [calls[0]?.method, calls[0]?.body, calls[0]?.headers.authorization],
        ['POST', '{"a":1}', 'Basic canary'],
      )
      assert.equal(calls[0]?.headers['tendril-run-id'], run.id)
      assert.equal(done.responseStatus, 200)
    })

    test('with two clocks a schedule runs once for each of its times', async () => {
      const task = await createTask(ctx, { name: 'tick', schedule: '* * * * * *', url: `${receiver.url}tick` })
      await sleep(3_500)
      await ctx.db.task.update({ where: { id: task.id }, data: { enabled: false } })
      await eventually(async () => {
        assert.equal(await ctx.db.taskRun.count({ where: { taskId: task.id, status: { not: 'SUCCEEDED' } } }), 0)
      })
      const runs = await ctx.db.taskRun.findMany({ where: { taskId: task.id } })
      const calls = receiver.received.filter(({ url }) => url === '/tick')
      assert.ok(runs.length >= 3 && runs.length <= 5, `${runs.length} runs`)
      assert.equal(calls.length, runs.length)
      assert.ok(runs.every(({ scheduledAt }) => scheduledAt.getMilliseconds() === 0))
    })

    test('a queue that comes back empty owes what the rows wait for', async () => {
      const before = receiver.received.length
      receiver.answer = { status: 503, headers: { 'retry-after': '3600' } }
      await touchUser('usr_owed')
      await eventually(async () =>
        assert.equal(await ctx.db.deliveryAttempt.count({ where: { responseStatus: 503 } }), 1),
      )
      await sleep(300)
      await emptyQueue()
      receiver.answer = { status: 200 }
      // As if the hour had passed.
      await world.app.sql.query(
        `update deliveries set "nextAttemptAt" = now() - interval '2 min' where status = 'PENDING'`,
      )
      await eventually(() => assert.equal(receiver.received.length, before + 2))
      await eventually(async () => assert.equal(await ctx.db.delivery.count({ where: { status: 'PENDING' } }), 0))
    })

    const emptyQueue = async () => {
      if (!MONGODB_URL) return void (await world.app.sql.query('truncate agenda_jobs'))
      const { MongoClient } = await import('mongodb')
      const client = new MongoClient(MONGODB_URL)
      await client.db('tendril').collection(`jobs_${world.app.tails.epoch}`).drop()
      await client.close()
    }
  })
}

test('a worker that is not there is named', async () => {
  const world = await createWorld()
  await assert.rejects(startWorkers(world.app, { only: ['webhooks', 'nonsense'] }), /no worker named nonsense/)
  await world.close()
})
