import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { startPostgres } from '../../servers/postgres.ts'
import { startRedis } from '../../servers/redis.ts'

/** Nothing outlives the run, so nothing waits for the disk. */
const settings = { max_connections: '300', fsync: 'off', full_page_writes: 'off', synchronous_commit: 'off' }

export type Servers = { databaseUrl: string; redisUrl: string; stop: () => Promise<void> }

/** Those that the environment names, and our own for the rest. */
export async function findServers(say: (line: string) => void): Promise<Servers> {
  const { DATABASE_URL, REDIS_URL } = process.env
  const dir = await mkdtemp(join(tmpdir(), 'tendril-fuzz-'))
  const started: { stop: () => Promise<unknown> }[] = []
  const stop = async () => {
    for (const server of started.splice(0)) await server.stop()
    await rm(dir, { recursive: true, force: true })
  }
  const start = async <T extends { url: string; stop: () => Promise<unknown> }>(name: string, begin: Promise<T>) => {
    say(`starting ${name}`)
    const server = await begin
    started.push(server)
    return server.url
  }
  try {
    const databaseUrl =
      DATABASE_URL ?? (await start('PostgreSQL', startPostgres({ dir: join(dir, 'postgres'), settings })))
    const redisUrl = REDIS_URL ?? (await start('Redis', startRedis({ dir: join(dir, 'redis') })))
    return { databaseUrl, redisUrl, stop }
  } catch (error) {
    await stop()
    throw error
  }
}
