import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import { authenticate } from '../src/authenticate.ts'
import { changes } from '../src/changes.ts'
import type { Context } from '../src/context.ts'
import { NotFound, Unauthenticated } from '../src/errors.ts'
import { hanging } from '../src/modules/deletes/hanging.ts'
import { visibleDeliveries } from '../src/modules/deliveries/deliveries.ts'
import { deleteProject } from '../src/modules/projects/projects.ts'
import { createTask, deleteTask, visibleTaskRuns } from '../src/modules/tasks/tasks.ts'
import { createWebhook, deleteWebhook } from '../src/modules/webhooks/webhooks.ts'
import { eventually } from '../src/testing/receiver.ts'
import { within } from '../src/testing/stream.ts'
import { createTables } from '../src/testing/tables.ts'
import { createWorkerProcesses, type WorkerProcesses } from '../src/testing/worker-processes.ts'
import { createWorld, type World } from '../src/testing/world.ts'
import { cascade } from './deletes/cascade.ts'
import { deletes } from './deletes.ts'
import { startRelay } from './relay.ts'

let world: World
let workers: WorkerProcesses

before(async () => {
  world = await createWorld()
  workers = createWorkerProcesses(world, 'deletes')
})
after(async () => {
  await workers.killAll()
  await world.close()
})

const quick = { signal: new AbortController().signal, graceMs: 0 }
const sql = async (text: string, values: unknown[] = []) => (await world.app.sql.query(text, values)).rows
const countIn = async (table: string, projectId: string): Promise<number> =>
  Number((await sql(`select count(*) from ${table} where "projectId" = $1`, [projectId]))[0]?.count)

/** Every table that says of its rows to which project they belong, but for the log, whose days are dropped. */
async function tablesOfProjects(): Promise<string[]> {
  const rows = await sql(
    `select format(case table_schema when 'public' then '%2$s' else '%s.%s' end, table_schema, table_name) as name
     from information_schema.columns where column_name = 'projectId' and table_schema in ('public', 'events')
       and table_name !~ '^(log|log_.*|outbox)$' order by 1`,
  )
  return rows.map(({ name }) => name)
}

