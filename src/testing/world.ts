import { randomBytes } from 'node:crypto'
import pg from 'pg'
import { type App, createApp } from '../app.ts'
import { type Actor, asSystem, type Context } from '../context.ts'
import { type Env, readEnv } from '../env.ts'
import { newId } from '../lib/ids.ts'

export type World = {
  app: App
  env: Env
  /** A context as a request has it. No actor: a guest. */
  context: (projectId: string, actor?: Actor | null) => Context
  /** A new project and the account that owns it. */
  createProject: () => Promise<{ projectId: string; owner: Context; ownerAtConsole: Context }>
  /** Short names of the events that wait in the outbox, in order: what a call has emitted while no relay runs. */
  emitted: () => Promise<string[]>
  close: () => Promise<void>
}

/** A fresh database on the test server (`npm test` starts it), and an app on it. `env` overrides variables. */
export async function createWorld(env: Record<string, string> = {}): Promise<World> {
  const server = process.env.DATABASE_URL
  if (!server) throw new Error('DATABASE_URL is not set: run the tests with `npm test`.')
  const name = `world_${randomBytes(6).toString('hex')}`
  await onServer(server, `create database ${name}`)
  const url = Object.assign(new URL(server), { pathname: `/${name}` }).href
  const parsed = readEnv({
    DATABASE_URL: url,
    REDIS_URL: process.env.REDIS_URL,
    SECRET_KEYS: Buffer.alloc(32, 7).toString('base64'),
    LOG_LEVEL: process.env.LOG_LEVEL ?? 'silent',
    NODE_ENV: 'test',
    ...env,
  })
  const app = await createApp(parsed, 'test')
  const close = async () => {
    await app.close()
    await onServer(server, `drop database if exists ${name} with (force)`)
  }
  return {
    app,
    env: parsed,
    close,
    createProject: () => createProject(app),
    context: contextsOf(app),
    emitted: () => emitted(app),
  }
}

function contextsOf(app: App): World['context'] {
  return (projectId, actor = null) => {
    const ctx: Context = { ...asSystem(app, 'test', projectId), actor, reauthenticate: async () => ctx }
    return ctx
  }
}

async function createProject(app: App) {
  const projectId = newId('prj')
  const user = await app.db.user.create({
    data: { id: newId('usr'), projectId: 'console', email: `${newId('o')}@example.org`, passwordHash: '' },
  })
  await app.db.project.create({
    data: { id: projectId, name: 'Test', members: { create: { id: newId('mem'), userId: user.id, role: 'OWNER' } } },
  })
  const actor = { kind: 'account', id: user.id, sessionId: 'ses_test' } as const
  const context = contextsOf(app)
  return {
    projectId,
    owner: context(projectId, { ...actor, role: 'OWNER' }),
    ownerAtConsole: context('console', { ...actor, role: null }),
  }
}

async function emitted(app: App): Promise<string[]> {
  const { rows } = await app.sql.query<{ type: string }>('select type from events.outbox order by position')
  return rows.map((row) => row.type)
}

async function onServer(url: string, statement: string): Promise<void> {
  const client = new pg.Client({ connectionString: url })
  await client.connect()
  await client.query(statement).finally(() => client.end())
}
