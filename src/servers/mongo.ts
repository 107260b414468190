import { execFile } from 'node:child_process'
import { cp, mkdir, mkdtemp, rename, rm, writeFile } from 'node:fs/promises'
import { homedir, tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { promisify } from 'node:util'
import { MongoClient } from 'mongodb'
import { findExecutable, versionOf } from './executables.ts'
import { type Server, type Tied, tie } from './lifeline.ts'
import { freePort } from './ports.ts'

const run = promisify(execFile)
const FERRETDB = { module: 'github.com/FerretDB/FerretDB', version: 'v1.24.2', go: [1, 24] } as const

export type MongoOptions = {
  dir: string
  /** Where a server that had to be built is kept for the next time. */
  cache?: string
  onProgress?: (line: string) => void
}

const oneLine = (error: unknown) => String(error).replace(/\s+/g, ' ').slice(0, 200)

type Program = { kind: 'mongod' | 'ferretdb'; path: string }

const defaultCache = () => join(process.env.XDG_CACHE_HOME || join(homedir(), '.cache'), 'tendril', 'bin')

/**
 * Not with `go install`: that asks the module proxy for every version, which not all of them tell, and its binary ends at
 * once for want of the file with its own version. So its module is fetched, given that file, and built.
 */
async function buildFerretdb(go: string, cache: string): Promise<Program> {
  const path = join(cache, 'ferretdb')
  const source = await mkdtemp(join(tmpdir(), 'tendril-ferretdb-'))
  const options = { env: { ...process.env, CGO_ENABLED: '0', GOFLAGS: '-buildvcs=false' }, maxBuffer: 1 << 26 }
  try {
    const { stdout } = await run(go, ['mod', 'download', '-json', `${FERRETDB.module}@${FERRETDB.version}`], {
      ...options,
      cwd: '/',
    })
    const { Dir }: { Dir: string } = JSON.parse(stdout)
    // Go makes its module cache read-only, and `cp` would keep it so.
    await cp(Dir, source, { recursive: true })
    await run('chmod', ['-R', 'u+w', source])
    await writeFile(join(source, 'build/version/version.txt'), FERRETDB.version)
    await mkdir(cache, { recursive: true })
    await run(go, ['build', '-trimpath', '-o', `${path}.tmp-${process.pid}`, './cmd/ferretdb'], {
      ...options,
      cwd: source,
    })
    await rename(`${path}.tmp-${process.pid}`, path)
  } finally {
    await rm(source, { recursive: true, force: true })
  }
  return { kind: 'ferretdb', path }
}

async function findProgram(cache: string, onProgress: (line: string) => void): Promise<Program | { missing: string }> {
  for (const kind of ['mongod', 'ferretdb'] as const) {
    const path = findExecutable(kind, cache)
    if (path) return { kind, path }
  }
  const go = findExecutable('go', '/usr/local/go/bin')
  const [major, minor] = go ? versionOf(go, 'version') : [0, 0]
  if (!go || major < FERRETDB.go[0] || (major === FERRETDB.go[0] && minor < FERRETDB.go[1])) {
    return { missing: 'no mongod or ferretdb on the PATH, and no Go 1.24 or newer to build one' }
  }
  onProgress('Building FerretDB, once for this machine')
  return buildFerretdb(go, cache).catch((error: unknown) => ({
    missing: `FerretDB could not be built: ${oneLine(error)}`,
  }))
}

function launch({ kind, path }: Program, dir: string, port: number): Promise<Tied> {
  const args = {
    mongod: ['--dbpath', dir, '--bind_ip', '127.0.0.1', '--port', `${port}`, '--wiredTigerCacheSizeGB', '0.25'],
    ferretdb: [
      '--handler=sqlite',
      `--sqlite-url=file:${dir}/`,
      `--state-dir=${dir}`,
      `--listen-addr=127.0.0.1:${port}`,
      '--debug-addr=-',
      '--telemetry=disable',
      '--log-level=error',
    ],
  }[kind]
  return tie(path, args, {
    cwd: dir,
    logFile: join(dir, 'mongo.log'),
    stopSignal: 'TERM',
    env: { HOME: dir, DO_NOT_TRACK: '1' },
  })
}

async function answers(url: string): Promise<boolean> {
  const client = new MongoClient(url, { serverSelectionTimeoutMS: 250 })
  try {
    await client.db('admin').command({ ping: 1 })
    return true
  } catch {
    return false
  } finally {
    await client.close()
  }
}

async function startDownloaded(dir: string): Promise<Server> {
  const { MongoMemoryServer } = await import('mongodb-memory-server-core')
  const server = await MongoMemoryServer.create({ instance: { dbPath: dir, ip: '127.0.0.1' } })
  const ended = new Promise<void>((done) => server.instanceInfo?.instance.mongodProcess?.once('exit', () => done()))
  const stop = async () => {
    await server.stop({ doCleanup: false })
  }
  const pid = server.instanceInfo?.instance.mongodProcess?.pid ?? null
  return { url: server.getUri().replace(/\/$/, ''), pid, stop, ended }
}

/** A server that speaks MongoDB's protocol, for tests: MongoDB's own or FerretDB, whichever this machine has or can get. */
export async function startMongo(options: MongoOptions): Promise<Server | { missing: string }> {
  const { cache = defaultCache(), onProgress = () => {} } = options
  const dir = resolve(options.dir)
  await mkdir(dir, { recursive: true })
  const program = await findProgram(cache, onProgress)
  if ('missing' in program) {
    return startDownloaded(dir).catch((error: unknown) => ({
      missing: `${program.missing}; downloading one failed too: ${oneLine(error)}`,
    }))
  }
  const port = await freePort()
  const server = await launch(program, dir, port)
  const url = `mongodb://127.0.0.1:${port}`
  while (!(await answers(url))) {
    if (server.hasEnded())
      throw new Error(`${program.kind} did not start. Its log says:\n${server.log().trim().slice(-2_000)}`)
    await sleep(50)
  }
  server.unref()
  return { url, pid: server.pid, stop: server.stop, ended: server.ended.then(() => {}) }
}