/** Rows of all kinds, so many of each; documents and users more than that. */
async function fill({ ctx, make, insertDocuments }: Awaited<ReturnType<typeof createTables>>, times: number) {
  const id = `'${ctx.projectId}'`
  const posts = await make({ key: 'posts', attributes: [{ key: 'title', type: 'STRING', size: 9 }] })
  await make({
    key: 'tags',
    attributes: [{ key: 'posts', type: 'RELATION', relatedCollectionId: posts, relation: 'MANY_TO_MANY' }],
  })
  await insertDocuments(posts, 100 * times)
  const each = `from generate_series(1, ${times}) i`
  await sql(
    `insert into webhooks (id, "projectId", name, url, events, "updatedAt") values (${id} || 'w', ${id}, '', '', '{}', now())`,
  )
  await sql(`insert into deliveries (id, "projectId", "webhookId", "eventId", "eventName", body, "updatedAt")
    select ${id} || i, ${id}, ${id} || 'w', gen_random_uuid(), '', '', now() ${each}`)
  await sql(
    `insert into delivery_attempts (id, "deliveryId", number, "durationMs") select ${id} || i, ${id} || i, 1, 0 ${each}`,
  )
  await sql(
    `insert into tasks (id, "projectId", name, schedule, url, "updatedAt") values (${id} || 't', ${id}, '', '', '', now())`,
  )
  await sql(
    `insert into task_runs (id, "projectId", "taskId", "scheduledAt") select ${id} || i, ${id}, ${id} || 't', now() + i * interval '1 s' ${each}`,
  )
  await sql(
    `insert into functions (id, "projectId", name, runtime, entrypoint, "updatedAt") values (${id} || 'f', ${id}, '', '', '', now())`,
  )
  await sql(`insert into deployments (id, "projectId", "functionId", runtime, entrypoint, "updatedAt")
    select ${id} || i, ${id}, ${id} || 'f', '', '', now() ${each}`)
  await sql(`insert into variables (id, "projectId", "functionId", key, value, "updatedAt")
    select ${id} || i, ${id}, ${id} || 'f', i, '', now() ${each}`)
  await sql(`insert into executions (id, "projectId", "functionId", trigger, "actorKind")
    select ${id} || i, ${id}, ${id} || 'f', 'API', 'guest' ${each}`)
  await sql(`insert into domains (id, "projectId", name, "updatedAt") select ${id} || i, ${id}, i, now() ${each}`)
  await sql(
    `insert into mails (id, "projectId", "eventId", template, recipient) select ${id} || i, ${id}, gen_random_uuid(), '', '' ${each}`,
  )
  await sql(`insert into job_attempts (job, "projectId") select ${id} || i, ${id} ${each}`)
  await sql(`insert into job_runs (id, "projectId", job, attempt, outcome, "startedAt")
    select ${id} || i, ${id}, '', 1, 'SUCCEEDED', now() ${each}`)
  await sql(`insert into senders (id, "projectId", name, address, host, port, secure, "updatedAt")
    values (${id}, ${id}, '', '', '', 1, false, now())`)
  await sql(`insert into audits (id, "projectId", seq, event, resource, "actorKind", payload, at)
    select gen_random_uuid(), ${id}, i, '', '', '', '{}', now() ${each}`)
  await sql(`insert into users (id, "projectId", email, "passwordHash", "updatedAt")
    select ${id} || i, ${id}, i, '', now() from generate_series(1, ${10 * times}) i`)
  await sql(`insert into sessions (id, "projectId", "userId", hash, "expiresAt")
    select ${id} || i, ${id}, ${id} || i, ${id} || i, now() + interval '1 day' from generate_series(1, ${10 * times}) i`)
  await sql(
    `insert into verifications (id, "projectId", "userId", email, "expiresAt") select ${id} || i, ${id}, ${id} || i, '', now() ${each}`,
  )
  await sql(`insert into keys (id, "projectId", name, hash) select ${id} || i, ${id}, i, ${id} || i ${each}`)
  await sql(`insert into idempotencies ("projectId", actor, key, hash, answer) select ${id}, '', i, '', '' ${each}`)
  await sql(
    `insert into schema_versions ("projectId", name, checksum, rollback, steps) select ${id}, i, '', '', 1 ${each}`,
  )
  await sql(
    `insert into indexes (id, "projectId", "collectionId", key, type, "updatedAt") values (${id} || 'i', ${id}, $1, 'i', 'KEY', now())`,
    [posts],
  )
  await sql(
    `insert into usage ("projectId", metric, period, at, value) select ${id}, 'requests', 'HOUR', now() + i * interval '1 hour', 1 ${each}`,
  )
  await sql(`insert into events.project_heads values (${id}, 1) on conflict do nothing`)
}

const leave = (ctx: Context) => deleteProject({ ...ctx, projectId: 'console' }, { id: ctx.projectId, name: 'Test' })

test('every table of projects is in the list of what hangs on them, or goes with one that is', async () => {
  const listed = hanging.projects.flatMap((part) => ('table' in part ? [part.table] : []))
  // PostgreSQL deletes these with the users and collections that they belong to.
  const goesWith = ['attributes', 'indexes', 'sessions', 'verifications']
  assert.deepEqual(await tablesOfProjects(), [...listed, ...goesWith].sort())
})

test('of a project nothing is left, and of another one everything', async () => {
  const [mine, other] = [await createTables(world), await createTables(world)]
  for (const each of [mine, other]) await fill(each, 3)
  const counts = async ({ ctx }: typeof mine) =>
    Promise.all((await tablesOfProjects()).map(async (table) => [table, await countIn(table, ctx.projectId)] as const))
  const before = await counts(other)
  for (const [table, count] of await counts(mine)) assert.ok(count > 0, `${table} is not tested`)
  await leave(mine.ctx)
  assert.equal(
    await cascade(world.app, { noun: 'projects', id: mine.ctx.projectId }, { ...quick, batch: 2 }),
    undefined,
  )
  for (const [table, count] of await counts(mine)) assert.equal(count, 0, table)
  assert.deepEqual(await counts(other), before)
  const namespaces = await sql(`select nspname as name from pg_namespace where nspname like 'prj\\_%'`)
  assert.deepEqual(namespaces, [{ name: other.ctx.projectId }])
  // A second run finds nothing to do.
  await cascade(world.app, { noun: 'projects', id: mine.ctx.projectId }, quick)
})

