import assert from 'node:assert/strict'
import { after, before, beforeEach } from 'node:test'
import type { ExecutionResult } from 'graphql'
import type { Context } from '../context.ts'
import { isRaw } from '../http/stream.ts'
import type { HookInput } from '../modules/functions/hook-rules.ts'
import { createGraphql, type Graphql } from '../server.ts'
import { type Blog, createBlog } from './blog.ts'
import { type Answer, createPeer, type PeerRun } from './executor.ts'
import { makeFunction } from './functions.ts'
import { createWorld, type World } from './world.ts'

/** What a function is told. */
export type Told = { hook: string; inputs: Record<string, unknown>[]; [key: string]: unknown }

export const allow = (): Answer => ({ response: { status: 204, headers: {} } })
export const json = (status: number, body: object): Answer => ({
  response: { status, headers: { 'content-type': 'application/json' } },
  body: JSON.stringify(body),
})
export const instead = (told: Told, change: (input: Record<string, unknown>) => object) =>
  json(200, { inputs: told.inputs.map(change) })

/** A server whose functions say what a test says. It is there while the tests of a file run. */
export function hookStage() {
  let peer: Awaited<ReturnType<typeof createPeer>>
  const stage = {
    world: null as unknown as World,
    /** With and without the compiled path. */
    compiled: null as unknown as Graphql,
    ordinary: null as unknown as Graphql,
    /** What functions were told in this test, and what they say to it; null: nothing, ever. */
    asked: [] as Told[],
    say: allow as (told: Told, run: PeerRun) => Answer | null | Promise<Answer>,
    hooked,
    run,
    done,
    traces,
  }
  before(async () => {
    peer = await createPeer((run) => {
      const told = JSON.parse(String(run.body)) as Told
      stage.asked.push(told)
      return stage.say(told, run)
    })
    stage.world = await createWorld({ EXECUTORS: peer.url, EXECUTOR_SECRET: peer.secret })
    stage.compiled = createGraphql(stage.world.app)
    stage.ordinary = createGraphql(stage.world.app, undefined, { plans: false })
  })
  after(async () => {
    for (const one of [stage.compiled, stage.ordinary]) await one.close()
    await stage.world.close()
    peer.close()
  })
  beforeEach(() => {
    stage.asked = []
    stage.say = allow
  })

  /** A project whose functions decide on these, in this order. */
  async function hooked(...hooks: (HookInput | string)[]): Promise<Blog> {
    const blog = await createBlog(stage.world)
    for (const hook of hooks)
      await makeFunction(blog.owner, '', { hooks: [typeof hook === 'string' ? { on: hook } : hook] })
    stage.asked = []
    return blog
  }

  async function run(ctx: Context, query: string, variables: object = {}, graphql = stage.compiled) {
    const answer = await graphql.run({ ...ctx }, { query, variables: { ...variables } }, ['query', 'mutation'])
    const { data, errors = [] } = (isRaw(answer) ? JSON.parse(answer.json) : answer) as ExecutionResult
    const lines = errors.map(({ message, extensions, path }) => {
      const at = Array.isArray(extensions.path) ? ` (${extensions.path.join('.')})` : ''
      return `${extensions.code} ${message}${at} at ${path?.join('.')}`
    })
    return { data: data && JSON.parse(JSON.stringify(data)), errors: lines }
  }

  async function done(ctx: Context, query: string, variables: object = {}, graphql = stage.compiled) {
    const { data, errors } = await run(ctx, query, variables, graphql)
    assert.deepEqual(errors, [])
    return data
  }

  /** All that changes of documents leave behind. */
  async function traces({ projectId, ids }: Blog): Promise<unknown> {
    const { sql } = stage.world.app
    const tables = Object.values(ids).map((id) => `"${projectId}"."${id}"`)
    const rows = tables.map(async (table) => (await sql.query(`select * from ${table} t order by t::text`)).rows)
    const { rows: events } = await sql.query(
      `select name from events.outbox where "projectId" = $1 and type ~ '^(documents|mails)'`,
      [projectId],
    )
    const { rows: mails } = await sql.query('select id from mails where "projectId" = $1', [projectId])
    const { rows: keys } = await sql.query('select key from idempotencies where "projectId" = $1', [projectId])
    return [...(await Promise.all(rows)), events, mails, keys]
  }

  return stage
}
