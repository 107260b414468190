import { randomBytes } from 'node:crypto'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import pg from 'pg'
import { migrate } from '../../../prisma/migrate.ts'
import { freePort } from '../../servers/ports.ts'
import { startPostgres } from '../../servers/postgres.ts'
import type { PlantedBug } from '../planted.ts'
import { thingIds } from './client.ts'
import { type Part, type PartName, projects, startPart } from './part.ts'
import { type KillableRedis, startKillableRedis } from './redis.ts'

/** Everything that one fault is tried on: a database and a Redis of its own, and processes that come back when they are killed. */
export type Stage = {
  sql: pg.Pool
  dir: string
  redis: KillableRedis
  apis: Part[]
  /** Writes through the API nodes, and keeps the ledger. */
  client: Part
  relays: Part[]
  sinks: Part[]
  /** Kills one and starts another in its place; resolves when that one works. */
  replace: (list: Part[], index: number) => Promise<void>
  close: () => Promise<void>
}

/** Where databases are made: the server that the environment names, or one of our own that trusts the disk as in production. */
export async function findServer(say: (line: string) => void): Promise<{ url: string; stop: () => Promise<void> }> {
  if (process.env.DATABASE_URL) return { url: process.env.DATABASE_URL, stop: async () => {} }
  say('starting PostgreSQL')
  const dir = await mkdtemp(join(tmpdir(), 'tendril-faults-postgres-'))
  const server = await startPostgres({ dir })
  const stop = async () => {
    await server.stop()
    await rm(dir, { recursive: true, force: true })
  }
  return { url: server.url, stop }
}

export async function setStage(serverUrl: string, seed: number, plantedBug: PlantedBug | null): Promise<Stage> {
  const database = await createDatabase(serverUrl)
  const redis = await startKillableRedis()
  const dir = await mkdtemp(join(tmpdir(), 'tendril-faults-'))
  const env = {
    DATABASE_URL: database.url,
    REDIS_URL: redis.url,
    SECRET_KEYS: Buffer.alloc(32, 7).toString('base64'),
    LOG_LEVEL: process.env.LOG_LEVEL ?? 'silent',
    DATABASE_POOL: '16',
  }
  const ports = [await freePort(), await freePort()]
  const start = (part: PartName, name: string) => {
    const PORT = String(part === 'api' ? ports[Number(name.at(-1)) - 1] : 0)
    return startPart(part, { dir, name, seed, plantedBug, ports }, { ...env, PORT })
  }
  const names = new Map<Part, [PartName, string]>()
  const add = (part: PartName, name: string) => {
    const started = start(part, name)
    names.set(started, [part, name])
    return started
  }
  const sinks = [add('sink', 'sink-1'), add('sink', 'sink-2')]
  const relays = [add('relay', 'relay-1'), add('relay', 'relay-2')]
  const apis = [add('api', 'api-1'), add('api', 'api-2')]
  await Promise.all([...sinks, ...relays, ...apis].map((part) => part.ready))
  const client = add('client', 'client')
  await client.ready

  const replace = async (list: Part[], index: number) => {
    const dying = list[index]
    const [part, name] = (dying && names.get(dying)) ?? []
    if (!dying || !part || !name) throw new Error('There is no such process.')
    await dying.kill()
    list[index] = add(part, name)
    await list[index].ready
  }
  const close = async () => {
    await Promise.all([client, ...apis, ...relays, ...sinks].map((part) => part.kill()))
    await database.sql.end()
    await redis.stop()
    await database.drop()
    await rm(dir, { recursive: true, force: true })
  }
  return { sql: database.sql, dir, redis, apis, client, relays, sinks, replace, close }
}

async function createDatabase(serverUrl: string) {
  const name = `faults_${randomBytes(6).toString('hex')}`
  await onServer(serverUrl, `create database ${name}`)
  const url = Object.assign(new URL(serverUrl), { pathname: `/${name}` }).href
  await migrate(url)
  const sql = new pg.Pool({ connectionString: url, max: 2 })
  sql.on('error', () => {})
  await sql.query(`create table fault_things (id text primary key, n int not null default 0);
                   create table fault_writes (id text primary key, thing text not null, n int not null)`)
  await sql.query('insert into fault_things (id) select unnest($1::text[])', [thingIds])
  await sql.query('insert into projects (id, name, "updatedAt") select id, id, now() from unnest($1::text[]) id', [
    projects,
  ])
  return { url, sql, drop: () => onServer(serverUrl, `drop database if exists ${name} with (force)`) }
}

async function onServer(url: string, statement: string): Promise<void> {
  const client = new pg.Client({ connectionString: url })
  await client.connect()
  await client.query(statement).finally(() => client.end())
}

/** The relay that leads, once there is one. */
export async function leaderOf(relays: readonly Part[], withinMs = 10_000): Promise<number> {
  for (const until = Date.now() + withinMs; Date.now() < until; await sleep(20)) {
    const index = relays.findIndex((relay) => relay.isLeader())
    if (index >= 0) return index
  }
  throw new Error('No relay took the lead.')
}
