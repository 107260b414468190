import { join, resolve } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import pg from 'pg'
import { alreadyUsed, claimDirectory } from './claims.ts'
import { type Server, type Tied, tie } from './lifeline.ts'
import { freePort, portTaken, requireFreePort } from './ports.ts'
import { awaitFormerServer, openDirectory, type PostgresHome, placed, preparePostgres } from './postgres-data.ts'

export type PostgresOptions = {
  dir: string
  port?: number
  /** More settings of `postgresql.conf`, above the small ones that are chosen here. */
  settings?: Record<string, string>
  onProgress?: (line: string) => void
}

/** For a server that shares a small machine with all the rest of Tendril. What keeps data safe stays as PostgreSQL has it. */
const SMALL = {
  listen_addresses: '127.0.0.1',
  unix_socket_directories: '',
  max_connections: '60',
  shared_buffers: '32MB',
  effective_cache_size: '256MB',
  maintenance_work_mem: '32MB',
  huge_pages: 'off',
  jit: 'off',
  random_page_cost: '1.1',
  // One process less for each: reading ahead, parallel queries, replication.
  io_method: 'sync',
  max_worker_processes: '2',
  max_parallel_workers_per_gather: '0',
  max_parallel_maintenance_workers: '0',
  max_logical_replication_workers: '0',
  max_wal_senders: '0',
  wal_level: 'minimal',
  min_wal_size: '32MB',
  max_wal_size: '256MB',
  autovacuum_max_workers: '2',
  // The log says what happened to the server; a refused statement is the caller's to report.
  log_min_messages: 'log',
  log_checkpoints: 'off',
  log_timezone: 'UTC',
  timezone: 'UTC',
}

const codeOf = (error: unknown) => (error instanceof Error && 'code' in error ? String(error.code) : '')

async function query(url: string, text: string): Promise<void> {
  const client = new pg.Client({ connectionString: url, connectionTimeoutMillis: 5_000 })
  client.on('error', () => {})
  try {
    await client.connect()
    await client.query(text)
  } finally {
    await client.end().catch(() => {})
  }
}

function failure(home: PostgresHome, server: Tied, port: number): Error {
  const log = server.log()
  if (/could not create any TCP\/IP sockets/.test(log)) return portTaken(port)
  if (/lock file "postmaster.pid" already exists|shared memory block .* is still in use/.test(log)) {
    return alreadyUsed(home.dir, /PID (\d+)/.exec(log)?.[1] ?? 'unknown')
  }
  return new Error(
    `PostgreSQL did not start in ${home.dir}. Its log says:\n${log.trim().split('\n').slice(-8).join('\n')}`,
  )
}

/** Returns once the database is there. Recovery after a crash may take minutes, so only a server that ends, or refuses us, is given up. */
async function awaitReady(home: PostgresHome, server: Tied, port: number, url: string): Promise<void> {
  const begun = Date.now()
  for (;;) {
    if (server.hasEnded()) throw failure(home, server, port)
    try {
      return await query(url, 'SELECT 1')
    } catch (error) {
      const code = codeOf(error)
      // It is there, and this is its first start.
      if (code === '3D000') await query(url.replace(/\/tendril$/, '/postgres'), 'CREATE DATABASE tendril')
      const coming = ['ECONNREFUSED', '57P03', '3D000'].includes(code)
      if (!coming && Date.now() - begun > 3_000) throw error
    }
    await sleep(50)
  }
}

async function launch(
  home: PostgresHome,
  port: number,
  settings: Record<string, string>,
): Promise<{ url: string; server: Tied }> {
  const { cwd, path } = placed(home.data, home.account)
  const flags = Object.entries({ ...SMALL, ...settings, port: String(port) }).flatMap(([name, value]) => [
    '-c',
    `${name}=${value}`,
  ])
  const server = await tie(join(home.bin, 'postgres'), ['-D', path, ...flags], {
    cwd,
    account: home.account,
    logFile: join(home.dir, 'postgres.log'),
    stopSignal: 'INT',
    env: { TZ: 'UTC', LC_ALL: 'C' },
  })
  const url = `postgresql://tendril:${home.password}@127.0.0.1:${port}/tendril`
  try {
    await awaitReady(home, server, port, url)
    server.unref()
    return { url, server }
  } catch (error) {
    await server.stop()
    throw error
  }
}

/** A free port may be taken between looking and listening; then the next one is tried. */
async function launchAnywhere(home: PostgresHome, settings: Record<string, string>) {
  for (let left = 3; ; left--) {
    const port = await freePort()
    try {
      return await launch(home, port, settings)
    } catch (error) {
      if (left === 0 || !(error instanceof Error) || error.message !== portTaken(port).message) throw error
    }
  }
}

/**
 * A real PostgreSQL out of an npm package, on the loopback only, its data in `dir`. It ends with this process, also when
 * that is killed, and a directory serves one process at a time.
 */
export async function startPostgres(options: PostgresOptions): Promise<Server> {
  const { port, settings = {}, onProgress = () => {} } = options
  const dir = resolve(options.dir)
  if (port) await requireFreePort(port)
  await openDirectory(dir)
  const release = await claimDirectory(dir)
  try {
    const { initialised } = await openDirectory(dir)
    const home = await preparePostgres(dir, initialised, onProgress)
    await awaitFormerServer(home.data)
    onProgress('Starting PostgreSQL')
    const { url, server } = await (port ? launch(home, port, settings) : launchAnywhere(home, settings))
    const stop = async () => {
      await server.stop()
      await release()
    }
    return { url, pid: server.pid, stop, ended: server.ended.then(() => {}) }
  } catch (error) {
    await release()
    throw error
  }
}
