import assert from 'node:assert/strict'
import { randomUUID } from 'node:crypto'
import { after, before, test } from 'node:test'
import type { Context } from '../src/context.ts'
import { type Scope, scopes } from '../src/modules/keys/scopes.ts'
import { setVariable } from '../src/modules/variables/variables.ts'
import { createGraphql, type Graphql } from '../src/server.ts'
import { answered } from '../src/testing/answered.ts'
import { makeFunction } from '../src/testing/functions.ts'
import { createSamples } from '../src/testing/hostile/samples.ts'
import { bodyOf } from '../src/testing/hostile/values.ts'
import { type Sample, type Spot, spotsOf } from '../src/testing/hostile/walk.ts'
import { createWorld, type World } from '../src/testing/world.ts'
import { createSchemas, type Schemas } from './schemas.ts'

let world: World
let schemas: Schemas
let graphql: Graphql
let owner: Context
let account: Context
let sample: Sample
let other: Context

before(async () => {
  world = await createWorld({ ACME_EMAIL: 'acme@example.org' })
  schemas = createSchemas(world.app)
  graphql = createGraphql(world.app, schemas)
  const made = await world.createProject()
  owner = made.owner
  account = made.ownerAtConsole
  sample = await createSamples(ask, owner, account)
  const foreign = await world.createProject()
  other = foreign.owner
  await createSamples(ask, other, foreign.ownerAtConsole)
  await makeOthers()
})
after(async () => {
  await graphql.close()
  await world.close()
})

const ask = (ctx: Context, query: string) => answered(graphql, ctx, bodyOf({ query }))

/** One of each of the rest. */
async function makeOthers(): Promise<void> {
  const { db } = world.app
  const { projectId } = other
  const { id: functionId } = await makeFunction(other)
  await setVariable(other, { functionId, key: 'A', value: '1' })
  const run = { projectId, functionId, status: 'PENDING', trigger: 'API', actorKind: 'user' } as const
  const request = { method: 'POST', url: '/', requestHeaders: {}, actorId: 'usr_own', isAsync: true, depth: 0 }
  await db.execution.create({ data: { id: 'exe_foreign', ...run, ...request } })
  await db.domain.create({ data: { id: 'dom_foreign', projectId, name: 'foreign.example' } })
  const { id: webhookId } = await db.webhook.findFirstOrThrow({ where: { projectId } })
  const event = { eventId: randomUUID(), eventName: 'users.x.created', body: '{}', status: 'FAILED' } as const
  await db.delivery.create({ data: { id: 'dlv_foreign', projectId, webhookId, ...event } })
  const mail = { template: 'verification', recipient: 'x@example.org', status: 'FAILED' } as const
  await db.mail.create({ data: { id: 'mai_foreign', projectId, eventId: randomUUID(), ...mail } })
  const user = await db.user.findFirstOrThrow({ where: { projectId } })
  const expiresAt = new Date(Date.now() + 3_600_000)
  const session = { id: 'ses_foreign', projectId, userId: user.id, hash: 'h', ip: '', userAgent: '', expiresAt }
  await db.session.create({ data: session })
  await db.verification.create({ data: { id: 'ver_foreign', projectId, userId: user.id, email: '', expiresAt } })
  const { id: taskId } = await db.task.findFirstOrThrow({ where: { projectId } })
  await db.taskRun.create({ data: { id: 'run_foreign', projectId, taskId, scheduledAt: new Date() } })
}

type Table = { name: string; rows: { id: string; text: string }[] }

/** All that the other project has. */
async function belongings(): Promise<Table[]> {
  const { sql } = world.app
  const { rows } = await sql.query<{ name: string }>(
    `select table_name as name from information_schema.columns where table_schema = 'public' and column_name = 'projectId'
       and table_name in (select table_name from information_schema.columns where table_schema = 'public' and column_name = 'id')
       and table_name not in ('audits', 'usage', 'idempotencies') order by 1`,
  )
  return Promise.all(
    rows.map(async ({ name }) => {
      const text = `select id, t::text as text from "${name}" t where "projectId" = $1 order by id`
      return { name, rows: (await sql.query(text, [other.projectId])).rows }
    }),
  )
}

const callers: Record<string, { context: () => Context; least: number }> = {
  'a member of another project': { context: () => owner, least: 40 },
  'the same member at the console': { context: () => account, least: 5 },
  'a key of another project with every scope': {
    context: () => {
      const every = new Set(Object.keys(scopes) as Scope[])
      return world.context(owner.projectId, { kind: 'key', id: 'key_1', scopes: every })
    },
    least: 30,
  },
  'a user of another project': {
    context: () => {
      const actor = { kind: 'user', id: 'usr_own', sessionId: 'ses_own', verified: true, labels: [] } as const
      return world.context(owner.projectId, actor)
    },
    least: 3,
  },
}

const isId = ({ type, path }: Spot) => type.name === 'ID' || /(Id|Ids)$/.test(path.at(-1) ?? '')

for (const [who, { context, least }] of Object.entries(callers)) {
  test(`${who}: what is of another project is as what is not, wherever an id can be given`, async () => {
    const before = await belongings()
    const ids = [other.projectId, ...before.flatMap(({ rows }) => rows.map(({ id }) => id))]
    assert.ok(
      before.filter(({ rows }) => rows.length > 0).length >= 18,
      before.map(({ name, rows }) => `${name} ${rows.length}`).join(),
    )
    const ctx = context()
    const spots = spotsOf(await schemas.for(ctx), sample).filter(isId)
    const fields = new Set(spots.map(({ field }) => field))
    assert.ok(fields.size >= least, [...fields].join())
    const told = async ({ query, variablesWith, path }: Spot, id: string) => {
      const value = path.at(-1) === '0' || /ids$/i.test(path.at(-1) ?? '') ? [id] : id
      const { data, errors } = await answered(graphql, ctx, bodyOf({ query, variables: variablesWith(value) }))
      return JSON.stringify({ data, errors }).replaceAll(id, 'ID')
    }
    for (const spot of spots) {
      const none = await told(spot, 'none_0123')
      for (const id of ids) assert.equal(await told(spot, id), none, `${spot.coordinate} ${id}`)
    }
    assert.deepEqual(await belongings(), before)
  })
}
