import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import { countedExecutions } from '../src/modules/maintenance/retentions.ts'
import { createTask } from '../src/modules/tasks/tasks.ts'
import { createWebhook } from '../src/modules/webhooks/webhooks.ts'
import { createQueue, type Queue } from '../src/platform/queue/queue.ts'
import { makeFunction } from '../src/testing/functions.ts'
import { eventually } from '../src/testing/receiver.ts'
import { createWorld, type World } from '../src/testing/world.ts'
import { maintain, maintenance } from './maintenance.ts'

let world: World

before(async () => {
  world = await createWorld()
})
after(() => world.close())

test('how long it is kept is set by the environment', async () => {
  const { projectId } = await world.createProject()
  const { sql, clock } = world.app
  const forget = async () => 0
  await sql.query(
    `insert into mails (id, "projectId", "eventId", template, recipient, "createdAt") values ($1, $1, gen_random_uuid(), 't', 'r', $2)`,
    [projectId, new Date(clock().getTime() - 3 * 86_400_000)],
  )
  const count = async () => (await sql.query('select 1 from mails where "projectId" = $1', [projectId])).rowCount
  await maintain(world.app, { forget })
  assert.equal(await count(), 1)
  await maintain({ ...world.app, env: { ...world.env, KEEP_MAILS_DAYS: 2 } }, { forget })
  assert.equal(await count(), 0)
})

test('how long deliveries and runs of tasks are kept is set by the environment', async () => {
  const { owner, projectId } = await world.createProject()
  const { sql } = world.app
  const old = `now() - interval '3 days'`
  const { webhook } = await createWebhook(owner, {
    name: 'w',
    url: 'https://example.com',
    events: ['webhooks.created'],
  })
  const task = await createTask(owner, { name: 't', schedule: '0 0 1 1 *', url: 'https://example.com' })
  await sql.query(
    `insert into deliveries (id, "projectId", "webhookId", "eventId", "eventName", body, status, "updatedAt")
     select 'dlv_' || s, $1, $2, gen_random_uuid(), 'e', '', s::"DeliveryStatus", ${old} from unnest(array['SUCCEEDED', 'FAILED', 'PENDING']) s`,
    [projectId, webhook.id],
  )
  await sql.query(
    `insert into task_runs (id, "projectId", "taskId", "scheduledAt", status, "createdAt")
     select 'run_' || s, $1, $2, now() + ordinality * interval '1 s', s::"TaskRunStatus", ${old} from unnest(array['SUCCEEDED', 'FAILED', 'PENDING']) with ordinality s(s, ordinality)`,
    [projectId, task.id],
  )
  const left = async (table: string) => {
    const { rows } = await sql.query(`select id from ${table} where "projectId" = $1 order by id`, [projectId])
    return rows.map(({ id }) => id.slice(4))
  }
  const keep = async (days: { KEEP_DELIVERIES_DAYS: number; KEEP_RUNS_DAYS: number }) => {
    await maintain({ ...world.app, env: { ...world.env, ...days } }, { forget: async () => 0 })
    return [await left('deliveries'), await left('task_runs')]
  }
  const all = ['FAILED', 'PENDING', 'SUCCEEDED']
  assert.deepEqual(await keep({ KEEP_DELIVERIES_DAYS: 4, KEEP_RUNS_DAYS: 4 }), [all, all])
  assert.deepEqual(await keep({ KEEP_DELIVERIES_DAYS: 2, KEEP_RUNS_DAYS: 4 }), [['PENDING'], all])
  assert.deepEqual(await keep({ KEEP_DELIVERIES_DAYS: 4, KEEP_RUNS_DAYS: 2 }), [['PENDING'], ['PENDING']])
  await sql.query('delete from deliveries where "projectId" = $1', [projectId])
})

test('of what callers have had run a project keeps the newest, however many they ask for', async () => {
  const [busy, quiet] = [(await world.createProject()).owner, (await world.createProject()).owner]
  const { sql } = world.app
  const left: (() => Promise<string[]>)[] = []
  for (const [ctx, count] of [
    [busy, 6],
    [quiet, 2],
  ] as const) {
    const { projectId } = ctx
    const { id: functionId } = await makeFunction(ctx)
    await sql.query(
      `insert into executions (id, "projectId", "functionId", trigger, key, status, "actorKind", "createdAt", "finishedAt")
       select $1 || name || i, $1, $2, trigger::"ExecutionTrigger", case when trigger = 'EVENT' then i::text end, status::"ExecutionStatus", 'guest',
         now() - (10 + i) * interval '1 minute' - case when name = 'runs' then 30 else 0 end * interval '1 second',
         case when status <> 'RUNNING' then now() - (10 + i) * interval '1 minute' end
       from (values ('url', 'HTTP', 'COMPLETED'), ('runs', 'HTTP', 'RUNNING'), ('event', 'EVENT', 'COMPLETED')) as t(name, trigger, status),
         generate_series(1, $3::int) i`,
      [projectId, functionId, count],
    )
    await sql.query(
      `insert into executions (id, "projectId", "functionId", trigger, status, "actorKind", "createdAt", "finishedAt")
       select $1 || case i when 6 then 'waited' else 'now' || i end, $1, $2, 'API', 'COMPLETED', 'guest',
         now() - case i when 6 then interval '1 day' else interval '0' end, now() from generate_series(1, 6) i where $3`,
      [projectId, functionId, ctx === busy],
    )
    left.push(async () => {
      const { rows } = await sql.query<{ id: string }>('select id from executions where "projectId" = $1', [projectId])
      return rows.map(({ id }) => id.slice(projectId.length)).sort()
    })
  }
  const env = { ...world.env, KEEP_EXECUTIONS: 9 }
  await maintain({ ...world.app, env }, { forget: async () => 0 })
  const numbered = (name: string, count: number) => Array.from({ length: count }, (_, i) => `${name}${i + 1}`)
  // Those of five that are young, and of two minutes: one that ended and one that runs. One has waited for a day, and just ended.
  const others = [...numbered('event', 6), ...numbered('now', 5), ...numbered('runs', 6)]
  assert.deepEqual(await left[0]?.(), [...others, 'url1', 'url2', 'waited'])
  await maintain({ ...world.app, env: { ...env, KEEP_EXECUTIONS: 1 } }, { forget: async () => 0 })
  assert.deepEqual(await left[0]?.(), [...others, 'waited'], 'what has just ended stays, for what its events lead to')
  assert.deepEqual(await left[1]?.(), [...numbered('event', 2), ...numbered('runs', 2), 'url1'])
})