test('a webhook and a task are gone at once, and then what they have left behind', async () => {
  const { owner: ctx, projectId } = await world.createProject()
  const { webhook } = await createWebhook(ctx, { name: 'w', url: 'https://example.org', events: ['*'] })
  const task = await createTask(ctx, { name: 't', schedule: '* * * * *', url: 'https://example.org' })
  await sql(
    `insert into deliveries (id, "projectId", "webhookId", "eventId", "eventName", body, "updatedAt")
     select $1 || i, $1, $2, gen_random_uuid(), '', '', now() from generate_series(1, 5) i`,
    [projectId, webhook.id],
  )
  await sql(
    `insert into task_runs (id, "projectId", "taskId", "scheduledAt") select $1 || i, $1, $2, now() + i * interval '1 s' from generate_series(1, 5) i`,
    [projectId, task.id],
  )
  const seen = async () => [
    await ctx.db.delivery.count({ where: visibleDeliveries(ctx) }),
    await ctx.db.taskRun.count({ where: visibleTaskRuns(ctx) }),
  ]
  assert.deepEqual(await seen(), [5, 5])
  await deleteWebhook(ctx, webhook.id)
  await deleteTask(ctx, task.id)
  assert.deepEqual(await seen(), [0, 0])
  await assert.rejects(deleteWebhook(ctx, webhook.id), NotFound)
  await assert.rejects(deleteTask(ctx, task.id), NotFound)
  const later = { ...world.app, clock: () => new Date(Date.now() + 120_000) }
  const owed = (await deletes.owed?.(later)) ?? []
  assert.deepEqual(owed.map(({ key }) => key).sort(), [`tasks.${task.id}`, `webhooks.${webhook.id}`])
  assert.deepEqual(await deletes.owed?.(world.app), [])
  for (const { data } of owed) await cascade(world.app, data as Parameters<typeof cascade>[1], quick)
  for (const table of ['webhooks', 'deliveries', 'tasks', 'task_runs']) assert.equal(await countIn(table, projectId), 0)
})

test('a deleted project is not there for anybody, and its streams end within a second', async () => {
  const { ctx } = await createTables(world)
  const guest = await authenticate(world.app, asked(ctx.projectId))
  const stream = changes(guest, { needs: new Set(), select: () => null })
  await stream.opened
  const next = stream.next()
  next.catch(() => {})
  const relay = startRelay(world.app)
  try {
    await leave(ctx)
    await assert.rejects(authenticate(world.app, asked(ctx.projectId)), NotFound)
    await assert.rejects(within(next, 1_000, 'the stream goes on'), Unauthenticated)
  } finally {
    await relay.stop()
  }
})

const asked = (projectId: string) => ({ projectId, authorization: null, requestId: 'r', ip: '', userAgent: '' })

test('100,000 documents and 10,000 users go though workers are killed, and nobody waits for it', async () => {
  const tables = await createTables(world)
  const neighbour = await world.createProject()
  await fill(tables, 1_000)
  const { projectId } = tables.ctx
  await workers.start()
  await leave(tables.ctx)
  const users = () => countIn('users', projectId)
  let isOver = false
  // Whoever waited for a lock of the cascade would be refused.
  const write = async () => {
    for (; !isOver; await sleep(5)) {
      await world.app.sql.query(
        `begin; set local lock_timeout = '100ms'; update projects set "updatedAt" = now() where id = '${neighbour.projectId}';
         insert into users (id, "projectId", email, "passwordHash", "updatedAt")
           values ('${neighbour.projectId}', '${neighbour.projectId}', 'a', '', now()) on conflict (id) do update set "updatedAt" = now();
         commit`,
      )
    }
  }
  const writing = write()
  try {
    for (const left of [9_500, 6_000]) {
      await eventually(async () => assert.ok((await users()) <= left), 45_000)
      await workers.killFirst()
      assert.ok((await users()) > 0, 'it was over before it was killed')
      await workers.start()
    }
    await eventually(
      async () => assert.deepEqual(await sql('select 1 from projects where id = $1', [projectId]), []),
      40_000,
    )
  } finally {
    isOver = true
  }
  await writing
  for (const table of await tablesOfProjects()) assert.equal(await countIn(table, projectId), 0, table)
  assert.deepEqual(await sql('select 1 from pg_namespace where nspname = $1', [projectId]), [])
  assert.equal(await countIn('users', neighbour.projectId), 1)
})
