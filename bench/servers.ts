import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { startPostgres } from '../src/servers/postgres.ts'
import { startRedis } from '../src/servers/redis.ts'
import { createWorld, type World } from '../src/testing/world.ts'

export type Ground = {
  world: World
  /** What a Tendril of this run finds in its environment: as in production, and quiet. */
  env: Record<string, string>
  close: () => Promise<void>
}

export const poolSize = 10

/** What keeps data safe stays as PostgreSQL has it. */
const settings = { max_connections: '150', shared_buffers: '256MB', maintenance_work_mem: '128MB', max_wal_size: '2GB' }

/** A PostgreSQL and a Redis of the run's own, and a database in it. */
export async function prepareGround(say: (line: string) => void): Promise<Ground> {
  const dir = await mkdtemp(join(tmpdir(), 'tendril-bench-'))
  const closers: (() => Promise<unknown>)[] = [() => rm(dir, { recursive: true, force: true })]
  const close = async () => {
    for (const end of closers.splice(0).reverse()) await end()
  }
  try {
    say('starting PostgreSQL and Redis')
    const postgres = await startPostgres({ dir: join(dir, 'postgres'), settings })
    closers.push(postgres.stop)
    const redis = await startRedis({ dir: join(dir, 'redis') })
    closers.push(redis.stop)
    Object.assign(process.env, { DATABASE_URL: postgres.url, REDIS_URL: redis.url })
    const world = await createWorld()
    closers.push(world.close)
    const env = {
      DATABASE_URL: world.env.DATABASE_URL,
      REDIS_URL: redis.url,
      SECRET_KEYS: Buffer.alloc(32, 7).toString('base64'),
      DATABASE_POOL: String(poolSize),
      LOG_LEVEL: 'error',
      NODE_ENV: 'production',
      PORT: '0',
    }
    return { world, env, close }
  } catch (error) {
    await close()
    throw error
  }
}
