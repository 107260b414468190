import { mkdir } from 'node:fs/promises'
import { join } from 'node:path'
import pg from 'pg'
import { migrate } from '../../../prisma/migrate.ts'
import { startMongo } from '../../servers/mongo.ts'
import { startPostgres } from '../../servers/postgres.ts'
import { createDisk } from './disk.ts'
import { createKillable, type Killable } from './killable.ts'
import { createLink, type Link } from './link.ts'
import { type KillableRedis, startKillableRedis } from './redis.ts'

export type Mongo = Killable & { empty: () => void }

export type ServerOptions = {
  plantedBug: string | null
  /** Whether jobs are kept in MongoDB. */
  mongo: boolean
  say: (line: string) => void
}

/** The servers of a run, and the ways to them. */
export async function startServers(dir: string, { plantedBug, mongo: hasMongo, say }: ServerOptions) {
  say(`starting PostgreSQL${hasMongo ? ', MongoDB' : ''} and Redis`)
  const disk = await createDisk(join(dir, 'disk'))
  const settings = {
    max_connections: '150',
    ...(plantedBug === 'async-commit' && { synchronous_commit: 'off', wal_writer_delay: '10000' }),
  }
  const postgres = await createKillable(() => startPostgres({ dir: join(disk.dir, 'postgres'), settings }))
  const mongo = hasMongo ? await createMongo(dir, say) : null
  const redis = await startKillableRedis()
  await migrate(postgres.url())
  const sql = new pg.Pool({ connectionString: (await postgres.link()).url, max: 2 })
  sql.on('error', () => {})
  await sql.query('create table fault_effects ("eventId" uuid not null, at timestamptz not null default now())')
  const ways = await createWays({ postgres, mongo, redis })
  const close = async () => {
    ways.close()
    await sql.end()
    await Promise.all([redis.stop(), mongo?.stop(), postgres.stop()])
    await disk.close()
  }
  return { disk, postgres, mongo, redis, sql, ways, close }
}

/** It is killed, and comes back with what it had, or, after `empty`, with nothing. */
async function createMongo(dir: string, say: (line: string) => void): Promise<Mongo> {
  let times = 0
  const mongo = await createKillable(async () => {
    const place = join(dir, `mongo-${times}`)
    await mkdir(place, { recursive: true })
    const server = await startMongo({ dir: place, onProgress: say })
    if ('missing' in server) throw new Error(`There is no MongoDB: ${server.missing}.`)
    return server
  })
  const empty = () => {
    times += 1
  }
  return { ...mongo, empty }
}

type Servers = { postgres: Killable; mongo: Mongo | null; redis: KillableRedis }

/** `api-1` and `worker-1` have ways of their own, which can be cut; the others share one. */
async function createWays({ postgres, mongo, redis }: Servers) {
  const toMongo = await mongo?.link()
  const redisPort = Number(new URL(redis.url).port)
  const links: Record<string, Link & { url: string }> = {}
  for (const name of ['api-1', 'worker-1', 'others']) {
    links[`${name}.postgres`] = await postgres.link()
    const link = await createLink(redisPort)
    links[`${name}.redis`] = { ...link, url: `redis://127.0.0.1:${link.port}` }
  }
  const urlOf = (name: string, server: string) => (links[`${name}.${server}`] ?? links[`others.${server}`])?.url ?? ''
  const envOf = (name: string) => ({
    DATABASE_URL: `${urlOf(name, 'postgres')}?application_name=${name}`,
    REDIS_URL: urlOf(name, 'redis'),
    ...(toMongo && { MONGODB_URL: toMongo.url }),
    SECRET_KEYS: Buffer.alloc(32, 7).toString('base64'),
    EGRESS_ALLOW: '127.0.0.0/8',
    LOG_LEVEL: 'info',
    DATABASE_POOL: '10',
  })
  const close = () => {
    for (const link of Object.values(links)) link.close()
  }
  return { links, envOf, close }
}
