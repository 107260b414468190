import type { Pool } from 'pg'
import { migrate } from '../prisma/migrate.ts'
import type { Services } from './context.ts'
import type { Env } from './env.ts'
import { createIdentities } from './identities.ts'
import { coalesce } from './lib/coalesce.ts'
import { watchApp } from './metrics.ts'
import { createJournal } from './modules/executions/journal.ts'
import { createRunning } from './modules/subscriptions/running.ts'
import { addUsage } from './modules/usage/write.ts'
import { createCache } from './platform/cache.ts'
import { createDb, createPool } from './platform/db.ts'
import { createLog } from './platform/log.ts'
import { type Counted, createMeter, type Meter } from './platform/meter.ts'
import { createMetrics } from './platform/metrics.ts'
import { createPeers } from './platform/peers.ts'
import { findUnusable } from './platform/reachable.ts'
import { createReaders } from './platform/readers.ts'
import { createRedis, type Redis } from './platform/redis.ts'
import { createReplica } from './platform/replica.ts'
import { createSandbox } from './platform/sandbox.ts'
import { createShares } from './platform/shares.ts'
import { createStatsd } from './platform/statsd.ts'
import { createTracing } from './platform/tracing.ts'
import { createTails } from './tail.ts'

export type App = Services & {
  /** One connection apart from the pool: however busy that is, health and changes of callers can be read. */
  reserve: Pool
  close: () => Promise<void>
}

/** Opens what a process needs, once, on a database that is brought to the newest migration first. Throws one clear sentence for a server that cannot be used. */
export async function createApp(env: Env, name: string): Promise<App> {
  const unusable = await findUnusable(env)
  if (unusable.length > 0) throw new Error(unusable.join('\n'))
  const log = createLog(env.LOG_LEVEL, name)
  const applied = await migrate(env.DATABASE_URL)
  if (applied.length > 0) log.info({ applied }, 'the database was migrated')
  const sql = createPool(env.DATABASE_URL, env.DATABASE_POOL)
  const reserve = createPool(env.DATABASE_URL, 1)
  const { rows } = await sql.query<{ epoch: string }>('select epoch from events.head')
  // Two Tendrils may share one Redis: their channels are told apart by the log that they speak of.
  const prefix = `tendril:${rows[0]?.epoch}:`
  const redis = createRedis(env.REDIS_URL)
  const db = createDb(sql)
  const tails = await createTails({ sql, redisUrl: env.REDIS_URL, prefix, log })
  const peers = createPeers({ redisUrl: env.REDIS_URL, prefix: `${prefix}peers:`, log })
  const running = createRunning(peers)
  const identities = createIdentities({ sql: reserve, log })
  const wake = coalesce(() => redis.publish(`${prefix}wake`, ''))
  const shares = createShares(env.DATABASE_POOL)
  const replica = createReplica({
    url: env.DATABASE_REPLICA_URL,
    connections: env.DATABASE_POOL,
    sql,
    reserve,
    log,
  })
  const cache = createCache({ sql: reserve, redisUrl: env.REDIS_URL, prefix: `${prefix}answer:`, log })
  const metrics = createMetrics()
  const tracing = await createTracing(env, name)
  const sandbox = createSandbox({ env, log })
  watchApp(metrics, { sql, shares, cache, sandbox })
  const statsd = createStatsd(env.STATSD_URL, log)
  const meter = openMeter({ sql, log, statsd })
  const opened = {
    env,
    log,
    metrics,
    tracing,
    db,
    sql,
    shares,
    replica,
    cache,
    readers: createReaders(reserve),
    reserve,
    meter,
    statsd,
    tails,
    identities,
    peers,
    running,
    sandbox,
    journal: createJournal({ sql, wake }),
    wake,
    clock: () => new Date(),
  }
  return { ...opened, close: () => closeAll(opened, redis) }
}

async function closeAll(app: Omit<App, 'close'>, redis: Redis): Promise<void> {
  app.sandbox.close()
  app.running.close()
  await app.peers.close()
  await app.meter.close()
  await app.statsd.close()
  app.cache.close()
  await app.replica.close()
  await app.identities.close()
  await app.reserve.end()
  await app.tails.close()
  redis.disconnect()
  await app.db.$disconnect()
  await app.sql.end()
  await app.tracing.close()
}

function openMeter({ sql, log, statsd }: Pick<Services, 'sql' | 'log' | 'statsd'>): Meter {
  const write = async (counted: readonly Counted[]) => {
    await addUsage(sql, counted, new Date())
    statsd.add(counted)
  }
  return createMeter({ write, log })
}
