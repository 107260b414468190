import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import type { Context } from '../context.ts'
import { createWorld, type World } from '../testing/world.ts'
import { createDeployment } from './deployments/deployments.ts'
import { deploymentLimits } from './deployments/limits.ts'
import { createFunction, functionLimit } from './functions/functions.ts'
import { createTask, maxTasks } from './tasks/tasks.ts'
import { createWebhook, webhookLimit } from './webhooks/webhooks.ts'

let world: World
before(async () => {
  world = await createWorld()
})
after(() => world.close())

const url = 'https://example.org'
const newFunction = (ctx: Context) => createFunction(ctx, { name: 'f', runtime: 'javascript' })
const upload = { bytes: 1, sha256: 'a'.repeat(64) }

type Case = { table: string; most: number; create: (ctx: Context, of: string) => Promise<{ id: string }> }
const cases: Case[] = [
  { table: 'functions', most: functionLimit, create: newFunction },
  { table: 'tasks', most: maxTasks, create: (ctx) => createTask(ctx, { name: 't', schedule: '0 3 * * *', url }) },
  {
    table: 'webhooks',
    most: webhookLimit,
    create: async (ctx) => (await createWebhook(ctx, { name: 'w', url, events: ['functions.*'] })).webhook,
  },
  {
    table: 'deployments',
    most: deploymentLimits.uploads,
    create: (ctx, functionId) => createDeployment(ctx, { functionId, upload }),
  },
]

for (const { table, most, create } of cases) {
  test(`there are at most ${most} ${table} of a project, however many are made at once`, async () => {
    const { owner } = await world.createProject()
    const functionIds = await Promise.all(Array.from({ length: 6 }, async () => (await newFunction(owner)).id))
    const { id } = await create(owner, functionIds[0] ?? '')
    const { sql } = owner
    const count = async () => {
      const { rows } = await sql.query(`select count(*)::int as n from ${table} where "projectId" = $1`, [
        owner.projectId,
      ])
      return rows[0]?.n as number
    }
    await sql.query(
      `insert into ${table} select (jsonb_populate_record(t, jsonb_build_object('id', t.id || '_' || n))).*
       from ${table} t, generate_series(1, $2::int) n where t.id = $1`,
      [id, most - 1 - (await count())],
    )
    const tried = await Promise.allSettled(functionIds.map((functionId) => create(owner, functionId)))
    assert.equal(tried.filter(({ status }) => status === 'fulfilled').length, 1)
    assert.equal(await count(), most)
  })
}
