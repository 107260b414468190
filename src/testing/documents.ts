import assert from 'node:assert/strict'
import { createSchemas } from '../../schema/schemas.ts'
import type { Actor, Context } from '../context.ts'
import { createCollections, type NewCollection } from './collections.ts'
import { type Outcome, operate } from './operation.ts'
import { createWorld, type World } from './world.ts'

type Project = { projectId: string; owner: Context; ids: Record<string, string> }

/** A project with documents, and what tests of them ask. */
export type Documents = Project & {
  world: World
  as: (id: string | null, labels?: string[]) => Context
  key: (...scopes: string[]) => Context
  run: (ctx: Context, source: string, variables?: object) => Promise<Outcome>
  /** What is answered without an error. */
  done: (ctx: Context, source: string, variables?: object) => Promise<NonNullable<Outcome['data']>>
  /** One error, and nothing that was changed. */
  refused: (ctx: Context, source: string, error: string | RegExp, variables?: object) => Promise<void>
  /** All rows of all tables, and the outbox. */
  state: () => Promise<string>
  /** No documents, no events. */
  clear: () => Promise<void>
  /** What waits in the outbox, in order: `posts updated title,author`. */
  events: () => Promise<string[]>
  close: () => Promise<void>
}

export async function openDocuments(collections: Record<string, NewCollection>): Promise<Documents> {
  return openProject(async (world) => {
    const { projectId, owner } = await world.createProject()
    return { projectId, owner, ids: await createCollections(owner, collections) }
  })
}

/** The same for a project that is made in another way. */
export async function openProject(make: (world: World) => Promise<Project>): Promise<Documents> {
  const world = await createWorld()
  const { projectId, owner, ids } = await make(world)
  const schemas = createSchemas(world.app)
  const { sql } = world.app
  const actorOf = (id: string | null, labels: string[]): Actor | null =>
    id === null ? null : { kind: 'user', id, sessionId: `ses_${id}`, verified: false, labels }
  const run = (ctx: Context, source: string, variables = {}) => operate(schemas, ctx, source, variables)
  const state = async () => {
    const { rows } = await sql.query<{ name: string }>(
      `select format('%I.%I', schemaname, tablename) as name from pg_tables where schemaname = $1 order by 1`,
      [projectId],
    )
    const tables = [...rows.map(({ name }) => name), 'events.outbox']
    const found = await Promise.all(tables.map((name) => sql.query(`select t::text from ${name} t order by 1`)))
    return JSON.stringify(found.map((one) => one.rows))
  }
  return {
    world,
    projectId,
    owner,
    ids,
    as: (id, labels = []) => world.context(projectId, actorOf(id, labels)),
    key: (...scopes) => world.context(projectId, { kind: 'key', id: 'key_1', scopes: new Set(scopes) }),
    run,
    done: async (ctx, source, variables) => {
      const { data, errors } = await run(ctx, source, variables)
      assert.deepEqual(errors, [])
      return data ?? {}
    },
    refused: async (ctx, source, error, variables) => {
      const earlier = await state()
      const { errors } = await run(ctx, source, variables)
      assert.equal(errors.length, 1, errors.join('\n'))
      if (typeof error === 'string') assert.equal(errors[0], error)
      else assert.match(errors[0] ?? '', error)
      assert.equal(await state(), earlier, 'a refused call changed something')
    },
    state,
    clear: async () => {
      const tables = Object.values(ids).map((id) => `"${projectId}"."${id}"`)
      await sql.query(`truncate ${tables.join(', ')} cascade`)
      await sql.query('truncate events.outbox')
    },
    events: async () => {
      const { rows } = await sql.query('select type, payload from events.outbox order by position')
      return rows.map(({ type, payload }) =>
        `${payload.collectionKey} ${type.slice('documents.'.length)} ${payload.changed.join()}`.trim(),
      )
    },
    close: async () => {
      await schemas.close()
      await world.close()
    },
  }
}
