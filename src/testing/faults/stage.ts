import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import type pg from 'pg'
import { freePort } from '../../servers/ports.ts'
import { createWrongClock } from '../wrong-clock.ts'
import { post } from './client.ts'
import { type Crew, createCrew } from './crew.ts'
import type { Disk } from './disk.ts'
import type { Killable } from './killable.ts'
import type { Link } from './link.ts'
import { type Process, repository, startProcess } from './processes.ts'
import { makeProject, type Project, pathOf } from './project.ts'
import type { KillableRedis } from './redis.ts'
import { type Mongo, type ServerOptions, startServers } from './servers.ts'
import { fields, type Listener, readSink, sinkFile } from './sink.ts'

type Kind = 'api' | 'worker' | 'sink'

/** Everything that faults are tried on: servers of its own behind links, and processes that come back when they are killed. */
export type Stage = Crew<Kind, Replacing> & {
  sql: pg.Pool
  dir: string
  disk: Disk
  /** A clock that is wrong, for processes that are started with its `env`. */
  clock: ReturnType<typeof createWrongClock>
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
  /** The worker whose relay leads. */
  leader: () => Promise<number>
  close: () => Promise<void>
}

/** How a process is started in the place of another. */
export type Replacing = {
  /** Of the program that takes its place. */
  root?: string
  env?: Record<string, string>
}

export type Options = ServerOptions & {
  /** Where the program lies that is started first; this repository, if left out. */
  root?: string
}

export async function setStage({ root, ...options }: Options): Promise<Stage> {
  const { plantedBug, say } = options
  const dir = await mkdtemp(join(tmpdir(), 'tendril-faults-'))
  const servers = await startServers(dir, options)
  const { sql, postgres, mongo, redis, disk, ways } = servers
  const ports = [await freePort(), await freePort()]
  const urls = ports.map((port) => `http://127.0.0.1:${port}`)
  const start = (kind: Kind, index: number, { root: from = root, env = {} }: Replacing = {}) => {
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
  const crew = createCrew<Kind, Replacing>({ api: [], worker: [], sink: [] }, start)
  const stage: Stage = {
    ...{ sql, dir, disk, urls, postgres, mongo, redis, ...crew },
    clock: createWrongClock(join(dir, 'clock')),
    counts: root === undefined,
    links: ways.links,
    // There is none before there is an API to make it.
    project: undefined as unknown as Project,
    leader: () => leaderOf(sql),
    close: async () => {
      await crew.end()
      await servers.close()
      await rm(dir, { recursive: true, force: true })
    },
  }
  try {
    say('starting the processes')
    for (const index of [0, 1]) crew.add('worker', index)
    for (const index of [0, 1]) crew.add('api', index)
    await stage.whole()
    stage.project = await makeProject(urls[0] ?? '')
    for (const index of stage.project.principals.keys()) crew.add('sink', index)
    await stage.whole()
    await seed(stage)
    // Where a bug keeps commits off the disk, the project itself is not to be what is lost.
    await sql.query('checkpoint')
    return stage
  } catch (error) {
    await stage.close()
    throw error
  }
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
       where l.locktype = 'advisory' and l.granted and l.objsubid = 2 and l.classid = ${0x74656e64} and l.objid = 1
         and l.database = (select oid from pg_database where datname = current_database())`,
    )
    const index = Number(rows[0]?.name.split('-').at(-1)) - 1
    if (index >= 0) return index
  }
  throw new Error('No relay took the lead.')
}