test('to delete those of one project, the others and what events have had run are not read', async () => {
  const ctx = (await world.createProject()).owner
  const { id: functionId } = await makeFunction(ctx)
  const { sql } = world.app
  await sql.query(
    `insert into executions (id, "projectId", "functionId", trigger, key, status, "actorKind", "createdAt", "finishedAt")
     select $1 || 'many' || i, $1, $2, 'EVENT', case when i % 5 > 0 then i::text end, 'COMPLETED', 'guest', at, at
     from generate_series(1, 20000) i cross join lateral (select now() - i * interval '1 second' as at) as made`,
    [ctx.projectId, functionId],
  )
  await sql.query('vacuum analyze executions')
  const values = [ctx.projectId, new Date(Date.now() - 10_000_000), new Date()]
  const steps = `explain select ctid from executions where ${countedExecutions.rows} limit 5000 for update skip locked`
  for (const [text, given] of [
    [steps, values],
    [`explain ${countedExecutions.beyond}`, [1_000]],
  ] as const) {
    const { rows } = await sql.query<{ 'QUERY PLAN': string }>(text, [...given])
    const plan = rows.map((row) => row['QUERY PLAN']).join('\n')
    assert.ok(plan.includes('executions_counted') && !/Seq Scan|Sort/.test(plan), plan)
  }
  await sql.query('delete from executions where "projectId" = $1', [ctx.projectId])
})

test('many rows go in small steps, and hours of usage before days', async () => {
  const { projectId } = await world.createProject()
  const { sql } = world.app
  for (const period of ['HOUR', 'DAY'])
    await sql.query(
      `insert into usage ("projectId", metric, period, at, value)
       select $1, 'requests', $2::"UsagePeriod", now() - i * interval '1 hour', 1 from generate_series(0, 11999) i`,
      [projectId, period],
    )
  await maintain(world.app, { forget: async () => 0 })
  const { rows } = await sql.query(
    `select period, count(*)::int as count from usage where "projectId" = $1 group by 1 order by 1`,
    [projectId],
  )
  const [hours, days] = rows.map(({ count }) => count)
  assert.ok(Math.abs(hours - 30 * 24) <= 1, hours)
  assert.ok(Math.abs(days - 400 * 24) <= 1, days)
})

test('the clock plans one run for each ten minutes, however often it is asked', async () => {
  const planned: string[] = []
  const enqueue = async (_job: unknown, key: string) => void planned.push(key)
  const queue = { enqueue } as unknown as Queue
  for (const ms of [0, 500, 599_999, 600_000]) await maintenance.due?.(world.app, queue, new Date(ms))
  assert.deepEqual(planned, ['0', '1'])
})

test('what is old goes, what is young or still wanted stays', async (t) => {
  const { sql, log, env, tails } = world.app
  const { projectId, owner } = await world.createProject()
  const queue = createQueue({ sql, log, redisUrl: env.REDIS_URL, epoch: tails.epoch })
  t.after(() => queue.close())
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
    await sql.query(
      `insert into job_runs (id, "projectId", job, attempt, outcome, "startedAt", "finishedAt") values (${id}, '${projectId}', '', 1, 'FAILED', now(), ${at})`,
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
  assert.deepEqual(await left('job_runs', 'id'), ['1 hour'])
  assert.equal((await left('audits', 'seq')).length, 1)
  assert.deepEqual(await left('deliveries', 'id'), ['f1 hour', 'p1 hour', 'p60 days'])
  assert.deepEqual(await left('mails', 'id'), ['1 hour'])
  assert.deepEqual(await left('idempotencies', 'key'), ['1 hour', '1 hour'])
  assert.deepEqual(await left('sessions', 'id'), ['1 hour'])
  assert.deepEqual(await left('verifications', 'id'), ['1 hour'])
  assert.equal((await queue.page({ first: 10 })).length, 1)
  assert.ok(owner.projectId)
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
