import { mkdir, mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import pg from 'pg'
import { migrate } from '../../../prisma/migrate.ts'
import { startMongo } from '../../servers/mongo.ts'
import { freePort } from '../../servers/ports.ts'
import { startPostgres } from '../../servers/postgres.ts'
import { post } from './client.ts'
import { createDisk, type Disk } from './disk.ts'
import { createKillable, type Killable } from './killable.ts'
import { createLink, type Link } from './link.ts'
import { type Process, repository, startProcess } from './processes.ts'
import { makeProject, type Project, pathOf } from './project.ts'
import { type KillableRedis, startKillableRedis } from './redis.ts'
import { fields, type Listener, readSink, sinkFile } from './sink.ts'

type Kind = 'api' | 'worker' | 'sink'

/** Everything that faults are tried on: servers of its own behind links, and processes that come back when they are killed. */
export type Stage = {
  sql: pg.Pool
  dir: string
  disk: Disk
  project: Project
  urls: readonly string[]
  /** Whether its workers have the effects that are counted. */
  counts: boolean
  postgres: Killable
  /** Where jobs are kept, if not in PostgreSQL. */
  mongo: Mongo | null
  redis: KillableRedis
  /** The ways of `api-1` and `worker-1` to their servers, by `process.server`. */
  links: Readonly<Record<string, Link>>
  processes: Record<Kind, Process[]>
  /** Kills a process and begins to start it anew: `whole` waits for it. With SIGTERM it may finish, and its exit code is answered. */
  replace: (kind: Kind, index: number, how: Replacing) => Promise<number | null>
  /** Resolves when all processes work. */
  whole: () => Promise<void>
  /** How many processes have ended by themselves; they are started anew. */
  deaths: () => number
  /** The worker whose relay leads. */
  leader: () => Promise<number>
  close: () => Promise<void>
}

type Mongo = Killable & { empty: () => void }

export type Replacing = {
  signal: 'SIGKILL' | 'SIGTERM'
  /** Of the program that takes its place. */
  root?: string
  env?: Record<string, string>
}

export type Options = {
  plantedBug: string | null
  /** Whether jobs are kept in MongoDB. */
  mongo: boolean
  /** Where the program lies that is started first; this repository, if left out. */
  root?: string
  say: (line: string) => void
}

export async function setStage({ plantedBug, mongo: hasMongo, root, say }: Options): Promise<Stage> {
  const dir = await mkdtemp(join(tmpdir(), 'tendril-faults-'))
  const servers = await startServers(dir, { plantedBug, mongo: hasMongo, say })
  const { sql, postgres, mongo, redis, disk } = servers
  const ports = [await freePort(), await freePort()]
  const urls = ports.map((port) => `http://127.0.0.1:${port}`)
  const ways = await createWays(servers)
  const start = (kind: Kind, index: number, { root: from = root, env = {} }: Partial<Replacing> = {}) => {
    const name = `${kind}-${index + 1}`
    if (kind === 'sink') return startSink(stage.project, { dir, index, urls, plantedBug })
    const isOld = from !== undefined && from !== repository
    const worker = root === undefined ? 'src/testing/faults/worker.ts' : 'workers/main.ts'
    return startProcess({
      name,
      file: kind === 'api' ? 'src/main.ts' : worker,
      ...(from !== undefined && { root: from }),
      env: { ...ways.envOf(name), FAULTS_NAME: name, PORT: String(ports[index] ?? 0), ...env },
      plantedBug: isOld ? null : plantedBug,
      readyWhen: kind === 'api' ? /listening at/ : /ready|workers run/,
    })
  }
  const processes: Stage['processes'] = { api: [], worker: [], sink: [] }
  const stage: Omit<Stage, 'project'> & { project: Project } = {
    ...{ sql, dir, disk, urls, counts: root === undefined, postgres, mongo, redis, links: ways.links, processes },
    project: undefined as unknown as Project,
    replace: async (kind, index, how) => {
      const dying = processes[kind][index]
      const code = how.signal === 'SIGTERM' ? await dying?.stop() : await dying?.kill()
      processes[kind][index] = start(kind, index, how)
      return code ?? null
    },
    whole: async () =>
      void (await Promise.all(Object.values(processes).flatMap((list) => list.map(({ ready }) => ready)))),
    deaths: () => {
      const dead = Object.entries(processes).flatMap(([kind, list]) =>
        list.flatMap(({ hasEnded }, index) => (hasEnded() ? [[kind as Kind, index] as const] : [])),
      )
      for (const [kind, index] of dead) processes[kind][index] = start(kind, index)
      return dead.length
    },
    leader: () => leaderOf(sql),
    close: async () => {
      await Promise.all(Object.values(processes).flatMap((list) => list.map((process) => process.kill())))
      ways.close()
      await servers.close()
      await rm(dir, { recursive: true, force: true })
    },
  }
  try {
    say('starting the processes')
    for (const index of [0, 1]) processes.worker[index] = start('worker', index)
    for (const index of [0, 1]) processes.api[index] = start('api', index)
    await stage.whole()
    stage.project = await makeProject(urls[0] ?? '')
    for (const index of stage.project.principals.keys()) processes.sink[index] = start('sink', index)
    await stage.whole()
    await seed(stage)
    return stage
  } catch (error) {
    await stage.close()
    throw error
  }
}

async function startServers(dir: string, { plantedBug, mongo: hasMongo, say }: Options) {
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
  const close = async () => {
    await sql.end()
    await Promise.all([redis.stop(), mongo?.stop(), postgres.stop()])
    await disk.close()
  }
  return { disk, postgres, mongo, redis, sql, close }
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

type Servers = Awaited<ReturnType<typeof startServers>>

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

type Sinking = { dir: string; index: number; urls: readonly string[]; plantedBug: string | null }

function startSink(project: Project, { dir, index, urls, plantedBug }: Sinking): Process {
  const { name, authorization } = project.principals[index] ?? { name: '', authorization: '' }
  const listener: Listener = {
    ...{ dir, name, authorization },
    urls: urls.map((url) => url + pathOf(project.id)),
    transport: index % 2 === 0 ? 'websocket' : 'sse',
    forgets: plantedBug === 'no-resume',
  }
  const file = 'src/testing/faults/sink.ts'
  return startProcess({ name, file, env: {}, plantedBug: null, readyWhen: /ready/, args: [JSON.stringify(listener)] })
}

/** Writes until every listener has a cursor on everything: from then on it resumes, and nothing may be missing. */
async function seed({ project, urls, dir }: Pick<Stage, 'project' | 'urls' | 'dir'>): Promise<void> {
  const isHeard = () =>
    project.principals.every(({ name }) => fields.every((field) => readSink(sinkFile(dir, name, field)).length > 0))
  const input = { permissions: [{ role: 'any', right: 'READ' }] }
  for (let tries = 0; !isHeard(); tries += 1) {
    if (tries > 200) throw new Error('The listeners heard nothing.')
    const url = (urls[0] ?? '') + pathOf(project.id)
    const write = (query: string, variables: object) => post(url, project.key, query, variables)
    await write('mutation ($input: CreateNoteInput!) { createNote(input: $input) { id } }', {
      input: { text: 'seed', ...input },
    })
    await write('mutation ($input: CreateCounterInput!) { createCounter(input: $input) { id } }', { input })
    await sleep(100)
  }
}

/** By the session that holds the relay's lock: the number at the end of its application's name, less one. */
export async function leaderOf(sql: Pick<pg.Pool, 'query'>, withinMs = 10_000): Promise<number> {
  for (const until = Date.now() + withinMs; Date.now() < until; await sleep(20)) {
    const { rows } = await sql.query<{ name: string }>(
      `select a.application_name as name from pg_locks l join pg_stat_activity a on a.pid = l.pid
       where l.locktype = 'advisory' and l.granted and l.objsubid = 2 and l.classid = ${0x74656e64} and l.objid = 1`,
    )
    const index = Number(rows[0]?.name.split('-').at(-1)) - 1
    if (index >= 0) return index
  }
  throw new Error('No relay took the lead.')
}
