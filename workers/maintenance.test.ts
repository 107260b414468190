import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import { createQueue } from '../src/platform/queue/queue.ts'
import { eventually } from '../src/testing/receiver.ts'
import { createWorld, type World } from '../src/testing/world.ts'
import { maintain } from './maintenance.ts'

let world: World

before(async () => {
  world = await createWorld()
})
after(() => world.close())

test('what is old goes, what is young or still wanted stays', async () => {
  const { sql, log, env, tails } = world.app
  const { projectId, owner } = await world.createProject()
  const queue = createQueue({ sql, log, redisUrl: env.REDIS_URL, epoch: tails.epoch })
  queue.start()
  await eventually(() => queue.enqueue({ name: 'nobody' }, 'waits', {}))
  const user = `(select "userId" from members where "projectId" = '${projectId}')`
  for (const age of ['1 hour', '60 days']) {
    const at = `now() - interval '${age}'`
    const id = `'${age}'`
    const uuid = 'gen_random_uuid()'
    await sql.query(`insert into processed values (${uuid}, 'h', ${at})`)
    await sql.query(
      `insert into job_attempts (job, attempts, at) values ('x ' || ${id}, 1, ${at}), ('done ' || ${id}, -1, ${at} - interval '1 min')`,
    )
    await sql.query(`insert into audits values (${uuid}, '${projectId}', 1, 'e', 'r', 'system', null, '{}', ${at})`)
    await sql.query(
      `insert into webhooks (id, "projectId", name, url, "updatedAt") values (${id}, '${projectId}', 'n', 'u', now())`,
    )
    await sql.query(`insert into deliveries (id, "projectId", "webhookId", "eventId", "eventName", body, status, "updatedAt")
      values ('f' || ${id}, '${projectId}', ${id}, ${uuid}, 'e', '', 'FAILED', ${at}), ('p' || ${id}, '${projectId}', ${id}, ${uuid}, 'e', '', 'PENDING', ${at})`)
    await sql.query(
      `insert into mails (id, "projectId", "eventId", template, recipient, "createdAt") values (${id}, '${projectId}', ${uuid}, 't', 'r', ${at})`,
    )
    await sql.query(
      `insert into sessions (id, "projectId", "userId", hash, "expiresAt") values (${id}, '${projectId}', ${user}, ${id}, ${at} + interval '2 hours')`,
    )
    await sql.query(
      `insert into idempotencies ("projectId", actor, key, hash, answer, "createdAt") values ('${projectId}', 'import:key:k', ${id}, '', '', ${at}), ('${projectId}', 'user:u', ${id}, '', '', ${at})`,
    )
    await sql.query(
      `insert into verifications (id, "projectId", "userId", email, "expiresAt") values (${id}, '${projectId}', ${user}, '', ${at})`,
    )
  }
  await maintain(world.app, queue)
  const left = async (table: string, id: string) =>
    (await sql.query(`select ${id} as id from ${table} order by 1`)).rows.map((row) => row.id)
  assert.equal((await left('processed', 'handler')).length, 1)
  assert.deepEqual(await left('job_attempts', 'job'), ['x 1 hour'])
  assert.equal((await left('audits', 'seq')).length, 1)
  assert.deepEqual(await left('deliveries', 'id'), ['f1 hour', 'p1 hour', 'p60 days'])
  assert.deepEqual(await left('mails', 'id'), ['1 hour'])
  assert.deepEqual(await left('idempotencies', 'key'), ['1 hour', '1 hour'])
  assert.deepEqual(await left('sessions', 'id'), ['1 hour'])
  assert.deepEqual(await left('verifications', 'id'), ['1 hour'])
  assert.equal((await queue.page({ first: 10 })).length, 1)
  assert.ok(owner.projectId)
  await queue.close()
})

test('a project’s audit log is kept for as long as it says', async () => {
  const { sql } = world.app
  for (const [days, kept] of [
    [5, 1],
    [30, 2],
  ] as const) {
    const { projectId } = await world.createProject()
    await world.app.db.project.update({ where: { id: projectId }, data: { auditDays: days } })
    for (const age of [3, 10, 40])
      await sql.query(
        `insert into audits values (gen_random_uuid(), $1, 1, 'e', 'r', 'system', null, '{}', now() - $2 * interval '1 day')`,
        [projectId, age],
      )
    await maintain(world.app, { forget: async () => 0 })
    assert.equal(await world.app.db.audit.count({ where: { projectId } }), kept)
  }
})
