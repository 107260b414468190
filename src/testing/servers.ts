import { spawnSync } from 'node:child_process'
import { existsSync } from 'node:fs'
import { mkdtemp, rm, statfs, writeFile } from 'node:fs/promises'
import { freemem, tmpdir } from 'node:os'
import { join } from 'node:path'
import { isRoot } from '../servers/accounts.ts'
import { findExecutable } from '../servers/executables.ts'
import type { Server } from '../servers/lifeline.ts'
import { startMongo } from '../servers/mongo.ts'
import { startPostgres } from '../servers/postgres.ts'
import { machineRedis, startRedis } from '../servers/redis.ts'

export type TestServers = {
  /** What the tests find in their environment. */
  env: { DATABASE_URL: string; REDIS_URL: string; MONGODB_URL?: string }
  /** Why there is no MongoDB, when there is none. */
  missing?: string
  stop(): Promise<void>
}

/** Nothing of a test outlives it, so nothing waits for the disk, and many tests connect at once. */
const FOR_TESTS = { max_connections: '300', shared_buffers: '64MB', fsync: 'off', full_page_writes: 'off' }

const MEMORY = '/dev/shm'
/** More than the servers ever hold. Where little is shared, as in a container of Docker, it is 64 MB. */
const ROOM_BYTES = 4_000_000_000

/** For their files: in memory where there is room, as every world is a database of a thousand files that is made and dropped. */
async function makeDir(): Promise<string> {
  const { bavail = 0, bsize = 0 } = (await statfs(MEMORY).catch(() => null)) ?? {}
  const onDisk = () => mkdtemp(join(tmpdir(), 'tendril-test-'))
  return Math.min(bavail * bsize, freemem()) < ROOM_BYTES
    ? onDisk()
    : mkdtemp(join(MEMORY, 'tendril-test-')).catch(onDisk)
}

const POLICY = '/usr/sbin/policy-rc.d'

/** Debian's Redis, without the service that would come with it. */
async function installRedis(): Promise<void> {
  const ours = !existsSync(POLICY)
  if (ours) await writeFile(POLICY, '#!/bin/sh\nexit 101\n', { mode: 0o755 })
  const options = { stdio: 'inherit', env: { ...process.env, DEBIAN_FRONTEND: 'noninteractive' } } as const
  try {
    spawnSync('apt-get', ['update', '-qq'], options)
    spawnSync('apt-get', ['install', '-y', '-qq', '--no-install-recommends', 'redis-server'], options)
  } finally {
    if (ours) await rm(POLICY, { force: true })
  }
}

async function startTestRedis(dir: string): Promise<Server> {
  const mayInstall = process.env.CI === 'true' && isRoot() && findExecutable('apt-get') !== undefined
  if (mayInstall && !machineRedis()) await installRedis()
  return startRedis({ dir })
}

/** The servers that the tests need: those that the environment names, and our own for the rest. With CI=true none may be missing. */
export async function startTestServers(say: (line: string) => void = console.log): Promise<TestServers> {
  const dir = await makeDir()
  const started: Server[] = []
  const stop = async () => {
    await Promise.all(started.splice(0).map((server) => server.stop()))
    await rm(dir, { recursive: true, force: true })
  }
  const start = async (name: string, begin: () => Promise<Server | { missing: string }>) => {
    const begun = performance.now()
    const server = await begin()
    if ('missing' in server) return server
    started.push(server)
    say(`${name} started in ${((performance.now() - begun) / 1000).toFixed(1)} s`)
    return server
  }
  const postgres = () => startPostgres({ dir: join(dir, 'postgres'), settings: FOR_TESTS })
  const redis = () => startTestRedis(join(dir, 'redis'))
  const mongo = () => startMongo({ dir: join(dir, 'mongo'), onProgress: say })
  const { DATABASE_URL, REDIS_URL, MONGODB_URL } = process.env
  const results = await Promise.allSettled([
    DATABASE_URL ? { url: DATABASE_URL } : start('PostgreSQL', postgres),
    REDIS_URL ? { url: REDIS_URL } : start('Redis', redis),
    MONGODB_URL ? { url: MONGODB_URL } : start('MongoDB', mongo),
  ])
  try {
    const [database, cache, jobs] = results.map((result) => {
      if (result.status === 'rejected') throw result.reason
      return result.value
    })
    if (!database || !cache || !jobs || 'missing' in database || 'missing' in cache) throw new Error('unreachable')
    const env = { DATABASE_URL: database.url, REDIS_URL: cache.url }
    if (!('missing' in jobs)) return { env: { ...env, MONGODB_URL: jobs.url }, stop }
    if (process.env.CI === 'true') throw new Error(`The tests need a MongoDB: ${jobs.missing}.`)
    return { env, missing: jobs.missing, stop }
  } catch (error) {
    await stop()
    throw error
  }
}
